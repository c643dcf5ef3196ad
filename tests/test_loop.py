"""The whole loop with fakes: what each node leaves behind, the gate, the stop rules, a crash at every node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

import tutelage
from tutelage import InputError, RunError
from tutelage.graphs import cycle as cycle_module
from tutelage.jsonl import read
from tutelage.rundir import RunDir
from tutelage.schema import Split, Verdict
from tutelage.seams import Generation
from tutelage.tasks.quiz import QuizTask
from tutelage.testing import (
    FakeEngine,
    FakeTeacher,
    fake_config,
)
from tutelage.testing.fakes import NO_STUDENT

NODES = ("baseline", "examine", "diagnose", "plan", "teach", "purify", "consolidate", "evaluate", "finish")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tutelage.Result:
    """A run that nothing disturbed."""
    return tutelage.run(fake_config(), run_dir=tmp_path_factory.mktemp("runs") / "whole")


def lessons_of(result: tutelage.Result) -> list[Any]:
    return [[lesson.model_dump() for lesson in result.lessons(c)] for c in range(len(result.reports))]


def test_the_student_learns_and_everything_is_on_disk(tmp_path: Path) -> None:
    teacher, path = FakeTeacher(), tmp_path / "run"
    result = tutelage.run(fake_config(), teachers=[teacher], run_dir=path)
    verdicts = [report.verdict for report in result.reports]
    assert verdicts == [Verdict.BASELINE, Verdict.ACCEPTED, Verdict.ACCEPTED]
    summary = result.summary
    assert summary["status"] == "finished"
    assert summary["test"]["best"] > summary["test"]["base"] == 0.0
    assert result.student_path == path / summary["student"]["best"]
    assert len(teacher.asked) == 32
    assert {p.name for p in path.iterdir()} >= {
        "config.yaml", "events.jsonl", "problems.jsonl", "attempts", "diagnoses", "plans", "rationales", "lessons",
        "reports", "memory", "calls.sqlite", "graph.sqlite", "checkpoints",
    }  # fmt: skip


def test_no_agent_sees_the_gate_or_the_test_split(tmp_path: Path) -> None:
    teacher = FakeTeacher()
    result = tutelage.run(fake_config(), teachers=[teacher], run_dir=tmp_path / "run")
    rundir = RunDir(result.path)
    hidden = {p.id for split in (Split.GATE, Split.TEST) for p in rundir.problems()[split]}
    for request in teacher.asked:
        seen = {request.problem.id, *(a.problem_id for a in request.attempts)}
        seen |= {error.problem_id for error in request.recalled} | {error.problem.id for error in request.history}
        assert not seen & hidden
    assert not hidden & {row.get("problem_id") for row in read(rundir.memory / "errors.jsonl")}


def test_the_second_cycle_sees_the_first(tmp_path: Path) -> None:
    teacher = FakeTeacher()
    result = tutelage.run(fake_config(exam={"due": 40}), teachers=[teacher], run_dir=tmp_path / "run")
    again = [request for request in teacher.asked if request.cycle == 2]
    assert any(request.earlier and request.earlier[0].student_correct is not None for request in again)
    assert any(request.recalled for request in again)
    assert all(error.problem_id != request.problem.id for request in again for error in request.recalled)
    shown = {request.problem.id: request.attempts for request in again}
    wrong = [(lesson.wrong, shown[lesson.problem_id][0].text) for lesson in result.lessons(2) if lesson.wrong]
    assert wrong and all(kept == latest.strip() for kept, latest in wrong)


def test_a_wrong_rationale_is_refined_and_counted(tmp_path: Path) -> None:
    teacher = FakeTeacher(wrong_first=True)
    result = tutelage.run(fake_config(), teachers=[teacher], run_dir=tmp_path / "run")
    report = result.reports[1]
    assert report.lessons.rejected == {"wrong answer": 16}
    assert report.lessons.taught == 16
    kinds = [e["kind"] for e in result.trace(result.lessons(1)[0].problem_id)["events"] if e["cycle"] == 1]
    wanted = ["draft", "check", "refinement", "check", "lesson"]
    assert [kind for kind in kinds if kind in wanted] == wanted


def test_without_revisions_a_wrong_rationale_is_no_lesson(tmp_path: Path) -> None:
    config = fake_config(teach={"max_revisions": 0}, stop={"cycles": 1})
    result = tutelage.run(config, teachers=[FakeTeacher(wrong_first=True)], run_dir=tmp_path / "run")
    assert result.reports[1].verdict is Verdict.ROLLED_BACK
    assert "min_lessons" in result.reports[1].why
    assert result.student_path is None


def test_harm_is_rolled_back(tmp_path: Path) -> None:
    stage = {"name": "tutelage.testing:FakeStage", "options": {"worth": 2.0}}
    config = fake_config(training={"stages": [stage], "worker": "inline", "min_lessons": 4}, stop={"cycles": 1})
    good = tutelage.run(config, run_dir=tmp_path / "good")
    assert good.reports[1].verdict is Verdict.ACCEPTED

    class Fading(FakeEngine):
        """Knows everything at first, and nothing of what was trained."""

        def generate(self, checkpoint: str, prompts: Any, **options: Any) -> Any:
            made = super().generate("base", prompts, **options)
            return made if checkpoint != "base" else [[self._answer(p[-1]["content"], 1.0)] for p in prompts]

    harmed = tutelage.run(config, engine=Fading(), run_dir=tmp_path / "harmed")
    assert harmed.reports[1].verdict is Verdict.ROLLED_BACK
    assert harmed.summary["student"] == {"base": str(NO_STUDENT), "best": "base", "best_cycle": 0}
    assert harmed.summary["test"]["best"] == harmed.summary["test"]["base"]


def test_after_a_rollback_the_same_evidence_does_not_count_twice(tmp_path: Path) -> None:
    class Unteachable(FakeEngine):
        def generate(self, checkpoint: str, prompts: Any, **options: Any) -> Any:
            return [[self._answer(p[-1]["content"], 0.5 if checkpoint == "base" else 0.0)] for p in prompts]

    path = tutelage.run(fake_config(exam={"due": 0}), engine=Unteachable(), run_dir=tmp_path / "run").path
    first, second = (RunDir(path).diagnosis(cycle) for cycle in (1, 2))
    assert first and second and first.student == second.student == "base"
    assert first.mastery == second.mastery


def test_a_teacher_that_always_declines_is_quoted(tmp_path: Path) -> None:
    class Silent(FakeTeacher):
        def teach(self, request: tutelage.TeachingRequest) -> str:
            raise tutelage.Declined("not today")

    result = tutelage.run(fake_config(stop={"cycles": 1}), teachers=[Silent()], run_dir=tmp_path / "run")
    assert result.reports[1].why.endswith("rejected: declined 16, such as 'not today'")


def test_what_the_student_could_not_write_itself_is_no_lesson(tmp_path: Path) -> None:
    class Wordy(FakeTeacher):
        def teach(self, request: tutelage.TeachingRequest) -> str:
            right = super().teach(request)
            return right if request.earlier else " ".join(a + b for a in "abcdefgh" for b in "rstuvwxyz") + f". {right}"

    config = fake_config(student={**fake_config()["student"], "max_new_tokens": 64}, stop={"cycles": 1})
    brief = tutelage.run(config, teachers=[Wordy()], run_dir=tmp_path / "brief")
    assert (brief.reports[1].lessons.rejected, brief.reports[1].lessons.taught) == ({"too long": 16}, 16)


@pytest.mark.parametrize(
    ("stop", "reason", "cycles"),
    [
        ({"cycles": 1}, "cycles", 1),
        ({"cycles": 5, "target": 0.2}, "target", 1),
        ({"cycles": 6, "patience": 1}, "patience", 4),
    ],
)
def test_stop_rules(tmp_path: Path, stop: dict[str, Any], reason: str, cycles: int) -> None:
    result = tutelage.run(fake_config(stop=stop), run_dir=tmp_path / "run")
    assert result.summary["stop_reason"].startswith(reason)
    assert len(result.reports) == cycles + 1


@pytest.mark.parametrize("node", NODES)
def test_a_crash_at_any_node_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: tutelage.Result, node: str
) -> None:
    path = tmp_path / "crashed"
    original = getattr(cycle_module, node)

    async def crash(state: Any, runtime: Any) -> Any:
        await original(state, runtime)  # the node has done its work, and LangGraph never hears of it
        raise OSError("the lights went out")

    crash.__name__ = node
    monkeypatch.setattr(cycle_module, node, crash)
    with pytest.raises(RunError, match="the lights went out"):
        tutelage.run(fake_config(), run_dir=path)
    assert tutelage.Result(path).summary["status"] == ("finished" if node == "finish" else "failed")
    monkeypatch.setattr(cycle_module, node, original)
    resumed = tutelage.resume(path)
    assert lessons_of(resumed) == lessons_of(whole)
    assert [r.accuracy for r in resumed.reports] == [r.accuracy for r in whole.reports]
    assert resumed.summary["test"] == whole.summary["test"]


def test_a_failing_teacher_ends_the_run_in_one_line_and_it_can_go_on(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with pytest.raises(RunError, match=r"teacher 'fake' failed on problem \w+: ValueError\('no credit'\)") as caught:
        tutelage.run(fake_config(), teachers=[FakeTeacher(fails="no credit")], run_dir=path)
    assert "\n" not in str(caught.value)
    result = tutelage.resume(path, teachers=[FakeTeacher()])
    assert result.summary["status"] == "finished"


def test_a_finished_run_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a run"
    tutelage.run(fake_config(stop={"cycles": 1}), run_dir=path)
    before = {p: p.stat().st_mtime_ns for p in path.rglob("*") if p.is_file()}
    tutelage.resume(path)
    assert {p: p.stat().st_mtime_ns for p in path.rglob("*") if p.is_file()} == before
    with pytest.raises(InputError, match=f"holds a run already; resume it .`tutelage resume '{path}'`"):
        tutelage.run(fake_config(), run_dir=path)


@pytest.mark.parametrize(
    ("change", "told"),
    [({"schema": 2}, "has schema 2"), ({"verdict": "maybe"}, "verdict: "), ({"extra": 1}, "extra: ")],
)
def test_a_file_of_another_version_is_refused_by_name(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    result = tutelage.run(fake_config(stop={"cycles": 1}), run_dir=tmp_path / "run")
    path = result.path / "reports" / "cycle-001.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(RunError, match="cycle-001") as caught:
        RunDir(result.path).reports()
    assert told in str(caught.value) and "\n" not in str(caught.value)


def test_two_processes_cannot_run_in_one_directory(tmp_path: Path) -> None:
    rundir = RunDir(tmp_path / "run")
    rundir.lock()
    with pytest.raises(RunError, match="another process"):
        tutelage.run(fake_config(), run_dir=rundir.path)
    rundir.unlock()


def test_teachers_may_be_coroutines_and_return_what_they_should(tmp_path: Path) -> None:
    class Async(FakeTeacher):
        async def teach(self, request: Any) -> str:  # type: ignore[override]
            return FakeTeacher.teach(self, request)

    class Wrong(FakeTeacher):
        def teach(self, request: Any) -> Any:
            return 7

    config = fake_config(stop={"cycles": 1})
    assert tutelage.run(config, teachers=[Async()], run_dir=tmp_path / "a").reports[1].lessons.taught == 16
    with pytest.raises(RunError, match="returned int; return a string or a Rationale"):
        tutelage.run(config, teachers=[Wrong()], run_dir=tmp_path / "b")


def test_the_base_student_sits_each_exam_once(tmp_path: Path) -> None:
    engine = FakeEngine()
    tutelage.run(fake_config(stop={"cycles": 1}), engine=engine, run_dir=tmp_path / "run")
    baseline, due, fresh, candidate, taught, test = 3 * 16, 8, 2 * 8, 2 * 16, 8, 16
    assert engine.prompts == baseline + due + fresh + candidate + taught + test


def test_the_next_cycle_does_not_ask_again_what_the_gate_has_seen(tmp_path: Path) -> None:
    engine = FakeEngine()
    tutelage.run(fake_config(), engine=engine, run_dir=tmp_path / "run")
    baseline, due, fresh, candidate, taught, test = 3 * 16, 8, 2 * 8, 2 * 16, 8, 16
    assert engine.prompts == baseline + due + 2 * (fresh + candidate + taught) + test


def test_what_the_base_student_knows_is_asked_again_until_it_fails_once(tmp_path: Path) -> None:
    questions = QuizTask({Split.RETENTION: 8}).splits()[Split.RETENTION]
    position = {problem.question: n for n, problem in enumerate(questions)}

    class Unsure(FakeEngine):
        """Knows the quiz when greedy; drawn, it fails on half of the questions, then on half of the rest."""

        rounds: ClassVar[list[int]] = []
        failed: ClassVar[list[set[int]]] = [{0, 1, 2, 3}, {4, 5}, set()]

        def generate(self, checkpoint: str, prompts: Any, *, sampled: bool = False, **options: Any) -> Any:
            if prompts[0][-1]["content"] not in position:
                return super().generate(checkpoint, prompts, sampled=sampled, **options)
            asked = [position[prompt[-1]["content"]] for prompt in prompts]
            self.rounds.append(len(asked))
            failed = self.failed[len(self.rounds) - 2] if sampled else set()
            return [[Generation("?" if n in failed else questions[n].answer, -1.0, 1, True)] for n in asked]

    quiz = {"name": "quiz", "options": {"sizes": {"retention": 8}}}
    config = fake_config(retention={"task": quiz, "samples": 3, "rehearse": 0}, stop={"cycles": 1})
    result = tutelage.run(config, engine=Unsure(), run_dir=tmp_path / "run")
    assert Unsure.rounds == [8, 8, 4, 2, 2]
    assert [report.n[Split.RETENTION] for report in result.reports] == [2, 2]
    assert [report.accuracy[Split.RETENTION] for report in result.reports] == [1.0, 1.0]


def test_a_retention_split_of_which_nothing_is_known_is_told(tmp_path: Path) -> None:
    quiz = {"name": "quiz", "options": {"sizes": {"retention": 4}}}
    config = fake_config(retention={"task": quiz, "samples": 3, "rehearse": 0}, stop={"cycles": 1})
    result = tutelage.run(config, run_dir=tmp_path / "run")
    assert "right on none of 4 retention problems" in result.reports[0].why
