"""The default diagnostician: weak skills by attribution, error patterns, mastery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...error_patterns import PATTERNS, error_kind
from ...errors import InputError
from ...ledger import CallLedger
from ...schema import Attempt, Diagnosis, Problem, Skill, Weakness
from ...tagging import tagged
from ..discovery.describer import Describer
from ..discovery.discoverer import Discoverer
from ..discovery.patterns import Pattern
from .attribution import PRIOR, Attribution, attribute
from .curriculum import Curriculum
from .evidence import WRONG_ANSWERS, Collector
from .mastery import Counts, MasteryModel
from .patterns import frequent_patterns
from .weaknesses import of_kinds, of_patterns, of_skills


class SkillDiagnostician:
    """Lays each failure to the skill that failed, and names the skills that are weak beyond doubt.

    Where the first wrong step has a skill, that one failed; what came before it did not, and what was not reached tells
    nothing. Where no step is known, the conjunctive model of `attribution` says which skill is how likely to have
    failed. A weakness's pass rate is the share of the expected successes among the attempts that tell something of the
    skill, its support; its severity is the share of all attempts whose failure is laid to it.
    """

    def __init__(
        self,
        threshold: float = 0.8,
        decay: float = 0.5,
        min_support: int = 3,
        discover: bool = True,
        kinds: int = 24,
        encoder: str = "static",
        describe: Describer | None = None,
        ledger: CallLedger | None = None,
        certainty: float = 0.9,
        pull: float = 2.0,
        prerequisites: str | None = "task",
        task_prerequisites: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Set what counts as weak.

        Args:
            threshold: A skill with a lower pass rate, what guessing gives taken off, is a weakness, in (0, 1].
            decay: How much of the earlier diagnosis's evidence counts in the mastery, in [0, 1].
            min_support: Fewer attempts than this say nothing of a skill.
            discover: Whether problems without tags are divided into kinds by what they ask, and their wrong steps into
                error patterns; otherwise their failures are one weakness, `wrong answers`.
            kinds: Kinds that are discovered at most.
            encoder: What questions are seen through, an embedder by name.
            describe: A chat model that puts weaknesses and discovered kinds into words: `model`, `base_url` and the
                other options of a chat critic. Names and figures never come from it.
            ledger: Where its replies are kept; None asks the model each time.
            certainty: Least probability, in [0, 1], with which a weakness's pass rate is below the threshold.
            pull: Pseudo-counts with which a skill's mastery is drawn towards that of its weakest prerequisite.
            prerequisites: Which skills build on which: `task` is what the task offers, `estimate` goes by the success
                rates at 13 checkpoints or more, null is none; else the path of a YAML or JSON file, a list of skills
                for each skill.
            task_prerequisites: What the task offers.

        Raises:
            InputError: If a value is out of range, or the prerequisites cannot be read or form a cycle.
        """
        _require("threshold", threshold, 0 < threshold <= 1, "a number in (0, 1]")
        _require("decay", decay, 0 <= decay <= 1, "a number in [0, 1]")
        _require("min_support", min_support, min_support >= 1, "1 or more")
        _require("certainty", certainty, 0 <= certainty <= 1, "a number in [0, 1]")
        _require("pull", pull, 0 <= pull < float("inf"), "0 or more")
        self.threshold, self.min_support, self.certainty = threshold, min_support, certainty
        self._discoverer = Discoverer(encoder, kinds) if discover else None
        self.kinds = kinds if discover else 0
        self.describer = replace(describe, ledger=ledger) if describe else None
        self._mastery = MasteryModel(decay, pull)
        self._curriculum = Curriculum(prerequisites, task_prerequisites or {})

    def check(self) -> None:
        """Find what would fail later, without paying for a call.

        Raises:
            InputError: If there is no such encoder, or the model that describes cannot be used.
        """
        if self._discoverer:
            self._discoverer.texts.check()
        if self.describer:
            self.describer.check()

    def check_skills(self, skills: Collection[str]) -> None:
        """Find a file of prerequisites that is about another task.

        Args:
            skills: The task's; none if a problem has no tags.

        Raises:
            InputError: If it names none of them.
        """
        self._curriculum.check_skills(skills)

    def caveat(self, cycles: int, skills: Collection[str] = ()) -> str | None:
        """Return what a person should know before a run of at most so many cycles; None if there is nothing.

        Args:
            cycles: At most.
            skills: The task's; none if a problem has no tags.
        """
        return self._curriculum.caveat(cycles, skills)

    def diagnose(
        self, problems: Mapping[str, Problem], attempts: Sequence[Attempt], earlier: Sequence[Diagnosis]
    ) -> Diagnosis:
        """Group the failures of one student at one cycle into weaknesses.

        Args:
            problems: Every problem attempted, by id.
            attempts: Graded, with the first wrong step where one was found.
            earlier: Diagnoses of the cycles before, the latest last.

        Raises:
            InputError: If there are no attempts, or one is at an unknown problem.
        """
        _check(problems, attempts)
        failed = [attempt for attempt in attempts if not attempt.correct]
        discovered = self._discoverer.discover(problems.values(), earlier) if self._discoverer else ()
        patterns = self._patterns(problems, discovered, failed, len(attempts), earlier)
        named = {problem.id: problem for problem in tagged(problems.values(), discovered)}
        weaknesses, counts = self._attributed(named, attempts, failed, patterns)
        skills = {skill for problem in named.values() for skill in problem.skills}
        prerequisites = self._curriculum.prerequisites(skills, self._mastery.outcomes(counts, earlier))
        return Diagnosis(
            cycle=attempts[0].cycle,
            student=attempts[0].student,
            accuracy=(len(attempts) - len(failed)) / len(attempts),
            weaknesses=tuple(sorted(weaknesses, key=lambda w: (-w.severity, w.pass_rate, w.name))),
            mastery=self._mastery.update(counts, earlier, prerequisites),
            errors=dict(sorted(Counter(error_kind(attempt) or "wrong answer" for attempt in failed).items())),
            prerequisites=prerequisites,
            discovered=discovered,
        )

    def _patterns(
        self,
        problems: Mapping[str, Problem],
        discovered: Sequence[Skill],
        failed: Sequence[Attempt],
        total: int,
        earlier: Sequence[Diagnosis],
    ) -> list[Pattern]:
        """Return the patterns of wrong steps at problems without tags."""
        if self._discoverer is None:
            return []
        of_skill = [attempt for attempt in failed if error_kind(attempt) not in PATTERNS]
        return list(self._discoverer.patterns(problems, discovered, of_skill, total, earlier))

    def _attributed(
        self,
        problems: Mapping[str, Problem],
        attempts: Sequence[Attempt],
        failed: Sequence[Attempt],
        patterns: Sequence[Pattern],
    ) -> tuple[list[Weakness], dict[str, Counts]]:
        """Lay the failures to skills and patterns; return the weaknesses, and what is shown of each skill."""
        kinds, total = frequent_patterns(attempts), len(attempts)
        laid = {attempt.id: pattern.name for pattern in patterns for attempt in pattern.failures}
        evidence = Collector(problems, kinds, laid).collect(attempts)
        found = attribute(evidence)
        own = {PATTERNS[kind][0] for kind in kinds} | {pattern.name for pattern in patterns}
        weak = [
            weakness
            for weakness in of_skills(evidence, found, total, self.threshold, self.certainty)
            if weakness.name not in own and weakness.support >= self.min_support
        ]
        examined = {name for name, direct in evidence.direct.items() if direct.tried}
        no_skills = {PATTERNS[kind][0] for kind in kinds} | {WRONG_ANSWERS}
        counts = _counts(found, examined - no_skills)
        return [*of_kinds(kinds, failed, found, total), *of_patterns(patterns, total), *weak], counts


def _require(name: str, value: float, holds: bool, remedy: str) -> None:
    if not holds:
        raise InputError(f"diagnostician: {name} {value} is out of range; give {remedy}")


def _check(problems: Mapping[str, Problem], attempts: Sequence[Attempt]) -> None:
    if not attempts:
        raise InputError("diagnostician: no attempts to diagnose; examine the probe split first")
    for attempt in attempts:
        if attempt.problem_id not in problems:
            raise InputError(f"diagnostician: attempt {attempt.id}: unknown problem {attempt.problem_id!r}")


def _counts(found: Attribution, skills: set[str]) -> dict[str, Counts]:
    """Return what the cycle shows of each skill, in as many successes and failures as its posterior is worth."""
    right, wrong = np.maximum(found.alpha - PRIOR, 0.0), np.maximum(found.beta - PRIOR, 0.0)
    return {
        name: Counts(float(right[at]), float(wrong[at]), float(found.chance[at]))
        for at, name in enumerate(found.names)
        if name in skills
    }
