"""What a teacher of arithmetic makes of the errors it is told of: which kinds of step to write finer, and how fine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from ...arithmetic import Step, work
from ...schema import TOO_LONG, RecalledError, TeachingRequest, WrongStep
from .grains import Grain, find_expression, finer, finest, grain_in

SHARE = 0.15
"""A kind of step is failed at if this share of the errors elsewhere begins with it, and `LEAST` of them at least."""
LEAST = 2


def grain_from_errors(request: TeachingRequest, own: Grain) -> Callable[[Step], Grain]:
    """Return how fine each step is written, given the student's errors.

    A step at which the student is heard to fail is written one grain finer than in the teacher's last lesson for this
    problem (or than the teacher's own grain), and as fine as in a solution that has helped with such an error before.
    Where the last draft was too long for the student, nothing is written finer than before.
    """
    before = next((one.text for one in reversed(request.earlier) if one.rejected is None), "")
    held = bool(request.earlier) and request.earlier[-1].rejected == TOO_LONG
    failing = set() if held else _failing(request)
    helped = {} if held else _helped(request, own)

    def grain(step: Step) -> Grain:
        last = finest([own, grain_in(before, step) or own])
        return finest([finer(last) if step.skill in failing else last, helped.get(step.skill, own)])

    return grain


def _failing(request: TeachingRequest) -> set[str]:
    """Return the skills of the first wrong step: here in the last answer, elsewhere in a share of the answers."""
    here = [attempt.wrong_step for attempt in request.attempts[:1]]
    elsewhere = Counter(skill for error in request.history for skill in _skill(error.attempt.wrong_step))
    least = max(LEAST, SHARE * elsewhere.total())
    return {skill for step in here for skill in _skill(step)} | {s for s, n in elsewhere.items() if n >= least}


def _skill(step: WrongStep | None) -> tuple[str, ...]:
    return (step.skill,) if step and step.skill else ()


def _helped(request: TeachingRequest, own: Grain) -> dict[str, Grain]:
    """Return the grain that past errors ask for, by the skill of their wrong step: that of the solution which fixed
    one; a finer one where it did not, or where nothing was taught.
    """
    found: dict[str, Grain] = {}
    for error in request.recalled:
        for skill in _skill(error.wrong_step):
            taught = _taught(error, skill) or own
            asked = taught if error.fixed else finer(taught)
            found.setdefault(skill, asked)  # the most useful error comes first
    return found


def _taught(error: RecalledError, skill: str) -> Grain | None:
    """Return the grain in which the solution to a past error writes the steps of a skill."""
    steps = [step for step in work(find_expression(error.question)) if step.skill == skill]
    written = [grain for step in steps if (grain := grain_in(error.taught or "", step))]
    return finest(written) if written else None
