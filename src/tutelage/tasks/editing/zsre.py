"""ZsRE as MEND publishes it (arXiv 2110.11309): a question, and another answer than the true one."""

from __future__ import annotations

from ..rows import Row
from .fact import Fact, Unrelated
from .fields import as_question, hops, optional_texts, texts


def zsre_fact(row: Row) -> Fact | None:
    """Read one entry; None if its `alt` is empty.

    The new answer is `alt`, as in MEND and EasyEdit; the true `answers` are the old one. (ROME edits the true answer
    in.)

    Raises:
        InputError: If a field is missing or of the wrong kind.
    """
    if row.get("alt") in ("", None):
        return None
    subject, answer, question = row.text("subject"), row.text("alt"), as_question(row.text("src"))
    old = texts(row, "answers")[0]
    return Fact(
        subject=subject,
        question=question,
        answer=answer,
        old=None if old == answer else old,
        statement=f"The question asks about {subject}, and what it asks for is {answer}.",
        paraphrases=tuple(map(as_question, optional_texts(row, "rephrase"))),
        unrelated=tuple(_unrelated(row)),
        hops=tuple(hops(row)),
    )


def _unrelated(row: Row) -> list[Unrelated]:
    if not row.fields.get("loc"):
        return []
    answer, *aliases = texts(row, "loc_ans")
    return [Unrelated(question=as_question(row.text("loc")), answer=answer, aliases=tuple(aliases))]
