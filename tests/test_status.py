"""How a run stands, asked at any moment: also while it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tutelage.export.exams import read_exams
from tutelage.rundir import RunDir
from tutelage.schema import Attempt, CycleReport, Split, Verdict
from tutelage.traces import status, summarise

RESULT: dict[str, Any] = {
    "stop_reason": "the last cycle",
    "student": {"base": "tiny", "best": "checkpoints/cycle-001", "best_cycle": 1},
    "test": {"base": 0.1, "best": 0.6, "n": 20},
}


@pytest.fixture
def running(tmp_path: Path) -> RunDir:
    """A run that another object of this process is about to end."""
    made = RunDir(tmp_path / "run")
    made.lock()
    made.config.write_text("student: {model: tiny}\n")
    return made


def end(running: RunDir) -> None:
    running.write_result(RESULT)
    running.unlock()


@pytest.fixture
def ends_after(running: RunDir, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the run end after so many looks at its lock and its result."""

    def told(looks: int) -> None:
        left = [looks]

        def counted(look: Callable[[RunDir], Any]) -> Callable[[RunDir], Any]:
            def read(self: RunDir) -> Any:
                if left[0] == 0:
                    end(running)
                left[0] -= 1
                return look(self)

            return read

        monkeypatch.setattr(RunDir, "result", counted(RunDir.result))
        locked = RunDir.locked
        assert locked.fget is not None
        monkeypatch.setattr(RunDir, "locked", property(counted(locked.fget)))

    return told


@pytest.mark.parametrize("looks", range(5))
def test_a_run_that_ends_while_it_is_summarised_is_told_whole(
    running: RunDir, looks: int, ends_after: Callable[[int], None]
) -> None:
    ends_after(looks)
    found = summarise(RunDir(running.path))
    assert found["status"] in ("running", "finished")
    assert (found["status"] == "finished") == (looks < 2)
    over = found["status"] == "finished"
    assert (found["test"]["best"], found["student"]["best_cycle"]) == ((0.6, 1) if over else (None, None))
    assert found["stop_reason"] == ("the last cycle" if over else None)


def test_a_run_that_ends_while_its_status_is_read_was_not_interrupted(
    running: RunDir, ends_after: Callable[[int], None]
) -> None:
    ends_after(1)
    assert status(RunDir(running.path)) in ("running", "finished")


@pytest.mark.parametrize("looks", range(5))
def test_an_exam_of_a_run_that_ends_meanwhile_was_not_cancelled(
    running: RunDir, looks: int, ends_after: Callable[[int], None]
) -> None:
    student = "checkpoints/cycle-001"
    about: Any = {"id": "a", "problem_id": "p", "cycle": 1, "student": student, "text": "2", "answer": "2"}
    score: Any = {"score": 1.0, "correct": True, "logprob": 0.0, "tokens": 1, "finish_reason": "stop"}
    running.add_attempts(1, [Attempt(**about, **score, split=Split.TEST)])
    told: Any = {"accuracy": {}, "n": {}, "verdict": Verdict.ACCEPTED, "why": "x"}
    running.write_report(CycleReport(cycle=1, student=student, parent="base", **told))
    ends_after(looks)
    (exam,) = read_exams(RunDir(running.path))
    assert (exam.status, exam.reported) == (("success", 0.6) if looks < 3 else ("started", None))


def test_a_look_makes_nothing_where_files_cannot_be_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    assert not RunDir(tmp_path / "nowhere" / "run").locked
    assert not (tmp_path / "nowhere").exists()
