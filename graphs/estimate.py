"""Estimate: what the model calls of a run will take, before any of them is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..bill import Bill
from ..config import RunConfig
from ..schema import Problem, Rationale, Split, TeachingRequest
from ..spending import Estimate, Spending
from .context import Parts

_SAMPLE = 32
"""Train problems that an estimate looks at."""


def bills(parts: Parts) -> list[Bill]:
    """Return what each plug-in that has `estimate` takes, teachers first, then critic, purifier and diagnostician.

    The least that is likely: every first text is taught. The most: every text is refined as often as it may be.
    """
    config, texts = parts.config, planned(parts) * parts.config.teach.drafts
    found = []
    for name, teacher in parts.teachers.items():
        if estimate := getattr(teacher, "estimate", None):
            one = _typical(parts, estimate)
            most = one.most.times(texts * (1 + config.teach.max_revisions)).plus(one.most.times(_strategies(parts)))
            found.append(Bill(f"teacher {name!r}", one.likely.times(texts), most, getattr(teacher, "prices", None)))
    if estimate := getattr(parts.critic, "estimate", None):
        one = _typical(parts, lambda request: estimate(request, _rejected(request)))
        most = one.most.times(texts * len(parts.teachers) * config.teach.max_revisions)
        found.append(Bill("the critic", Spending(), most, getattr(parts.critic, "prices", None)))
    if fusing := getattr(parts.purifier, "estimate", None):
        one = _typical(parts, lambda request: fusing(request.problem, _several(request, len(parts.teachers))))
        most, prices = one.most.times(planned(parts)), getattr(parts.purifier, "prices", None)
        found.append(Bill("the purifier", one.likely.times(planned(parts)), most, prices))
    if describer := getattr(parts.diagnostician, "describer", None):
        found.append(_describing(parts, describer))
    return found


def _describing(parts: Parts, describer: Any) -> Bill:
    """Return what putting each cycle's diagnosis into words takes."""
    train, cycles = parts.problems.get(Split.TRAIN, ()), parts.config.stop.cycles
    one = describer.estimate(train)
    # What is the same in a later cycle is not paid for again: likely once, at most in every cycle.
    return Bill("the diagnostician", one.likely, one.most.times(cycles), describer.prices)


def planned(parts: Parts) -> int:
    """Return how many problems are taught in all cycles together, at most."""
    train, settings = len(parts.problems.get(Split.TRAIN, ())), parts.config.plan
    lessons = train if settings.lessons is None else settings.lessons
    return sum(min(train, round(lessons * settings.growth**cycle)) for cycle in range(parts.config.stop.cycles))


def _strategies(parts: Parts) -> int:
    """Return how many strategies a teacher is asked for at most: one a skill and cycle, if a stage takes any.

    Nobody knows yet how many kinds will be discovered among problems without tags: at most as many as the diagnostician
    says.
    """
    if not any(getattr(stage, "takes_strategies", False) for stage in parts.stages):
        return 0
    train = parts.problems.get(Split.TRAIN, ())
    skills = {skill for problem in train for skill in problem.skills}
    kinds = getattr(parts.diagnostician, "kinds", 0) if any(not problem.skills for problem in train) else 0
    return (len(skills) + kinds) * parts.config.stop.cycles


def _typical(parts: Parts, estimate: Callable[[TeachingRequest], Estimate]) -> Estimate:
    """Return the mean of what is likely, and the largest of what is the most, over a sample of the train problems."""
    sample = _sample(parts.problems.get(Split.TRAIN, ()))
    made = [estimate(TeachingRequest(problem=problem, max_tokens=parts.max_tokens)) for problem in sample]
    heard = _heard(parts.config)
    likely = [each.likely._replace(tokens_in=each.likely.tokens_in + heard) for each in made]
    mean = [round(sum(values) / len(made)) for values in zip(*likely, strict=True)]
    most = Spending(*(max(values) for values in zip(*(each.most for each in made), strict=True)))
    return Estimate(Spending(*map(min, mean, most)), most)


def _sample(problems: Sequence[Problem]) -> Sequence[Problem]:
    return problems[:: max(1, len(problems) // _SAMPLE)]


def _heard(config: RunConfig) -> int:
    """Return the tokens of what a teacher is told of the student's errors, which nobody has made yet."""
    hears, answer = config.teach.hears, config.student.max_new_tokens // 2
    told = {
        "attempts": answer,
        "recalled": 2 * answer * config.memory.recall,  # the answer, and what was taught for it
        "history": config.teach.history_tokens,
    }
    return sum(tokens for ingredient, tokens in told.items() if ingredient in hears)


def _several(request: TeachingRequest, teachers: int) -> list[Rationale]:
    """Return texts of about the length that a student may have, as many as there are teachers."""
    words = "step " * ((request.max_tokens or 100) // 2)
    return [Rationale(problem_id=request.problem.id, text=f"{number} {words}") for number in range(max(2, teachers))]


def _rejected(request: TeachingRequest) -> Rationale:
    return Rationale(problem_id=request.problem.id, text=f"Answer: {request.problem.answer}", rejected="wrong answer")
