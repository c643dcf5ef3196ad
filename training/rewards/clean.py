"""Whether the answer says its final answer once, and then ends."""

from __future__ import annotations

from typing import Final

from ...schema import Grade, Problem
from .rationale import take_apart

MOST_CHARACTERS: Final = 2000


def clean(problem: Problem, text: str, grade: Grade, stopped: bool) -> float:
    """Return what is left of 1 after EtCon's deductions, carried over to answers that end with `Answer:`.

    0.2 for each final answer after the first (0.8 at most), 0.6 for text after the line of the last one, 0.4 for more
    than `MOST_CHARACTERS` (EtCon, arXiv 2512.04753, reward code of its second stage, `KE_multi_v2_rewards.py`). A text
    without a final answer gets 0.
    """
    if grade.answer is None:
        return 0.0
    parts = take_apart(text)
    repeated = min(0.8, 0.2 * max(0, parts.declared - 1))
    trailing = bool(parts.trailing) and "\n" not in grade.answer  # else it belongs to an answer of several lines
    deducted = repeated + 0.6 * trailing + 0.4 * (len(text) > MOST_CHARACTERS)
    return max(0.0, 1.0 - deducted)
