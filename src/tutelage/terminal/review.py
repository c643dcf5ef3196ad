"""Lessons that wait for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ..reviews import Proposal, Standing
from ..schema import SCHEMA_VERSION, Rationale, Review
from .text import plain

Rationales = Mapping[str, Rationale]
"""Those of a cycle, by id."""

_SHOWN = 8000
"""Characters of one text; no lesson is longer."""


def standing_table(standing: Standing) -> Table:
    """Return the lessons of a cycle, one row each, with what was decided of them."""
    left, size = len(standing.left), len(standing.proposals)
    title = f"cycle {standing.cycle}: {left} of {size} lessons not reviewed"
    table = Table(title=title, title_justify="left", padding=(0, 0, 0, 1))
    table.add_column("lesson", no_wrap=True)
    for name in ("by", "question", "text", "review"):
        table.add_column(name)
    for one in standing.proposals:
        lesson = one.lesson
        text = one.review.after if one.review and one.review.after else lesson.text
        shown = (plain(lesson.origin, 60), plain(lesson.question, 120), plain(text, 200))
        table.add_row(plain(one.id), *shown, plain(decided(one.review)))
    return table


def decided(review: Review | None) -> str:
    """Say what was decided of a lesson, and by whom."""
    if review is None:
        return "-"
    why = f": {review.why}" if review.why else ""
    objection = f"; taught all the same: {review.objection}" if review.objection else ""
    return f"{review.verdict} by {review.author}{why}{objection}"


def proposal_lines(proposal: Proposal, rationales: Rationales, place: str) -> Group:
    """Return all that a person needs to decide on a lesson.

    Args:
        proposal: The lesson.
        rationales: What it was chosen over is among them.
        place: Which of how many it is.
    """
    lesson = proposal.lesson
    rows: list[tuple[str, str]] = [
        ("question", lesson.question),
        ("gold answer", lesson.answer),
        ("student said", lesson.wrong or "(no wrong answer is known)"),
        ("lesson", lesson.text),
        ("written by", lesson.origin),
    ]
    for number, one in enumerate(alternatives(proposal, rationales), 1):
        rows.append((f"over [{number}]", f"{one.text.strip()}\n({one.teacher}, {one.id})"))
    if proposal.review:
        rows.append(("so far", decided(proposal.review)))
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", no_wrap=True, justify="right")
    table.add_column()
    for name, value in rows:
        table.add_row(Text(name), plain(value, _SHOWN))
    head = Text.assemble((f"{place}  ", "bold"), plain(f"lesson {proposal.id}, problem {lesson.problem_id}"))
    return Group(Rule(), head, table)


def alternatives(proposal: Proposal, rationales: Rationales) -> list[Rationale]:
    """Return the verified rationales that a lesson was chosen over."""
    return [rationales[name] for name in proposal.lesson.chosen_over if name in rationales]


def standing_document(standing: Standing, rationales: Rationales) -> dict[str, Any]:
    """Return the lessons of a cycle as `tutelage review --list --json` prints them."""
    lessons = [_document(one, alternatives(one, rationales)) for one in standing.proposals]
    return {"schema": SCHEMA_VERSION, "cycle": standing.cycle, "left": len(standing.left), "lessons": lessons}


def _document(proposal: Proposal, others: Sequence[Rationale]) -> dict[str, Any]:
    shown = {"problem_id", "rationale_id", "question", "answer", "wrong", "origin", "text", "weight"}
    return {
        "id": proposal.id,
        **proposal.lesson.model_dump(mode="json", include=shown),
        "alternatives": [one.model_dump(mode="json", include={"id", "teacher", "text"}) for one in others],
        "review": proposal.review.model_dump(mode="json") if proposal.review else None,
    }
