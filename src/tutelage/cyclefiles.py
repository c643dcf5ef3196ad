"""The files of a run that each cycle has: rows in JSONL, documents in JSON, each record with its version."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from . import jsonl
from .records import dump_record, parse_record
from .schema import (
    Attempt,
    CycleReport,
    Decision,
    Diagnosis,
    FreshProblem,
    Lesson,
    LessonPlan,
    Rationale,
    Record,
    Review,
    Strategy,
    TrainingReport,
)

R = TypeVar("R", bound=Record)


class CycleFiles:
    """Readers and writers of what a run leaves in each cycle."""

    def __init__(self, path: Path) -> None:
        """Point at a run directory; nothing is written yet."""
        self.path = path

    # rows -------------------------------------------------------------------------------------------------------------

    def attempts(self, cycle: int, of: str | None = None) -> list[Attempt]:
        """Read the attempts of a cycle, or of one problem by its id."""
        return self._rows("attempts", cycle, Attempt, of)

    def add_attempts(self, cycle: int, attempts: Iterable[Attempt]) -> None:
        """Append attempts."""
        self._append("attempts", cycle, attempts)

    def rationales(self, cycle: int, of: str | None = None) -> list[Rationale]:
        """Read the rationales of a cycle, or of one problem by its id, rejected ones included."""
        return self._rows("rationales", cycle, Rationale, of)

    def add_rationales(self, cycle: int, rationales: Iterable[Rationale]) -> None:
        """Append rationales."""
        self._append("rationales", cycle, rationales)

    def write_rationales(self, cycle: int, rationales: Iterable[Rationale]) -> None:
        """Write the rationales of a cycle anew, all at once, with what has been found out of them."""
        self._write_rows("rationales", cycle, rationales)

    def decisions(self, cycle: int, of: str | None = None) -> list[Decision]:
        """Read what was decided between the rationales of a cycle's problems, or of one problem by its id."""
        return self._rows("decisions", cycle, Decision, of)

    def write_decisions(self, cycle: int, decisions: Iterable[Decision]) -> None:
        """Write the decisions of a cycle, all at once."""
        self._write_rows("decisions", cycle, decisions)

    def lessons(self, cycle: int, of: str | None = None) -> list[Lesson]:
        """Read the lessons of a cycle, or of one problem by its id."""
        return self._rows("lessons", cycle, Lesson, of)

    def write_lessons(self, cycle: int, lessons: Iterable[Lesson]) -> None:
        """Write the lessons of a cycle, all at once."""
        self._write_rows("lessons", cycle, lessons)

    def proposals(self, cycle: int, of: str | None = None) -> list[Lesson] | None:
        """Read the lessons of a cycle as they were proposed to a person; None if none were."""
        written = self.file("proposals", cycle).exists()
        return self._rows("proposals", cycle, Lesson, of) if written else None

    def propose_lessons(self, cycle: int) -> None:
        """Make the lessons of a cycle proposals, all at once, unless they are already."""
        lessons, proposals = self.file("lessons", cycle), self.file("proposals", cycle)
        if not proposals.exists():
            proposals.parent.mkdir(exist_ok=True)
            lessons.replace(proposals)

    def reviews(self, cycle: int, of: str | None = None) -> list[Review]:
        """Read what a person decided of a cycle's lessons, or of those of one problem by its id."""
        return self._rows("reviews", cycle, Review, of)

    def add_reviews(self, cycle: int, reviews: Iterable[Review]) -> None:
        """Append reviews."""
        self._append("reviews", cycle, reviews)

    def training(self, cycle: int) -> list[TrainingReport]:
        """Read what the training stages of a cycle reported."""
        return self._rows("training", cycle, TrainingReport)

    def write_training(self, cycle: int, reports: Iterable[TrainingReport]) -> None:
        """Write what the training stages of a cycle reported."""
        self._write_rows("training", cycle, reports)

    def fresh(self, cycle: int) -> list[FreshProblem] | None:
        """Read on which problems the weaknesses of a cycle are tested; None if they have not been drawn."""
        written = self.file("fresh", cycle).exists()
        return self._rows("fresh", cycle, FreshProblem) if written else None

    def write_fresh(self, cycle: int, problems: Iterable[FreshProblem]) -> None:
        """Write on which problems the weaknesses of a cycle are tested, all at once."""
        self._write_rows("fresh", cycle, problems)

    def strategies(self, cycle: int) -> list[Strategy] | None:
        """Read the library of a cycle; None if none was written."""
        written = self.file("strategies", cycle).exists()
        return self._rows("strategies", cycle, Strategy) if written else None

    def write_strategies(self, cycle: int, strategies: Iterable[Strategy]) -> None:
        """Write the library of a cycle, all at once."""
        self._write_rows("strategies", cycle, strategies)

    # documents --------------------------------------------------------------------------------------------------------

    def diagnosis(self, cycle: int) -> Diagnosis | None:
        """Read the diagnosis of a cycle, if it was made."""
        return self._document("diagnoses", cycle, Diagnosis)

    def write_diagnosis(self, diagnosis: Diagnosis) -> None:
        """Write the diagnosis of its cycle."""
        self._write_document("diagnoses", diagnosis.cycle, diagnosis)

    def untested(self, cycle: int) -> Diagnosis | None:
        """Read the diagnosis of a cycle as it was before its weaknesses were tested, if it was made."""
        return self._document("untested", cycle, Diagnosis)

    def write_untested(self, diagnosis: Diagnosis) -> None:
        """Write the diagnosis of its cycle before its weaknesses are tested."""
        self._write_document("untested", diagnosis.cycle, diagnosis)

    def plan(self, cycle: int) -> LessonPlan | None:
        """Read the plan of a cycle, if it was made."""
        return self._document("plans", cycle, LessonPlan)

    def write_plan(self, plan: LessonPlan) -> None:
        """Write the plan of its cycle."""
        self._write_document("plans", plan.cycle, plan)

    def reports(self) -> list[CycleReport]:
        """Read the reports of all cycles so far, in order."""
        paths = sorted((self.path / "reports").glob("cycle-*.json"))
        return [self._parse(path, CycleReport) for path in paths]

    def write_report(self, report: CycleReport) -> None:
        """Write the report of its cycle."""
        self._write_document("reports", report.cycle, report)

    # shared by the above ------------------------------------------------------------------------------------------

    def file(self, kind: str, cycle: int, suffix: str = "jsonl") -> Path:
        """Name the file of a kind of record in a cycle."""
        return self.path / kind / f"cycle-{cycle:03d}.{suffix}"

    def _rows(self, kind: str, cycle: int, model: type[R], of: str | None = None) -> list[R]:
        path = self.file(kind, cycle)
        records = [parse_record(row, model, path) for row in jsonl.read(path, of)]
        return [one for one in records if of is None or getattr(one, "problem_id", None) == of]

    def _append(self, kind: str, cycle: int, records: Iterable[Record]) -> None:
        jsonl.append(self.file(kind, cycle), (dump_record(record) for record in records))

    def _write_rows(self, kind: str, cycle: int, records: Iterable[Record]) -> None:
        jsonl.write_atomic(self.file(kind, cycle), "".join(jsonl.dumps(dump_record(record)) for record in records))

    def _document(self, kind: str, cycle: int, model: type[R]) -> R | None:
        path = self.file(kind, cycle, "json")
        return self._parse(path, model) if path.exists() else None

    def _write_document(self, kind: str, cycle: int, record: Record) -> None:
        jsonl.write_json(self.file(kind, cycle, "json"), dump_record(record))

    def _parse(self, path: Path, model: type[R]) -> R:
        return parse_record(jsonl.read_json(path), model, path)
