"""The lives of all problems, for the page's browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..rundir import RunDir
from ..schema import CycleReport, Problem
from ..traces import ProblemRow
from ..traces.falls import fall_event, falls
from ..traces.find import Problems
from ..traces.life import life_in, undone_events
from ..traces.problems import skills_by_problem
from ..traces.rows import CycleRows, Journal
from ..traces.suspects import Suspects
from .pack import pack
from .revisions import revisions

CHUNK = 100
"""Problems that are unpacked together; the page's script knows it too."""
_LISTED = 2_000
"""Characters of a question or an answer that are listed and searched."""


class Lives:
    """Tells any problem's life from rows that were read once."""

    def __init__(
        self,
        rundir: RunDir,
        cycles: Sequence[CycleRows],
        reports: Sequence[CycleReport],
        problems: Problems,
    ) -> None:
        """Hold what was read of a run."""
        self._cycles, self._reports, self._problems = cycles, reports, problems
        self._journal = Journal(rundir)
        skills = skills_by_problem(problems, (rows.diagnosis for rows in cycles if rows.diagnosis))
        self._suspects = {
            rows.cycle: Suspects((one for some in rows.lessons.values() for one in some), skills) for rows in cycles
        }

    def of(self, problem: Problem) -> list[dict[str, Any]]:
        """Return a problem's life, and what each refinement changed."""
        attempts = [one for rows in self._cycles for one in rows.attempts.get(problem.id, ())]
        fallen = {fall.cycle: fall for fall in falls(attempts, self._reports)}
        events: list[dict[str, Any]] = []
        for rows in self._cycles:
            revised = revisions(rows.rationales.get(problem.id, ()))
            for event in life_in(rows, problem, self._journal):
                if event["kind"] == "refinement":
                    event["changes"] = revised.get(event["rationale_id"])
                events.append(event)
            events += undone_events(rows, problem, self._reports)
            if rows.cycle in fallen:
                events.append(fall_event(fallen[rows.cycle], problem, self._suspects[rows.cycle]))
        return events

    def packed(self) -> Iterator[str]:
        """Yield the lives of all problems, `CHUNK` of them in each pack, in their order."""
        problems = [problem for _, problem in self._problems.values()]
        for start in range(0, len(problems), CHUNK):
            some = problems[start : start + CHUNK]
            yield pack([{"problem": one.model_dump(mode="json"), "events": self.of(one)} for one in some])


def index(rows: Sequence[ProblemRow]) -> list[list[Any]]:
    """Return what the browser lists and searches: one short row a problem, in the order of the packs."""
    return [
        [
            row.id,
            row.split.value,
            row.question[:_LISTED],
            row.answer[:_LISTED],
            list(row.skills),
            {str(cycle): round(share, 3) for cycle, share in row.right.items()},
            list(row.taught),
            list(row.teachers),
            list(row.verdicts),
            list(row.weaknesses),
        ]
        for row in rows
    ]
