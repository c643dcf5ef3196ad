"""What a teacher of arithmetic makes of the errors it is told of: which kinds of step to write finer, and how fine."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence, Set

from ...arithmetic import Step, work
from ...schema import TOO_LONG, RecalledError, TeachingRequest, WrongStep
from .grains import GRAINS, Grain, find_expression, finer, finest, grain_in, write_step

LEAST = 2
"""Fewer errors at a kind of step are no habit."""
HALF = 0.5
"""A kind of step is failed at if it goes wrong in this share of the answers that come to it, at least."""


def grain_from_errors(request: TeachingRequest, own: Grain) -> Callable[[Step], Grain]:
    """Return how fine each step is written, given the student's errors.

    A step at which the student is heard to fail is written one grain finer than in the teacher's last lesson for this
    problem (or than the teacher's own grain), and as fine as in a solution that has helped with such an error before.
    A kind of step that the student itself writes rightly, and does not fail at, is written as the student writes it.
    Where the last draft was too long for the student, nothing is written finer than before.
    """
    before = next((one.text for one in reversed(request.earlier) if one.rejected is None), "")
    held = bool(request.earlier) and request.earlier[-1].rejected == TOO_LONG
    failing = set() if held else _failing(request)
    helped = {} if held else _helped(request, own, failing)
    known = ways(_answers(request))

    def grain(step: Step) -> Grain:
        if step.skill in known and step.skill not in failing:
            return known[step.skill]
        last = finest([own, grain_in(before, step) or own])
        return finest([finer(last) if step.skill in failing else last, helped.get(step.skill, own)])

    return grain


def _failing(request: TeachingRequest) -> set[str]:
    """Return the skills that the student fails at as it is taught: in its last answer here, elsewhere and before.

    What it could not do before it was taught says nothing of how it was taught, nor does an error that was fixed.
    """
    if request.cycle < 2:
        return set()
    told = [(request.problem.question, attempt.wrong_step) for attempt in request.attempts[:1]]
    told += [(error.problem.question, error.attempt.wrong_step) for error in request.history]
    told += [(error.question, error.wrong_step) for error in request.recalled if not error.fixed]
    return habits([(question, skill) for question, step in told for skill in _skill(step)])


def habits(errors: Sequence[tuple[str, str]], least: int = LEAST) -> set[str]:
    """Return the skills at which errors are no slips.

    An answer comes to the steps of its problem one after another, until the first that is wrong. A skill that goes
    wrong in `HALF` of the errors that come to it is a habit.

    Args:
        errors: The question, and the skill of the first wrong step.
        least: Fewer errors at a skill are no habit.
    """
    wrong, come_to = Counter(skill for _, skill in errors), Counter[str]()
    for question, skill in errors:
        skills = [step.skill for step in work(find_expression(question))]
        right = skills[: skills.index(skill)] if skill in skills else skills
        come_to.update({skill, *right})
    return {skill for skill, count in wrong.items() if count >= least and count >= HALF * come_to[skill]}


def _answers(request: TeachingRequest) -> Iterator[tuple[str, str]]:
    """Yield the questions and answers of the student that are heard of: here, elsewhere and before."""
    yield from ((request.problem.question, attempt.text) for attempt in request.attempts[:1])
    yield from ((error.problem.question, error.attempt.text) for error in request.history)
    yield from ((error.question, error.attempt) for error in request.recalled)


def ways(answers: Iterable[tuple[str, str]]) -> dict[str, Grain]:
    """Return the grain in which a student writes each skill most often, where it is right and grains differ.

    Args:
        answers: Questions, and what the student wrote.
    """
    counts: defaultdict[str, Counter[Grain]] = defaultdict(Counter)
    for question, text in answers:
        for step in work(find_expression(question)):
            said = grain_in(text, step)
            if said and len({" ".join(write_step(step, grain)) for grain in GRAINS}) > 1:
                counts[step.skill][said] += 1
    return {skill: said.most_common(1)[0][0] for skill, said in counts.items()}


def _skill(step: WrongStep | None) -> tuple[str, ...]:
    return (step.skill,) if step and step.skill else ()


def _helped(request: TeachingRequest, own: Grain, failing: Set[str]) -> dict[str, Grain]:
    """Return the grain that past errors ask for, by the skill of their wrong step: that of a solution which fixed one;
    a finer one than a solution that did not, where the student still fails.
    """
    found: dict[str, Grain] = {}
    for error in request.recalled:
        for skill in _skill(error.wrong_step):
            taught = _taught(error, skill) or own
            if error.fixed or skill in failing:
                found.setdefault(skill, taught if error.fixed else finer(taught))  # the most useful error comes first
    return found


def _taught(error: RecalledError, skill: str) -> Grain | None:
    """Return the grain in which the solution to a past error writes the steps of a skill."""
    steps = [step for step in work(find_expression(error.question)) if step.skill == skill]
    written = [grain for step in steps if (grain := grain_in(error.taught or "", step))]
    return finest(written) if written else None
