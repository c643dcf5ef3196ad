"""Whether a teacher's tokens are the student's: the same ids for the same tokens, and the same end of a turn.

Distillation compares two distributions over token ids. Vocabularies of one size may still number their tokens
otherwise, and then every comparison is of unlike things; so the tokens themselves are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_NAMED = 3
"""So many tokens are named in a message."""


@dataclass(frozen=True)
class Comparison:
    """A teacher's vocabulary beside the student's."""

    differing: tuple[str, ...]
    """Tokens of the student that have another id at the teacher, or none, by their id at the student."""
    known: int
    """Tokens of the student."""
    ends: tuple[str, str]
    """What ends a turn: the student's, the teacher's."""
    width: int
    """Ids that the student gives a probability to: the rows of its head, padding included."""
    teacher_width: int

    @property
    def mismatch(self) -> str | None:
        """Why the two cannot be compared id by id, in one line; None if they can."""
        if self.differing:
            named = ", ".join(map(repr, self.differing[:_NAMED]))
            more = ", ..." if len(self.differing) > _NAMED else ""
            return f"{len(self.differing)} of the student's {self.known} tokens have another id or none ({named}{more})"
        if self.ends[0] != self.ends[1]:
            return f"it ends a turn with {self.ends[1]!r}, the student with {self.ends[0]!r}"
        if self.teacher_width < self.width:
            return f"it scores {self.teacher_width} ids, the student {self.width}"
        return None


def compare(student: Any, teacher: Any, width: int, teacher_width: int) -> Comparison:
    """Compare two vocabularies token by token.

    What only the teacher knows is no mismatch: the student cannot say it.

    Args:
        student: Its tokenizer, whose `eos_token` ends a turn.
        teacher: The teacher's, likewise.
        width: Rows of the student's head.
        teacher_width: Rows of the teacher's.
    """
    ours, theirs = student.get_vocab(), teacher.get_vocab()
    differing = sorted((number, token) for token, number in ours.items() if theirs.get(token) != number)
    return Comparison(
        differing=tuple(token for _, token in differing),
        known=len(ours),
        ends=(str(student.eos_token), str(teacher.eos_token)),
        width=width,
        teacher_width=teacher_width,
    )


def width_of(model: Any) -> int:
    """Return how many ids a causal LM gives a probability to."""
    return int(model.get_output_embeddings().weight.shape[0])


def cut_to(model: Any, width: int) -> None:
    """Take the rows beyond a width from a model's embeddings and head, so that nothing is ever given to them.

    Padded to a multiple, heads of one tokenizer differ in width; the ids beyond the tokenizer's have no meaning.

    Args:
        model: A causal LM, changed in place.
        width: At most its own.
    """
    if width_of(model) > width:
        model.resize_token_embeddings(width, mean_resizing=False)
