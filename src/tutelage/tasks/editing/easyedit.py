"""The flat form in which EasyEdit (arXiv 2308.07269) and KnowEdit (arXiv 2401.01286) publish edits."""

from __future__ import annotations

from collections.abc import Iterator

from ..rows import Row
from .fact import Fact, Unrelated
from .fields import as_prompt, hops, localities, optional_texts, texts


def easyedit_fact(row: Row) -> Fact | None:
    """Read one entry: `prompt`, `target_new`, `subject`, and what it has of the rest; None if `target_new` is empty.

    Raises:
        InputError: If a field is missing or of the wrong kind.
    """
    if row.get("target_new") in ("", None, []):
        return None
    answer, *aliases = texts(row, "target_new")
    prompt, subject = row.text("prompt"), row.text("subject")
    old = next(iter(optional_texts(row, "ground_truth")), None)
    question = as_prompt(prompt)
    said = f"The question asks about {subject}, and what it asks for is {answer}."
    return Fact(
        subject=subject,
        question=question,
        answer=answer,
        aliases=tuple(aliases),
        old=None if old in (answer, *aliases) else old,
        statement=said if question.endswith("?") else f"{prompt} {answer}.",
        paraphrases=tuple(as_prompt(text) for name in _REPHRASED for text in optional_texts(row, name)),
        unrelated=(*_unrelated(row), *localities(row)),
        hops=tuple(hops(row)),
    )


_REPHRASED = ("rephrase_prompt", "rephrase")


def _unrelated(row: Row) -> Iterator[Unrelated]:
    answers = optional_texts(row, "locality_ground_truth")
    for prompt in optional_texts(row, "locality_prompt"):
        yield Unrelated(question=as_prompt(prompt), answer=next(iter(answers), None), aliases=answers[1:])
