"""The exams of a run as they are exported: their accuracies are those that the run reports."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tutelage
from tutelage.errors import InputError
from tutelage.export.exams import CANDIDATES, Exam, read_exams, teaching_before
from tutelage.rundir import RunDir
from tutelage.schema import BASE, Attempt, CycleReport, Split, Verdict
from tutelage.testing import fake_config

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    path = tmp_path_factory.mktemp("runs") / "fake"
    tutelage.run(fake_config(exam={"due": 8, "samples": 2}), run_dir=path)
    return RunDir.open(path)


def accuracy(exam: Exam) -> float:
    return sum(attempt.correct for attempt in exam.attempts) / len(exam.attempts)


def test_every_reported_accuracy_has_its_exam(finished: RunDir) -> None:
    exams = {(exam.cycle, exam.split): exam for exam in read_exams(finished)}
    for report in finished.reports():
        for split, share in report.accuracy.items():
            exam = exams[report.cycle, split]
            assert accuracy(exam) == exam.reported == share
            assert len(exam.attempts) == report.n[split] and exam.status == "success"
    result = finished.result()
    assert result and result["student"]["best_cycle"] > 0
    test = exams[result["student"]["best_cycle"], Split.TEST]
    assert accuracy(test) == test.reported == result["test"]["best"]
    taught = exams[1, Split.TRAIN]
    assert (taught.model, taught.reported) == ("cycle-001", None)
    assert {attempt.sample for attempt in taught.attempts} == {0, 1}


def answer(problem: str, sample: int, correct: bool) -> Attempt:
    return Attempt(id=f"{problem}{sample}", problem_id=problem, split=Split.RETENTION, cycle=0, student=BASE,
                   sample=sample, text="", answer=None, score=float(correct), correct=correct, logprob=0.0, tokens=1,
                   finish_reason="stop")  # fmt: skip


def test_retention_is_what_the_base_student_was_right_on_each_time(tmp_path: Path) -> None:
    rundir = RunDir(tmp_path)
    said = [("sure", 0, True), ("wrong", 0, False), ("guess", 0, True), ("sure", 1, True), ("guess", 1, False)]
    rundir.add_attempts(0, [answer(*one) for one in said])
    shares, sizes = {Split.RETENTION: 1.0}, {Split.RETENTION: 1}
    base = {"student": BASE, "parent": BASE, "accuracy": shares, "n": sizes, "verdict": Verdict.BASELINE, "why": ""}
    rundir.write_report(CycleReport(cycle=0, **base))
    kept, asked = read_exams(rundir)
    assert [(a.problem_id, a.sample) for a in kept.attempts] == [("sure", 0), ("sure", 1)]
    assert (kept.name, kept.reported, accuracy(kept)) == ("retention", 1.0, 1.0)
    assert [(a.problem_id, a.sample) for a in asked.attempts] == [("sure", 0), ("wrong", 0), ("guess", 0)]
    assert (asked.name, asked.reported) == (CANDIDATES, None)


def test_an_exam_that_was_cut_short_is_no_success(finished: RunDir, tmp_path: Path) -> None:
    shutil.copytree(finished.path, tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    (tmp_path / "run" / "reports" / "cycle-002.json").unlink()
    found = {(exam.cycle, exam.name): exam for exam in read_exams(RunDir(tmp_path / "run"))}
    assert {exam.status for (cycle, name), exam in found.items() if cycle < 2 and name != "test"} == {"success"}
    assert {exam.status for (cycle, _), exam in found.items() if cycle == 2} == {"cancelled"}
    assert found[2, "gate"].report is None and found[2, "gate"].reported is None


def test_what_was_taught_before_an_exam_is_the_line_of_its_student(finished: RunDir) -> None:
    first, second = finished.reports()[1:]
    assert second.parent == first.student
    exams = {(exam.cycle, exam.name): exam for exam in read_exams(finished)}
    assert teaching_before(finished.reports(), exams[0, "gate"]) == []
    assert teaching_before(finished.reports(), exams[2, "gate"]) == [1, 2]
    back = [finished.reports()[0], first.model_copy(update={"verdict": Verdict.ROLLED_BACK}), second]
    assert teaching_before(back, exams[1, "gate"]) == [1]


def test_a_run_without_an_exam_and_a_machine_without_inspect(
    tutelage_cli: Run, finished: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="no student has been examined yet"):
        read_exams(RunDir(tmp_path))
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    monkeypatch.setitem(sys.modules, "inspect_ai.log", None)
    code, out, err = tutelage_cli("export", "inspect", finished.path, "-o", tmp_path / "logs")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "pip install 'tutelage[inspect]'" in err and not (tmp_path / "logs").exists()
