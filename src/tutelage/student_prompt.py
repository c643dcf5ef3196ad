"""How a student is asked: the same messages in an exam, in a lesson, and after an example."""

from __future__ import annotations

from collections.abc import Sequence

from .seams import Message


def student_prompt(instruction: str | None, question: str, examples: Sequence[tuple[str, str]] = ()) -> list[Message]:
    """Return the messages that a student is asked with.

    Args:
        instruction: The task's system message; None for none.
        question: What it has to answer.
        examples: Questions with their worked solutions, shown before it as turns of the same conversation.
    """
    messages = [] if instruction is None else [{"role": "system", "content": instruction}]
    for asked, solution in examples:
        messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": solution}]
    return [*messages, {"role": "user", "content": question}]
