"""The exams of a run as inspect_ai logs, which `inspect view` opens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..hashing import content_hash
from ..rundir import RunDir
from ..schema import Problem, Split
from ..traces.find import every_problem
from ..traces.life import life_in
from ..traces.rows import CycleRows, Journal, cycles_of, read_cycle
from .exams import Exam, read_exams, teaching_before
from .folder import new_folder, require_new
from .inspect_sample import SCORER, Life, Told, sample_of
from .markdown import line
from .recipe import Recipe, read_recipe

_METRICS = ("inspect_ai/accuracy", "inspect_ai/stderr")


def export_inspect(rundir: RunDir, folder: Path) -> list[Exam]:
    """Write one `.eval` log for each student and split that it was examined on.

    Args:
        rundir: The run.
        folder: Where to; must not exist, or be empty.

    Returns:
        The exams that were written.

    Raises:
        InputError: If inspect_ai is not installed, nobody has been examined yet, or something is in the way.
    """
    try:
        from inspect_ai.log import write_eval_log
    except ImportError as error:
        raise InputError(f"inspect_ai cannot be used ({error}); pip install 'tutelage[inspect]'") from error
    require_new(folder)
    exams = read_exams(rundir)
    logs = Logs(rundir)
    with new_folder(folder) as made:
        for exam in exams:
            log = logs.log(exam)
            path = made / f"{_stamp(exam)}_{exam.name}_{exam.model}_{log.eval.task_id}.eval"
            write_eval_log(log, str(path))
            os.utime(path, 2 * (exam.ended.timestamp(),))  # logs are listed by it
    return exams


def _stamp(exam: Exam) -> str:
    return exam.ended.strftime("%Y-%m-%dT%H-%M-%S+00-00")


def _model(exam: Exam) -> str:
    return f"tutelage/{exam.model}"


class Logs:
    """Makes logs of a run's exams; what several of them need is read once."""

    def __init__(self, rundir: RunDir) -> None:
        """Point at a run."""
        self._rundir = rundir
        self._name = line(rundir.path.resolve().name)
        self._id = content_hash(str(rundir.path.resolve()))
        self._reports = rundir.reports()

    def log(self, exam: Exam) -> Any:
        """Return an exam as an `EvalLog`, its metrics computed by inspect_ai."""
        from inspect_ai.log import EvalLog, EvalStats, recompute_metrics
        from inspect_ai.model import ModelUsage

        said = sum(attempt.tokens for attempt in exam.attempts)
        usage = {_model(exam): ModelUsage(output_tokens=said, total_tokens=said)}
        time = exam.ended.isoformat()
        log = EvalLog(
            status=exam.status,
            eval=self._spec(exam),
            samples=list(self._samples(exam)),
            stats=EvalStats(started_at=time, completed_at=time, model_usage=usage),
        )
        recompute_metrics(log)
        return log

    def _spec(self, exam: Exam) -> Any:
        from inspect_ai.log import EvalConfig, EvalDataset, EvalSpec

        eval_id = self._eval_id(exam)
        ids = list(dict.fromkeys(attempt.problem_id for attempt in exam.attempts))
        epochs = 1 + max(attempt.sample for attempt in exam.attempts)
        return EvalSpec(
            created=exam.ended.isoformat(),
            run_id=self._id,
            eval_id=eval_id,
            task_id=eval_id,  # the viewer hides all but the last log of a task, as retries
            task=exam.name,
            task_display_name=f"{self._name}: {exam.name}",
            model=_model(exam),
            dataset=EvalDataset(name=line(self._recipe.task), samples=len(ids), sample_ids=ids),
            config=EvalConfig(epochs=epochs, epochs_reducer=["mean"]),
            scorers=[{"name": SCORER, "metrics": [{"name": name} for name in _METRICS]}],
            tags=[exam.report.verdict.value] if exam.report else None,
            metadata=self._metadata(exam),
        )

    def _eval_id(self, exam: Exam) -> str:
        return content_hash(self._id, exam.student, exam.name)

    def _metadata(self, exam: Exam) -> dict[str, Any]:
        report = exam.report
        told = {"verdict": report.verdict.value, "why": report.why, "parent": report.parent} if report else {}
        shown = {"run": self._name, "cycle": exam.cycle, "student": exam.student, "split": exam.split.value}
        return {**shown, "base": self._recipe.student, "reported_accuracy": exam.reported, **told}

    def _samples(self, exam: Exam) -> Iterator[Any]:
        before = teaching_before(self._reports, exam)
        after = [cycle for cycle in self._rows if self._parent(cycle) == exam.student]
        for attempt in sorted(exam.attempts, key=lambda one: one.sample):
            problem = self._problems[attempt.problem_id]
            told = Told(
                eval_id=self._eval_id(exam),
                problem=problem,
                instruction=None if exam.split is Split.RETENTION else self._recipe.instruction,
                model=_model(exam),
                time=exam.ended,
                before=self._lives(before, problem),
                after=self._lives(after, problem),
            )
            yield sample_of(attempt, told)

    def _lives(self, cycles: list[int], problem: Problem) -> list[tuple[int, Life]]:
        """Return how a problem was taught in each of some cycles that taught it."""
        found: list[tuple[int, Life]] = []
        for cycle in cycles:
            rows = self._rows[cycle]
            if problem.id in rows.rationales or problem.id in rows.lessons:
                life = life_in(rows, problem, self._journal)
                found.append((cycle, [event for event in life if event["kind"] != "attempt"]))
        return found

    def _parent(self, cycle: int) -> str | None:
        """Name the student that a cycle taught."""
        reported = next((report.parent for report in self._reports if report.cycle == cycle and cycle), None)
        diagnosis = self._rows[cycle].diagnosis
        return reported or (diagnosis.student if diagnosis else None)

    @cached_property
    def _recipe(self) -> Recipe:
        return read_recipe(self._rundir)

    @cached_property
    def _journal(self) -> Journal:
        return Journal(self._rundir)

    @cached_property
    def _rows(self) -> dict[int, CycleRows]:
        return {cycle: read_cycle(self._rundir, cycle) for cycle in cycles_of(self._rundir)}

    @cached_property
    def _problems(self) -> dict[str, Problem]:
        return {id_: problem for id_, (_, problem) in every_problem(self._rundir).items()}
