"""Rehearse: the base student's own answers to general questions, which training imitates or holds the student to."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ..config import RunConfig
from ..errors import RunError
from ..hashing import content_hash
from ..model_thread import on_model_thread
from ..schema import BASE, REHEARSED, Lesson
from ..seams import Task
from ..seams.engine import Generation
from ..student_prompt import student_prompt
from .context import RunContext
from .exam import Writer

MAX_NEW_TOKENS = 32
"""A longer answer is rehearsed up to its last whole sentence: cut off, it would teach to stop in the middle."""

_SENTENCES = re.compile(r".*[.!?](?=\s|$)", re.DOTALL)


async def rehearse(context: RunContext, write: Writer) -> None:
    """Let the base student answer the questions to rehearse, none of which is in the retention split."""
    questions = rehearsal_questions(context.config, context.retention)
    if not questions or context.rundir.rehearsal():
        return
    assert context.retention is not None
    instruction = context.retention.instruction
    write({"kind": "progress", "node": "rehearsal", "cycle": 0, "done": 0, "total": len(questions)})
    answers = await on_model_thread(
        context.engine.generate,
        BASE,
        [student_prompt(instruction, question) for question in questions],
        seed=context.config.seed,
        max_new_tokens=MAX_NEW_TOKENS,
    )
    lessons = as_lessons(questions, [answer for (answer,) in answers], instruction)
    if not lessons:
        raise RunError("retention.rehearse: no answer of the base student has a whole sentence; set rehearse to 0")
    context.rundir.write_rehearsal(lessons)


def as_lessons(questions: Sequence[str], answers: Sequence[Generation], system: str | None) -> list[Lesson]:
    """Return a student's own answers as lessons to rehearse; those without a whole sentence are left out.

    Args:
        questions: What was asked.
        answers: One to each.
        system: The system message that it was asked under.
    """
    return [
        Lesson(
            problem_id=content_hash("rehearsal", question),
            cycle=0,
            question=question,
            text=text,
            origin=REHEARSED,
            system=system,
        )
        for question, answer in zip(questions, answers, strict=True)
        if (text := answer.text if answer.stopped else whole_sentences(answer.text))
    ]


def whole_sentences(text: str) -> str:
    """Return a text up to the end of its last whole sentence; nothing if it has none."""
    found = _SENTENCES.match(text)
    return found.group().strip() if found else ""


def rehearsal_questions(config: RunConfig, retention: Task | None) -> list[str]:
    """Return as many questions as the configuration wants; none if the retention task offers none."""
    if retention is None or config.retention is None:
        return []
    offer: Callable[[], Sequence[str]] = getattr(retention, "rehearsal", tuple)
    return list(offer())[: config.retention.rehearse]
