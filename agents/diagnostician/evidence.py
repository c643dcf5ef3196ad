"""What each attempt tells of the skills that its problem needs, counted up for `attribution`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from ...arithmetic import SKILLS
from ...error_patterns import PATTERNS, error_kind
from ...schema import Attempt, Problem
from ..steps.equations import read_equations

WRONG_ANSWERS: Final = "wrong answers"
"""The weakness of problems that have no skill tags."""
MAX_EVIDENCE: Final = 5
"""Attempts that are kept as evidence of one thing."""


class Causes(NamedTuple):
    """What a wrong answer may come from."""

    skills: tuple[str, ...]
    """The skills of the problem, one of which may have failed."""
    pattern: str = ""
    """The name of the frequent error pattern that the answer shows, if it shows one."""


@dataclass
class Direct:
    """What is seen of one skill, without inference; counts are weighted by score."""

    right: float = 0.0
    """Attempts at problems that need it that are right, or got it right before they went wrong."""
    wrong: float = 0.0
    """Attempts whose first wrong step is at this skill."""
    outside: float = 0.0
    """The same, where the problem is not tagged with it: they tell whom not to blame, but no rate."""
    elsewhere: float = 0.0
    """Attempts that went wrong at another skill, nobody knows whether before this one or after."""
    told: int = 0
    """Attempts that tell something of it, without those that are unexplained."""
    guess: float = 0.0
    """Sum of the chance levels of the problems attempted."""
    tried: int = 0
    """Attempts at problems that need it."""
    examples: list[Attempt] = field(default_factory=list)
    """Failed attempts whose first wrong step is at this skill, the first `MAX_EVIDENCE`."""


@dataclass
class Unexplained:
    """Failed attempts with the same possible causes, none of which is seen."""

    weight: float = 0.0
    """How many, weighted by what is missing of their scores."""
    count: int = 0
    examples: list[Attempt] = field(default_factory=list)
    """The first `MAX_EVIDENCE`."""


@dataclass
class Evidence:
    """All that attempts tell."""

    direct: dict[str, Direct]
    """By skill, and by the name of each frequent error pattern; sorted by name."""
    unexplained: dict[Causes, Unexplained]
    """By the causes of which at least one has failed; sorted."""

    def chance(self) -> np.ndarray:
        """Return, for each name, the mean chance level of the problems that need it; shape (names,)."""
        return np.array([one.guess / one.tried if one.tried else 0.0 for one in self.direct.values()])

    def column(self, name: str) -> np.ndarray:
        """Return a field of `Direct` for each name; shape (names,)."""
        return np.array([getattr(one, name) for one in self.direct.values()], dtype=float)


class Collector:
    """Sorts attempts into what is seen of a skill and what has to be inferred."""

    def __init__(
        self, problems: Mapping[str, Problem], patterns: Iterable[str] = (), laid: Mapping[str, str] | None = None
    ) -> None:
        """Set what attempts are sorted by.

        Args:
            problems: By id, every problem attempted.
            patterns: Kinds of `PATTERNS` that are weaknesses of their own.
            laid: By the ids of failed attempts, what they are laid to by somebody who has read their wrong steps.
        """
        self._problems = problems
        self._laid = laid or {}
        self._patterns = {kind: PATTERNS[kind][0] for kind in patterns}
        self._skills: dict[str, tuple[str, ...]] = {}
        self._direct: defaultdict[str, Direct] = defaultdict(Direct)
        self._unexplained: defaultdict[Causes, Unexplained] = defaultdict(Unexplained)

    def collect(self, attempts: Sequence[Attempt]) -> Evidence:
        """Return what graded attempts tell; each problem must be known."""
        tagged = {skill for attempt in attempts for skill in self.skills(attempt)}
        for attempt in attempts:
            self._count(attempt)
            step = None if attempt.correct else attempt.wrong_step
            if attempt.id in self._laid:
                self._blame(attempt, self._laid[attempt.id])
            elif step is not None and step.skill is not None and step.skill in tagged:
                self._blame(attempt, step.skill)
            elif not attempt.correct:
                self._infer(attempt)
        for name in self._patterns.values():
            showing = sum(group.weight for causes, group in self._unexplained.items() if causes.pattern == name)
            self._direct[name] = Direct(right=len(attempts) - showing, tried=len(attempts))
        return Evidence(dict(sorted(self._direct.items())), dict(sorted(self._unexplained.items())))

    def skills(self, attempt: Attempt) -> tuple[str, ...]:
        """Return the skills that an attempt's problem needs, each once, sorted."""
        found = self._skills.get(attempt.problem_id)
        if found is None:
            found = tuple(sorted(set(self._problems[attempt.problem_id].skills))) or (WRONG_ANSWERS,)
            self._skills[attempt.problem_id] = found
        return found

    def _count(self, attempt: Attempt) -> None:
        """Count what is the same however it went: a right answer, or its right part, is right in every skill."""
        guess = chance_of(self._problems[attempt.problem_id])
        right = 1.0 if attempt.correct else attempt.score
        for skill in self.skills(attempt):
            direct = self._direct[skill]
            direct.tried += 1
            direct.guess += guess
            direct.right += right
            direct.told += attempt.correct

    def _infer(self, attempt: Attempt) -> None:
        """Put down a failure without a known step: any of the problem's skills, or the pattern that it shows."""
        pattern = self._patterns.get(error_kind(attempt) or "", "")
        group = self._unexplained[Causes(self.skills(attempt), pattern)]
        group.weight += 1 - attempt.score
        group.count += 1
        _keep(group.examples, attempt)

    def _blame(self, attempt: Attempt, skill: str) -> None:
        """Put a failure down to the skill of its first wrong step; what was not reached tells nothing."""
        skills, missing = self.skills(attempt), 1 - attempt.score
        before = _done_before(attempt, {*skills} - {skill})
        direct = self._direct[skill]
        if skill in skills:
            direct.wrong += missing
            direct.told += 1
        else:
            direct.outside += missing
        _keep(direct.examples, attempt)
        for other in skills:
            if other == skill:
                continue
            if before is not None and other in before:
                self._direct[other].right += missing
                self._direct[other].told += 1
            elif before is None or other not in SKILLS:  # an equation would have shown it
                self._direct[other].elsewhere += missing


def chance_of(problem: Problem) -> float:
    """Return the pass rate at a problem of somebody who guesses: one in the number of its choices, else 0."""
    choices = problem.metadata.get("choices")
    return 1 / len(choices) if isinstance(choices, Mapping | list | tuple) and len(choices) > 1 else 0.0


def _done_before(attempt: Attempt, asked: Set[str]) -> Set[str] | None:
    """Return which skills the equations that hold before a wrong one show; None where the steps are no equations.

    Args:
        attempt: With a wrong step.
        asked: The skills that matter; if no equation can show any of them, the text is not read.
    """
    step = attempt.wrong_step
    if step is None or step.kind != "equation":
        return None
    if SKILLS.isdisjoint(asked) or "=" not in attempt.text[: step.start]:
        return frozenset()
    read = read_equations(attempt.text[: step.start])
    return frozenset(done.skill for one in read if one.verdict == "holds" for done in one.steps())


def _keep(examples: list[Attempt], attempt: Attempt) -> None:
    if len(examples) < MAX_EVIDENCE:
        examples.append(attempt)
