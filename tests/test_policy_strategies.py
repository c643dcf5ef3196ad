"""Strategies: a library that grows with the cycles, refined where it does not help and rolled back where it harms."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tutelage
from tutelage.checkpoints import read_note
from tutelage.rundir import RunDir
from tutelage.schema import StrategyRequest, Verdict
from tutelage.seams import CurrentStudent, Generation, Message
from tutelage.strategies import read_library
from tutelage.testing import FakeEngine, FakeTeacher, fake_config


class Strategist(FakeTeacher):
    """Writes strategies too, and remembers what it was asked for."""

    def __init__(self, fails: str = "") -> None:
        super().__init__()
        self.requests: list[StrategyRequest] = []
        self.met: dict[int, list[Message]] = {}
        self._fails = fails

    async def strategise(self, request: StrategyRequest) -> str:
        self.requests.append(request)
        if self._fails:
            raise ValueError(self._fails)
        return f"way {len(self.requests)} for\n {request.weakness.name}"


class Reader(FakeEngine):
    """Solves a share of the questions before which it is shown a strategy."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.systems: set[str] = set()

    def generate(self, checkpoint: str, prompts: Sequence[Sequence[Message]], **options: Any) -> list[list[Generation]]:
        self.systems |= {prompt[0]["content"] for prompt in prompts}
        shown = [any("way " in message["content"] for message in prompt[:-1]) for prompt in prompts]
        return [
            [self._answer(prompt[-1]["content"], self.share if one else 0.1)]
            for prompt, one in zip(prompts, shown, strict=True)
        ]


def run(tmp_path: Path, engine: Any, *teachers: Any, **changes: Any) -> tutelage.Result:
    kept = {k: v for k, v in fake_config().items() if k not in ("plan", "training", "teachers")}
    config = {**kept, "exam": {"due": None}, "policy": "strategies", **changes}
    return tutelage.run(config, engine=engine, teachers=teachers, run_dir=tmp_path / "run")


def test_the_gate_takes_a_library_that_helps(tmp_path: Path) -> None:
    teacher, engine = Strategist(), Reader(0.9)
    result = run(tmp_path, engine, teacher)
    assert [report.verdict for report in result.reports[:2]] == [Verdict.BASELINE, Verdict.ACCEPTED]
    assert result.summary["test"]["best"] > result.summary["test"]["base"] + 0.3
    assert result.student_path and read_note(result.student_path).kind == "strategies"
    library = read_library(str(result.student_path))
    assert library is not None
    lessons = {lesson.rationale_id: lesson for lesson in result.lessons(1)}
    for one in library.strategies:
        assert one.text == " ".join(one.text.split()) and one.text.startswith("way ")
        assert lessons[one.rationale_id].text == one.example
        assert one.teacher == "fake" and one.cycle == 1
        traced = result.trace(one.problem_ids[0])["events"]
        assert [e["text"] for e in traced if e["kind"] == "strategy" and e["cycle"] == 1] == [one.text]
    assert not any("way " in text for text in engine.systems if "Add." not in text)


def test_the_gate_rolls_a_library_back_that_harms(tmp_path: Path) -> None:
    class Confused(Reader):
        def generate(self, checkpoint: str, prompts: Any, **options: Any) -> Any:
            shown = [len(prompt) > 2 for prompt in prompts]
            return [
                [self._answer(p[-1]["content"], 0.0 if one else 0.6)] for p, one in zip(prompts, shown, strict=True)
            ]

    teacher = Strategist()
    result = run(tmp_path, Confused(0.0), teacher)
    assert [report.verdict for report in result.reports[1:]] == [Verdict.ROLLED_BACK] * 2
    assert result.student_path is None
    told = {one.weakness: one.text for one in RunDir(result.path).strategies(1) or ()}
    assert {r.failed for r in teacher.requests if r.cycle == 2 and r.weakness.name in told} <= {
        (t,) for t in told.values()
    }
    assert any(request.failed for request in teacher.requests)


def test_a_strategy_that_does_not_help_is_written_anew_with_another_example(tmp_path: Path) -> None:
    teacher = Strategist()
    result = run(tmp_path, Reader(0.2), teacher, plan={"lessons": 40}, gate={"alpha": 0.001})
    rundir = RunDir(result.path)
    assert result.reports[1].verdict is Verdict.ACCEPTED
    first, second = rundir.strategies(1), rundir.strategies(2)
    assert first and second
    old, new = ({one.weakness: one for one in some} for some in (first, second))
    replaced = [name for name in old if new[name].cycle == 2]
    assert replaced
    for name in replaced:
        assert new[name].text != old[name].text
        assert new[name].example != old[name].example or len(old[name].questions) == 1
    assert {request.failed for request in teacher.requests if request.cycle == 2} >= {(old[replaced[0]].text,)}


def test_a_strategy_that_helps_is_kept(tmp_path: Path) -> None:
    teacher = Strategist()
    result = run(tmp_path, Reader(1.0), teacher, stop={"cycles": 2, "patience": None}, plan={"lessons": 40})
    first = RunDir(result.path).strategies(1)
    second = RunDir(result.path).strategies(2)
    assert first and second and second[: len(first)] == first


def test_without_a_strategist_the_shortest_example_stands_alone(tmp_path: Path) -> None:
    result = run(tmp_path, Reader(0.5), FakeTeacher(), stop={"cycles": 1})
    library = RunDir(result.path).strategies(1)
    lengths = {lesson.rationale_id: len(lesson.text) for lesson in result.lessons(1)}
    assert library and all(one.text == "" for one in library)
    assert min(lengths.values()) == min(len(one.example) for one in library)


def test_a_strategist_that_fails_is_told_of_and_the_run_goes_on(tmp_path: Path) -> None:
    result = run(tmp_path, Reader(0.5), Strategist(fails="tired"), stop={"cycles": 1})
    library = RunDir(result.path).strategies(1)
    assert library and all(one.text == "" for one in library)
    assert "teacher 'fake': strategise failed: ValueError('tired')" in (result.path / "events.jsonl").read_text()


def test_a_benched_teacher_is_not_asked_for_a_strategy(tmp_path: Path) -> None:
    class Tiring(Strategist):
        def teach(self, request: Any) -> str:
            self.fails = "tired" if len(self.asked) >= 8 else ""
            return super().teach(request)

    teacher = Tiring()
    settings = {"teach": {"concurrency": 1, "bench_after": 2}, "stop": {"cycles": 1}}
    result = run(tmp_path, Reader(0.5), teacher, FakeTeacher("plain"), **settings)
    library = RunDir(result.path).strategies(1)
    assert library and "fake" in {one.teacher for one in library}
    assert teacher.requests == [] and all(one.text == "" for one in library)


def test_what_was_written_is_not_asked_for_again(tmp_path: Path) -> None:
    result = run(tmp_path, Reader(0.9), Strategist(), stop={"cycles": 1})
    before = RunDir(result.path).strategies(1)
    (result.path / "result.json").unlink()
    (result.path / "graph.sqlite").unlink()
    for step in (result.path / "steps").glob("cycle-001-*"):
        if any(name in step.name for name in ("consolidate", "evaluate")):
            step.unlink()
    shutil.rmtree(result.path / "checkpoints")
    teacher = Strategist()
    again = tutelage.resume(result.path, engine=Reader(0.9), teachers=[teacher])
    assert not teacher.requests and RunDir(again.path).strategies(1) == before


def test_a_plugin_that_asks_the_student_does_so_with_its_strategies(tmp_path: Path) -> None:
    class Curious(Strategist):
        def meet(self, student: CurrentStudent) -> None:
            self.met[student.cycle] = student.prompt("What is 3 + 4?", [("What is 1 + 1?", "2")])

    teacher = Curious()
    run(tmp_path, Reader(0.9), teacher, plan={"lessons": 40})
    told, *shown = teacher.met[1]
    assert [message["content"] for message in shown] == ["What is 1 + 1?", "2", "What is 3 + 4?"]
    assert "way " not in told["content"] and "way " in teacher.met[2][0]["content"]
    assert teacher.met[2][-3:] == shown and len(teacher.met[2]) > 4
