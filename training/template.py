"""The chat template of a student: whether what it renders is what a lesson means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InputError, one_line

PROBE = "First 1 + 1 = 2.\n\nThen 2 + 1 = 3. Answer: 3"
"""An answer with what a template may drop: several lines, numbers and a conclusion."""


def check_template(tokenizer: Any, prompt: Sequence[Mapping[str, str]], text: str = PROBE) -> str:
    """Return a conversation as the template renders it: the prompt, then the answer, whole and in its place.

    White space around the answer may go, as some templates strip it.

    Args:
        tokenizer: The student's.
        prompt: The messages that the student is asked with.
        text: Its answer.

    Raises:
        InputError: If the template refuses the messages, or drops or changes the answer.
    """
    begin = _render(tokenizer, prompt, add_generation_prompt=True)
    whole = _render(tokenizer, [*prompt, {"role": "assistant", "content": text}])
    if text.strip() not in whole.removeprefix(begin):  # the question may hold the same words
        raise InputError(
            "the student's chat template drops or changes the text of an answer, so it could not be learnt; mend "
            "chat_template in the student's folder"
        )
    if not whole.startswith(begin):
        raise InputError(
            "the student's chat template does not begin a conversation with the prompt it asks with, so the answer "
            "could not be told from it; mend chat_template in the student's folder"
        )
    return whole


def _render(tokenizer: Any, messages: Sequence[Mapping[str, str]], **given: bool) -> str:
    from jinja2.exceptions import TemplateError

    try:
        return str(tokenizer.apply_chat_template(list(messages), tokenize=False, **given))
    except TemplateError as error:
        roles = ", ".join(message["role"] for message in messages)
        raise InputError(
            f"the student's chat template refuses messages of {roles} ({one_line(error)}); mend chat_template in the "
            "student's folder, or set the task's instruction to null if it is the system message"
        ) from error
