"""What stands beside an expression and may change what it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .tokens import Token
from .units import is_unit

_NUMBERED: Final = frozenset(
    {"step", "part", "case", "line", "stage", "problem", "exercise", "question", "equation", "example"}
)
"""`Step 1 - 5 + 3` is a heading with a dash."""
_REMAINDERS: Final = frozenset({"remainder", "remainders", "rem"})


def is_in_context(run: Sequence[Token], side: Sequence[Token], from_left: bool) -> bool:
    """Whether a run at the left or right end of a side may mean something else, for what stands beside it.

    That is a function (`sqrt(16) + 2`), a remainder (`3 with remainder 1`), a heading's number (`Step 1 - 5 + 3`), or
    a quantity in two units (`5 feet 6 inches`).
    """
    if not run or len(run) == len(side):
        return False
    if from_left:
        after = [token for token in side[len(run) :] if token.text != "and"]
        compound = len(after) > 1 and is_unit(after[0].text) and after[1].kind == "n"
        return compound or any(token.text.lower() in _REMAINDERS for token in after)
    before = side[: len(side) - len(run)]
    applied = run[0].kind == "(" and before[-1].kind == "w" and before[-1].end == run[0].start
    heading = len(run) > 1 and run[1].text == "-" and before[-1].text.lower() in _NUMBERED
    compound = len(before) > 1 and is_unit(before[-1].text) and before[-2].kind == "n"
    return applied or heading or compound
