"""Say of a weakness, in a sentence, what the attempts show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...schema import Attempt

_SIGNS: Final = "+-−*/×·÷^%"
_MAX_EXAMPLE = 60


def describe(right: float, told: int, chance: float, attempts: Iterable[Attempt]) -> str:
    """Say how many answers get a skill right, with a step that went wrong as an example.

    Args:
        right: Expected number of attempts that get it right.
        told: Attempts that tell something of it.
        chance: Pass rate of somebody who guesses.
        attempts: Failed ones; the first with a wrong equation is the example.
    """
    number = f"{right:.0f}" if right == round(right) else f"about {right:.1f}"  # who is to blame is shared out
    said = f"{number} of {told} answers that tell of it get it right"
    said += f" ({100 * chance:.0f} % by guessing)" if chance else ""
    example = next((shown for attempt in attempts if (shown := _example(attempt))), "")
    return f"{said}; for example {example}." if example else f"{said}."


def _example(attempt: Attempt) -> str:
    """Write a wrong equation as `31 - 6: said 24, is 25`; empty for other kinds of error."""
    step = attempt.wrong_step
    if step is None or step.kind != "equation":
        return ""
    left = " ".join(attempt.text[step.start : step.end].split("=")[0].split())
    if not any(sign in left[1:] for sign in _SIGNS):
        return ""  # `9 = 3` is nobody's sum
    return f"{left[:_MAX_EXAMPLE]}: said {step.found[:_MAX_EXAMPLE]}, is {step.expected[:_MAX_EXAMPLE]}"
