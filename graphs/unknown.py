"""Which facts a student does not know yet: those are worth editing in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..config import StudentConfig
from ..schema import Problem
from ..student_prompt import student_prompt
from ..tasks.editing.fact import Fact
from ..tasks.editing.unknown import Unknown, unknown_to
from ..tasks.facts import INSTRUCTION
from .standalone import make_engine

_BRIEFLY = StudentConfig(max_new_tokens=48)
"""A fact is told in one sentence."""


def facts_unknown_to(
    student: str,
    facts: Iterable[Fact],
    instruction: str | None = INSTRUCTION,
    settings: StudentConfig = _BRIEFLY,
) -> Unknown:
    """Ask a student for facts, and divide them by whether it gives the new answer already.

    Args:
        student: A folder (a run's checkpoint too), a hub id or a name.
        facts: The facts in question.
        instruction: The system message under which it is asked: the task's.
        settings: How it generates.

    Raises:
        InputError: If the student cannot be had.
    """
    engine, checkpoint = make_engine(student, settings)

    def ask(problems: Sequence[Problem]) -> list[str]:
        prompts = [student_prompt(instruction, problem.question) for problem in problems]
        return [answer.text for (answer,) in engine.generate(checkpoint, prompts)]

    return unknown_to(ask, facts)
