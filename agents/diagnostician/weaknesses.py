"""Weaknesses from what failures were laid to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ...error_patterns import PATTERNS, error_kind, shows
from ...schema import Attempt, Weakness
from ..discovery.patterns import Pattern
from .attribution import Attribution, probability_below
from .evidence import MAX_EVIDENCE, Evidence
from .wording import describe


def of_kinds(kinds: Iterable[str], failed: Sequence[Attempt], found: Attribution, total: int) -> Iterator[Weakness]:
    """Yield a weakness for each error pattern that is frequent.

    Args:
        kinds: Of `PATTERNS`.
        failed: All failed attempts.
        found: Says which failures come from the pattern and not from a skill.
        total: Attempts, failed or not.
    """
    for kind in kinds:
        name, does = PATTERNS[kind]
        hits = [attempt for attempt in failed if error_kind(attempt) == kind]
        showing = sum(shows(attempt, kind) for attempt in failed)
        yield Weakness(
            name=name,
            description=f"{showing} of {total} answers {does}.",
            pass_rate=1 - showing / total,
            support=total,
            severity=min(1.0, float(found.blame[found.names.index(name)]) / total),
            evidence=_ids(hits),
            wrong_step=next((attempt.wrong_step for attempt in hits if attempt.wrong_step), None),
        )


def of_patterns(patterns: Iterable[Pattern], total: int) -> Iterator[Weakness]:
    """Yield a weakness for each pattern of wrong steps that was discovered."""
    for pattern in patterns:
        share = len(pattern.failures) / total
        yield Weakness(
            name=pattern.name,
            description=pattern.description,
            pass_rate=1 - share,
            support=total,
            severity=share,
            evidence=_ids(pattern.failures),
            wrong_step=pattern.failures[0].wrong_step,
        )


def of_skills(
    evidence: Evidence, found: Attribution, total: int, threshold: float, certainty: float
) -> Iterator[Weakness]:
    """Yield the skills that are weak: below the threshold with enough certainty, guesses taken off.

    Args:
        evidence: What the attempts tell.
        found: What failures were laid to.
        total: Attempts, failed or not.
        threshold: Of the pass rate without what guessing gives.
        certainty: Least posterior probability of being below it.
    """
    limit = found.chance + (1 - found.chance) * threshold
    doubtless = probability_below(found.alpha, found.beta, limit) >= certainty
    for at in np.flatnonzero(doubtless & (found.pass_rate < limit)):
        name, told = found.names[at], round(float(found.support[at]))
        shown = _telling(name, evidence, found)
        yield Weakness(
            name=name,
            description=describe(found.pass_rate[at] * told, told, float(found.chance[at]), shown),
            pass_rate=float(found.pass_rate[at]),
            support=told,
            severity=min(1.0, float(found.blame[at]) / total),
            evidence=_ids(shown),
            wrong_step=next((a.wrong_step for a in shown if a.wrong_step and a.wrong_step.skill == name), None),
        )


def _telling(name: str, evidence: Evidence, found: Attribution) -> list[Attempt]:
    """Return failed attempts that show a skill's weakness: at this step, then those that are most its fault."""
    groups = [causes for causes in evidence.unexplained if name in causes.skills]
    groups.sort(key=lambda causes: -found.shares[causes][name])
    shared = [attempt for causes in groups[:MAX_EVIDENCE] for attempt in evidence.unexplained[causes].examples]
    return [*evidence.direct[name].examples, *shared][:MAX_EVIDENCE]


def _ids(attempts: Iterable[Attempt]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(attempt.id for attempt in attempts))[:MAX_EVIDENCE]
