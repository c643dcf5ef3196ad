"""Put a weakness to the test: what answers to fresh problems of its kind say of it.

Only fresh answers count. Those that a weakness was named by are a selection: among many skills some look weak by
chance, and the same answers would confirm them.

Let t be the pass rate of the skill and T the one from which it counts as mastered. Before the test the odds are even:
t has the prior Beta(a, 1) with a = ln(1/2) / ln(T), whose median is T. Each answer then weighs each t by

    t               it is right
    1 - t           it is wrong, and its first wrong step is at this skill
    (1 + t) / 2     it is wrong, and its first wrong step is at another skill: this skill's step came before and was
                    right, or it was not reached; which of the two nobody knows
    1 - t o         it is wrong, and where is not known; o is the chance that all else it needs is right: the product
                    of the diagnosis's mastery of the other skills (a noisy-AND, as in DINA, Junker & Sijtsma 2001)
    1 - t o r       it is wrong by an error pattern that is a weakness of its own; r is the share of answers that do not
                    fail by the pattern itself: 1 less its severity, since its pass rate counts failures of skills, too

The last is for a failure that may come from the skill, since who cannot do a thing may say nothing at all, or from the
pattern. To leave such answers out would leave only the right ones, and clear the skill by that.

The weakness is confirmed if t < T is more likely than not, else it is not. There is no verdict if fewer than 4 answers
tell anything of the skill. Where every wrong step is at this skill, the posterior is the conjugate
Beta(a + right, 1 + wrong). An error pattern is tested likewise: an answer passes if it does not show it, and T is the
share of answers without it from which on it is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log, prod
from typing import Final, NamedTuple

import numpy as np

from ..error_patterns import PATTERNS, error_kind, shows
from ..schema import Attempt, Confirmation, Diagnosis, Problem, Weakness
from .diagnostician.patterns import PATTERN_SHARE

Answer = tuple[Problem, Attempt]
"""A fresh problem and what the student answered."""

MASTERED: Final = 0.8
"""The pass rate from which a skill counts as mastered, where a diagnostician does not say."""
KINDS: Final[Mapping[str, str]] = {name: kind for kind, (name, _) in PATTERNS.items()}
"""The kind of wrong step of each error pattern, by the name of the weakness."""

LEAST: Final = 4
"""Answers that tell something of a weakness, without which there is no verdict."""

_TELLS: Final = 0.05
"""An answer of which the likelihood differs by less, whatever the pass rate, is weighed but not counted as telling."""

_HIGHEST: Final = 0.99
"""No higher pass rate than this is asked for: that one is 1 no number of answers shows."""
_POINTS: Final = 1000
"""Pass rates over which the posterior is summed."""


class Likelihood(NamedTuple):
    """How likely an answer is, as a linear function of the pass rate."""

    at_zero: float
    """If the student never has the skill right."""
    at_one: float
    """If it always has."""


RIGHT: Final = Likelihood(0.0, 1.0)
WRONG: Final = Likelihood(1.0, 0.0)
ELSEWHERE: Final = Likelihood(0.5, 1.0)


class _Mark(NamedTuple):
    attempt: Attempt
    passed: bool
    likelihood: Likelihood

    @property
    def tells(self) -> bool:
        return abs(self.likelihood.at_one - self.likelihood.at_zero) >= _TELLS


def confirm(
    weakness: Weakness,
    answers: Sequence[Answer],
    diagnosis: Diagnosis,
    threshold: float = MASTERED,
    least: int = LEAST,
) -> Confirmation | None:
    """Say whether fresh answers confirm a weakness.

    Args:
        weakness: A skill, or one of the error patterns.
        answers: The student's graded answers to fresh problems that need the skill; to any, for an error pattern.
        diagnosis: The one that names it; gives the mastery of the other skills, and the error patterns.
        threshold: The pass rate (above guessing) from which a skill counts as mastered, in (0, 1].
        least: Answers that must tell something of the weakness, 1 or more.

    Returns:
        The verdict; None if fewer answers than `least` tell something.
    """
    kind = KINDS.get(weakness.name)
    if kind:
        marks = [_pattern_mark(attempt, kind) for _, attempt in answers]
        mastered = 1 - PATTERN_SHARE
    else:
        marks = _skill_marks(weakness.name, answers, diagnosis)
        mastered = _above_guessing(weakness.name, diagnosis, threshold)
    telling = [mark for mark in marks if mark.tells]
    if len(telling) < least:
        return None
    chance = probability([mark.likelihood for mark in marks], mastered)
    return Confirmation(
        asked=len(telling),
        passed=sum(mark.passed for mark in telling),
        confirmed=chance > 0.5,
        probability=chance,
        evidence=tuple(mark.attempt.id for mark in telling),
    )


def probability(answers: Sequence[Likelihood], threshold: float) -> float:
    """Return the chance that a pass rate lies below a threshold, from even odds and these answers.

    The prior Beta(a, 1) is the law of u^(1/a) for a uniform u, so the posterior is summed over equally spaced u, of
    which the lower half lies below the threshold.

    Args:
        answers: What each answer says; their order does not matter.
        threshold: In (0, 1].

    Returns:
        In [0, 1]; 0.5 without answers.
    """
    uniform = (np.arange(_POINTS) + 0.5) / _POINTS
    rate = uniform ** (log(min(threshold, _HIGHEST)) / log(0.5))
    total = np.zeros(_POINTS)
    for zero, one in answers:
        total += np.log(zero + (one - zero) * rate)
    posterior = np.exp(total - total.max())
    return float(posterior[: _POINTS // 2].sum() / posterior.sum())


def _pattern_mark(attempt: Attempt, kind: str) -> _Mark:
    shown = not attempt.correct and shows(attempt, kind)
    return _Mark(attempt, not shown, WRONG if shown else RIGHT)


def _skill_marks(skill: str, answers: Sequence[Answer], diagnosis: Diagnosis) -> list[_Mark]:
    """Return what each answer says of a skill."""
    patterns = {KINDS[one.name]: 1 - min(1.0, one.severity) for one in diagnosis.weaknesses if one.name in KINDS}
    mastery = {one.skill: one.mean for one in diagnosis.mastery}
    tags = {skill, *mastery, *(tag for problem, _ in answers for tag in problem.skills)}
    marks = []
    for problem, attempt in answers:
        step, kind = attempt.wrong_step.skill if attempt.wrong_step else None, error_kind(attempt)
        if attempt.correct:
            marks.append(_Mark(attempt, True, RIGHT))
        elif step == skill and kind not in patterns:
            marks.append(_Mark(attempt, False, WRONG))
        elif step in tags and kind not in patterns:
            marks.append(_Mark(attempt, True, ELSEWHERE))
        else:
            others = prod(mastery.get(tag, 1.0) for tag in dict.fromkeys(problem.skills) if tag != skill)
            without = patterns.get(kind, 1.0) if kind else 1.0
            marks.append(_Mark(attempt, False, Likelihood(1.0, 1.0 - others * without)))
    return marks


def _above_guessing(skill: str, diagnosis: Diagnosis, threshold: float) -> float:
    """Return the plain pass rate at which what is known beyond guessing reaches the threshold."""
    chance = next((one.chance for one in diagnosis.mastery if one.skill == skill), 0.0)
    return chance + threshold * (1 - chance)
