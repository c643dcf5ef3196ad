"""Every weakness is tested on fresh problems before it is taught: where they come from, and what becomes of it."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

import tutelage
from tutelage import RunError
from tutelage.arithmetic import skills_of
from tutelage.jsonl import dumps, read
from tutelage.rundir import RunDir
from tutelage.schema import Attempt, Diagnosis, FreshProblem, Mastery, Problem, Split
from tutelage.testing import FakeDiagnostician, FakeEngine, FakeTask, FakeTeacher, fake_config

CARRY, PLAIN = "addition with carry", "addition without carry"
PROBE = {problem.question for problem in FakeTask().splits()[Split.PROBE]}


class Unteachable(FakeEngine):
    """Half right at first, and never again: every cycle is rolled back."""

    def generate(self, checkpoint: str, prompts: Any, **options: Any) -> Any:
        self.prompts += len(prompts)
        return [[self._answer(p[-1]["content"], 0.5 if checkpoint == "base" else 0.0)] for p in prompts]


class Unlucky(FakeEngine):
    """Never carries; is wrong otherwise only where the probe split asks."""

    def generate(self, checkpoint: str, prompts: Any, **options: Any) -> Any:
        asked = [prompt[-1]["content"] for prompt in prompts]
        return [[self._answer(question, float(self.knows(question)))] for question in asked]

    def knows(self, question: str) -> bool:
        expression = question.removeprefix("What is ").removesuffix("?")
        return PLAIN in skills_of(expression) and question not in PROBE


class Preparing(FakeTask):
    """Offers problems of its own test split as fresh ones."""

    def fresh(self, skill: str | None, count: int, seed: int, known: Collection[str]) -> Sequence[Problem]:
        return self.splits()[Split.TEST]


class Untidy(FakeTask):
    """Offers what is no problem."""

    def fresh(self, skill: str | None, count: int, seed: int, known: Collection[str]) -> Any:
        return ["What is 1 + 1?"]


def diagnoses(path: Path, cycles: int = 2) -> list[Diagnosis]:
    found = [RunDir(path).diagnosis(cycle) for cycle in range(1, cycles + 1)]
    return [one for one in found if one]


def fresh(path: Path, cycle: int) -> list[FreshProblem]:
    return RunDir(path).fresh(cycle) or []


def asked(path: Path, cycle: int) -> list[Attempt]:
    tests = {one.problem.id: one.student for one in fresh(path, cycle)}
    return [a for a in RunDir(path).attempts(cycle) if tests.get(a.problem_id) == a.student]


def task_of(kind: type, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(tutelage.testing, kind.__name__, kind, raising=False)
    return f"tutelage.testing:{kind.__name__}"


def test_each_weakness_is_tested_on_problems_that_are_in_no_split(tmp_path: Path) -> None:
    result = tutelage.run(fake_config(), run_dir=tmp_path / "run")
    path = result.path
    known = {problem.question for some in RunDir(path).problems().values() for problem in some}
    seen = set[str]()
    for cycle, diagnosis in enumerate(diagnoses(path), 1):
        drawn = fresh(path, cycle)
        questions = {one.problem.question for one in drawn}
        assert len(questions) == len(drawn) and not questions & (known | seen)
        seen |= questions
        assert {a.split for a in asked(path, cycle)} == {Split.CHECK} and len(asked(path, cycle)) == len(drawn)
        for weakness in diagnosis.weaknesses:
            assert weakness.confirmation and weakness.confirmation.asked == 8
            mine = {one.problem.id for one in drawn if weakness.name in one.weaknesses}
            assert mine == {a.problem_id for a in asked(path, cycle) if a.id in weakness.confirmation.evidence}
            assert all(weakness.name in one.problem.skills for one in drawn if one.problem.id in mine)
    shown = result.summary["cycles"][1]["weaknesses"]
    assert {"name", "pass_rate", "support", "severity", "confirmed", "confirmation"} == set(shown[0])
    assert shown[0]["confirmed"] is True and set(shown[0]["confirmation"]) == {"asked", "passed", "probability"}
    assert {"skill", "mean", "low", "high", "chance"} == set(result.summary["cycles"][1]["mastery"][0])
    told = [event for event in read(path / "events.jsonl") if event["kind"] == "diagnosis"]
    assert [[w["confirmed"] for w in event["weaknesses"]] for event in told] == [[True, True], [True, True]]
    events = result.trace(fresh(path, 1)[0].problem.id)["events"]
    assert [(e["kind"], e.get("split")) for e in events[:2]] == [("attempt", "check"), ("diagnosis", None)]
    assert events[1]["confirmed"] is True


def test_a_weakness_that_does_not_show_again_is_marked_and_not_taught(tmp_path: Path, tutelage_cli: Any) -> None:
    teacher = FakeTeacher()
    config = fake_config(stop={"cycles": 1}, exam={"due": 0})
    result = tutelage.run(config, engine=Unlucky(), teachers=[teacher], run_dir=tmp_path / "run")
    (diagnosis,) = diagnoses(result.path)
    assert {w.name: (w.pass_rate, w.confirmed) for w in diagnosis.weaknesses} == {PLAIN: (0, False), CARRY: (0, True)}
    assert {w["name"]: w["confirmed"] for w in result.summary["cycles"][1]["weaknesses"]} == {PLAIN: False, CARRY: True}
    plan = RunDir(result.path).plan(1)
    assert plan and {assignment.weakness for assignment in plan.assignments} <= {None, CARRY}
    assert teacher.asked and {request.weak_skills for request in teacher.asked} == {(CARRY,)}
    assert {request.weakness.name for request in teacher.asked if request.weakness} == {CARRY}
    errors = [row for row in read(result.path / "memory/errors.jsonl") if row["kind"] == "error"]
    assert {(*row["skills"], row["weakness"]) for row in errors} == {(PLAIN, None), (CARRY, CARRY)}
    _, out, _ = tutelage_cli("show", result.path)
    assert out.replace("\n", " ").count("(not") == 1
    spared = next(one.problem.id for one in fresh(result.path, 1) if PLAIN in one.weaknesses)
    _, out, _ = tutelage_cli("trace", result.path, "--problem", spared)
    assert "not confirmed" in out


def test_nothing_is_tested_where_that_is_off(tmp_path: Path) -> None:
    result = tutelage.run(fake_config(exam={"due": 8, "confirm": 0}, stop={"cycles": 1}), run_dir=tmp_path / "run")
    (diagnosis,) = diagnoses(result.path)
    assert [w.confirmation for w in diagnosis.weaknesses] == [None, None] and diagnosis.taught == diagnosis.weaknesses
    assert [w["confirmation"] for w in result.summary["cycles"][1]["weaknesses"]] == [None, None]
    assert not (result.path / "fresh").exists()


def test_a_student_is_not_tested_twice_on_one_weakness(tmp_path: Path) -> None:
    engine = Unteachable()
    path = tutelage.run(fake_config(exam={"due": 0}), engine=engine, run_dir=tmp_path / "run").path
    first, second = diagnoses(path)
    assert first.student == second.student == "base"
    assert [w.confirmation for w in first.weaknesses] == [w.confirmation for w in second.weaknesses]
    assert fresh(path, 1) and not fresh(path, 2)


SIZES = {"train": 30, "probe": 8, "gate": 8, "test": 8}


def dataset(folder: Path, sizes: dict[str, int]) -> dict[str, Any]:
    """Write sums, dealt out by a column, and return the task over them."""
    path = folder / "data.jsonl"
    splits = [split for split, size in sizes.items() for _ in range(size)]
    table = [
        {"q": f"What is {n + 1} + {n + 2}?", "a": str(2 * n + 3), "skills": ["sums"], "split": split}
        for n, split in enumerate(splits)
    ]
    path.write_text("".join(map(dumps, table)))
    columns = {"question": "q", "answer": "a", "skills": "skills", "split_column": "split"}
    return {"name": "dataset", "options": {"path": str(path), **columns}}


def test_a_split_may_be_held_out_and_train_problems_stand_in(tmp_path: Path) -> None:
    config = fake_config(task=dataset(tmp_path, {**SIZES, "check": 3}), exam={"due": 4})
    result = tutelage.run(config, run_dir=tmp_path / "run")
    for cycle, diagnosis in enumerate(diagnoses(result.path), 1):
        drawn = fresh(result.path, cycle)
        held = [Split.CHECK] * 3 if cycle == 1 else []
        assert [one.split for one in drawn] == held + [Split.TRAIN] * (8 - len(held))
        assert [w.confirmation.asked for w in diagnosis.weaknesses if w.confirmation] == [8]
    before = {a.problem_id for a in RunDir(result.path).attempts(0)} | {
        lesson.problem_id for lesson in result.lessons(1)
    }
    due = {a.problem_id for a in RunDir(result.path).attempts(1)} | before
    late = {one.problem.id for one in fresh(result.path, 2) if one.split is Split.TRAIN}
    assert late and not late & due


def test_what_is_held_out_is_used_again_only_where_nothing_else_is_left(tmp_path: Path) -> None:
    config = fake_config(task=dataset(tmp_path, {**SIZES, "check": 12}), exam={"due": None})
    path = tutelage.run(config, run_dir=tmp_path / "run").path
    first, second = ({one.problem.id for one in fresh(path, cycle)} for cycle in (1, 2))
    assert len(first) == len(second) == 8
    assert {one.split for cycle in (1, 2) for one in fresh(path, cycle)} == {Split.CHECK}
    assert len(first | second) == 12  # the four that were left come first


class Counting(FakeDiagnostician):
    """Remembers what it was told of earlier cycles, and never says the same twice."""

    def __init__(self) -> None:
        self.told: list[list[Diagnosis]] = []

    def diagnose(self, problems: Any, attempts: Sequence[Attempt], earlier: Sequence[Diagnosis]) -> Diagnosis:
        self.told.append(list(earlier))
        found = super().diagnose(problems, attempts, earlier)
        mastery = (Mastery(skill=CARRY, alpha=1.0 + len(self.told), beta=1.0),)
        return found.model_copy(update={"accuracy": 1 / (1 + len(self.told)), "mastery": mastery})


def test_a_diagnostician_that_is_paid_for_is_asked_once_though_the_run_ends_in_its_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(rundir: RunDir, cycle: int, problems: Any) -> None:
        raise OSError("the lights went out")

    config = fake_config(task=dataset(tmp_path, SIZES), exam={"due": 4}, stop={"cycles": 1})
    counting, path = Counting(), tmp_path / "run"
    with monkeypatch.context() as patched, pytest.raises(RunError, match="the lights went out"):
        patched.setattr(RunDir, "write_fresh", crash)
        tutelage.run(config, diagnostician=counting, run_dir=path)
    assert len(counting.told) == 1 and not diagnoses(path)
    tutelage.resume(path, diagnostician=counting)
    (diagnosis,) = diagnoses(path)
    assert len(counting.told) == 1 and diagnosis.accuracy == 0.5
    assert [weakness.confirmed is None for weakness in diagnosis.weaknesses] == [False]
    untested = RunDir(path).untested(1)
    assert untested and [weakness.confirmation for weakness in untested.weaknesses] == [None]


def test_after_a_rollback_the_names_of_the_first_diagnosis_are_told_and_not_its_evidence(tmp_path: Path) -> None:
    counting = Counting()
    path = tutelage.run(fake_config(), engine=Unteachable(), diagnostician=counting, run_dir=tmp_path / "run").path
    first = diagnoses(path)[0]
    assert counting.told == [[], [first.model_copy(update={"mastery": ()})]] and first.mastery


def test_a_task_makes_fresh_problems_on_the_thread_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Threaded(FakeTask):
        threads: ClassVar[set[str]] = set()

        def fresh(self, skill: str | None, count: int, seed: int, known: Collection[str]) -> Sequence[Problem]:
            self.threads.add(threading.current_thread().name)
            return super().fresh(skill, count, seed, known)

    tutelage.run(fake_config(task=task_of(Threaded, monkeypatch), stop={"cycles": 1}), run_dir=tmp_path / "run")
    assert len(Threaded.threads) == 1 and Threaded.threads.pop().startswith("model")


def test_a_weakness_without_fresh_problems_stays_untested_and_is_taught(tmp_path: Path) -> None:
    path = tutelage.run(
        fake_config(task=dataset(tmp_path, SIZES), exam={"due": None}, stop={"cycles": 1}), run_dir=tmp_path / "run"
    ).path
    (diagnosis,) = diagnoses(path)
    assert fresh(path, 1) == []
    assert [w.confirmed for w in diagnosis.taught] == [None]


def test_answers_to_train_problems_that_tested_a_weakness_name_none(tmp_path: Path) -> None:
    """Else a diagnosis that is made again after a crash would go by them, and confirm what it was named by."""

    class Listening(FakeDiagnostician):
        heard: ClassVar[list[str]] = []

        def diagnose(self, problems: Any, attempts: Sequence[Attempt], earlier: Any) -> Diagnosis:
            self.heard += [attempt.problem_id for attempt in attempts]
            return super().diagnose(problems, attempts, earlier)

    config = fake_config(task=dataset(tmp_path, {**SIZES, "train": 30}), exam={"due": 16})
    path = tutelage.run(config, engine=Unteachable(), diagnostician=Listening(), run_dir=tmp_path / "run").path
    first, second = diagnoses(path)
    assert first.weaknesses[0].confirmed is not None and first.student == second.student
    tested = {one.problem.id for one in fresh(path, 1)}
    assert len(tested) == 8 and len(Listening.heard) > 2 * 8
    assert not tested & set(Listening.heard)


def test_a_crash_between_the_fresh_exam_and_the_diagnosis_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = fake_config(task=dataset(tmp_path, SIZES), exam={"due": 4})
    whole = tutelage.run(config, engine=(calm := FakeEngine()), run_dir=tmp_path / "whole").path

    def crash(rundir: RunDir, diagnosis: Diagnosis) -> None:
        raise OSError("the lights went out")

    engine, path = FakeEngine(), tmp_path / "crashed"
    with monkeypatch.context() as patched, pytest.raises(RunError, match="the lights went out"):
        patched.setattr(RunDir, "write_diagnosis", crash)
        tutelage.run(config, engine=engine, run_dir=path)
    assert len(asked(path, 1)) == len(fresh(path, 1)) == 8
    tutelage.resume(path, engine=engine)
    assert diagnoses(path) == diagnoses(whole)
    assert [fresh(path, cycle) for cycle in (1, 2)] == [fresh(whole, cycle) for cycle in (1, 2)]
    assert engine.prompts == calm.prompts


def test_a_task_cannot_pass_off_its_test_problems_as_fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = fake_config(task=task_of(Preparing, monkeypatch), stop={"cycles": 1})
    path = tutelage.run(config, run_dir=tmp_path / "run").path
    hidden = {p.id for split in (Split.GATE, Split.TEST) for p in RunDir(path).problems()[split]}
    assert fresh(path, 1) and not {one.problem.id for one in fresh(path, 1)} & hidden


def test_what_is_no_problem_ends_the_run_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = fake_config(task=task_of(Untidy, monkeypatch))
    with pytest.raises(RunError, match=r"^task tutelage.testing:Untidy: fresh: returned a str; return a list of probl"):
        tutelage.run(config, run_dir=tmp_path / "run")
