"""Name what a student cannot do yet, from its graded attempts and their first wrong steps."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ..errors import InputError
from ..ledger import CallLedger
from ..schema import Attempt, Diagnosis, Mastery, Problem, Skill, Weakness
from ..tagging import tagged
from .discovery.describer import Describer
from .discovery.discoverer import Discoverer
from .discovery.patterns import Pattern

WRONG_ANSWERS: Final = "wrong answers"
"""The weakness of problems that have no skill tags."""
PATTERNS: Final = {
    "format": ("giving a final answer", "end without one"),
    "truncated": ("ending in time", "are cut off at the length limit"),
    "repetition": ("not repeating itself", "say the same thing over and over"),
    "copied": ("copying the numbers", "use one that the question does not have"),
}
"""Kinds of wrong step that are no matter of skill: the weakness, named so that its pass rate reads as a skill's does,
and what such answers do."""
PATTERN_SHARE: Final = 0.1
"""A pattern in fewer attempts than this is no weakness of its own; those failures count for the skills."""

_MAX_EVIDENCE = 5
_SIGNS: Final = "+-−*/×·÷^%"
_MAX_EXAMPLE = 60


@dataclass
class _Tally:
    """What is counted for one skill."""

    support: int = 0
    correct: int = 0
    score: float = 0.0
    blame: float = 0.0
    at_step: list[Attempt] = field(default_factory=list)
    """Failed attempts whose first wrong step is at this skill."""
    shared: list[Attempt] = field(default_factory=list)
    """Failed attempts at problems that need it, with no step to blame."""
    elsewhere: list[Attempt] = field(default_factory=list)
    """Failed attempts at problems that need it, which went wrong at another skill."""


class SkillDiagnostician:
    """Groups failures by skill, blaming the skill of the first wrong step where it is known.

    A skill's pass rate is the plain share of right answers among attempts at problems that need it; its severity is
    the share of all attempts that fail at this very skill. Failures without a known step are shared equally among
    the problem's skills.
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
    ) -> None:
        """Set what counts as weak.

        Args:
            threshold: A skill with a lower pass rate is a weakness, in (0, 1].
            decay: How much of the earlier diagnosis's evidence counts in the mastery, in [0, 1].
            min_support: Fewer attempts than this say nothing of a skill.
            discover: Whether problems without tags are divided into kinds by what they ask, and their wrong steps into
                error patterns; otherwise their failures are one weakness, `wrong answers`.
            kinds: Kinds that are discovered at most.
            encoder: What questions are seen through, an embedder by name.
            describe: A chat model that puts weaknesses and discovered kinds into words: `model`, `base_url` and the
                other options of a chat critic. Names and figures never come from it.
            ledger: Where its replies are kept; None asks the model each time.

        Raises:
            InputError: If a value is out of range.
        """
        if not 0 < threshold <= 1:
            raise InputError(f"diagnostician: threshold {threshold} is out of range; give a number in (0, 1]")
        if not 0 <= decay <= 1:
            raise InputError(f"diagnostician: decay {decay} is out of range; give a number in [0, 1]")
        if min_support < 1:
            raise InputError(f"diagnostician: min_support {min_support} is out of range; give 1 or more")
        self.threshold = threshold
        self.decay = decay
        self.min_support = min_support
        self._discoverer = Discoverer(encoder, kinds) if discover else None
        self.kinds = kinds if discover else 0
        self.describer = replace(describe, ledger=ledger) if describe else None

    def check(self) -> None:
        """Find what would fail later, without paying for a call.

        Raises:
            InputError: If there is no such encoder, or the model that describes cannot be used.
        """
        if self._discoverer:
            self._discoverer.texts.check()
        if self.describer:
            self.describer.check()

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
        if not attempts:
            raise InputError("diagnostician: no attempts to diagnose; examine the probe split first")
        for attempt in attempts:
            if attempt.problem_id not in problems:
                raise InputError(f"diagnostician: attempt {attempt.id}: unknown problem {attempt.problem_id!r}")
        failed = [attempt for attempt in attempts if not attempt.correct]
        discovered = self._discoverer.discover(problems.values(), earlier) if self._discoverer else ()
        patterns = self._patterns(failed, len(attempts))
        patterns += self._discovered_patterns(problems, discovered, failed, len(attempts), earlier)
        named = {problem.id: problem for problem in tagged(problems.values(), discovered)}
        tallies = _tally(named, attempts, {one.id for hits, _ in patterns for one in hits})
        weaknesses = [weakness for _, weakness in patterns] + list(self._weak_skills(tallies, len(attempts)))
        return Diagnosis(
            cycle=attempts[0].cycle,
            student=attempts[0].student,
            accuracy=(len(attempts) - len(failed)) / len(attempts),
            weaknesses=tuple(sorted(weaknesses, key=lambda w: (-w.severity, w.pass_rate, w.name))),
            mastery=self._mastery(tallies, earlier),
            errors=dict(sorted(Counter(error_kind(attempt) or "wrong answer" for attempt in failed).items())),
            discovered=discovered,
        )

    def _patterns(self, failed: Sequence[Attempt], total: int) -> list[tuple[Sequence[Attempt], Weakness]]:
        """Return the error patterns that are frequent enough, each after its failures."""
        found: list[tuple[Sequence[Attempt], Weakness]] = []
        for kind, (name, does) in PATTERNS.items():
            hits = [attempt for attempt in failed if error_kind(attempt) == kind]
            share = len(hits) / total
            if hits and share >= PATTERN_SHARE:
                showing = sum(_shows(attempt, kind) for attempt in failed)
                weakness = Weakness(
                    name=name,
                    description=f"{showing} of {total} answers {does}.",
                    pass_rate=1 - showing / total,
                    support=total,
                    severity=share,
                    evidence=_ids(hits),
                )
                found.append((hits, weakness))
        return found

    def _discovered_patterns(
        self,
        problems: Mapping[str, Problem],
        discovered: Sequence[Skill],
        failed: Sequence[Attempt],
        total: int,
        earlier: Sequence[Diagnosis],
    ) -> list[tuple[Sequence[Attempt], Weakness]]:
        """Return the patterns of wrong steps at problems without tags, each after its failures."""
        if self._discoverer is None:
            return []
        of_skill = [attempt for attempt in failed if error_kind(attempt) not in PATTERNS]
        found = self._discoverer.patterns(problems, discovered, of_skill, total, earlier)
        return [(one.failures, _of_pattern(one, total)) for one in found]

    def _weak_skills(self, tallies: Mapping[str, _Tally], total: int) -> Iterable[Weakness]:
        for skill, tally in tallies.items():
            pass_rate = tally.correct / tally.support
            if pass_rate < self.threshold and tally.support >= self.min_support:
                yield Weakness(
                    name=skill,
                    description=_describe(tally),
                    pass_rate=pass_rate,
                    support=tally.support,
                    severity=min(1.0, tally.blame / total),
                    evidence=_ids([*tally.at_step, *tally.shared, *tally.elsewhere]),
                )

    def _mastery(self, tallies: Mapping[str, _Tally], earlier: Sequence[Diagnosis]) -> tuple[Mastery, ...]:
        """Update the Beta(1, 1) prior with the decayed earlier evidence and this cycle's scores."""
        before = {mastery.skill: mastery for mastery in earlier[-1].mastery} if earlier else {}
        skills = sorted((set(tallies) | set(before)) - {WRONG_ANSWERS})
        found = []
        for skill in skills:
            tally = tallies.get(skill, _Tally())
            old = before.get(skill, Mastery(skill=skill, alpha=1.0, beta=1.0))
            alpha = 1 + self.decay * (old.alpha - 1) + tally.score
            beta = 1 + self.decay * (old.beta - 1) + tally.support - tally.score
            found.append(Mastery(skill=skill, alpha=alpha, beta=beta))
        return tuple(found)


def error_kind(attempt: Attempt) -> str | None:
    """Return the kind of an attempt's first wrong step; an answer at the length limit without one is cut off."""
    kind = attempt.wrong_step.kind if attempt.wrong_step else None
    if attempt.finish_reason == "length" and kind in (None, "format"):
        return "truncated"
    return kind


def _of_pattern(pattern: Pattern, total: int) -> Weakness:
    share = len(pattern.failures) / total
    return Weakness(
        name=pattern.name,
        description=pattern.description,
        pass_rate=1 - share,
        support=total,
        severity=share,
        evidence=_ids(pattern.failures),
        wrong_step=pattern.failures[0].wrong_step,
    )


def _shows(attempt: Attempt, kind: str) -> bool:
    """Whether a failed attempt shows a pattern, also where a step before was the first to be wrong."""
    found = error_kind(attempt)
    return found == kind or (kind == "format" and attempt.answer is None and found != "truncated")


def _tally(problems: Mapping[str, Problem], attempts: Sequence[Attempt], patterns: set[str]) -> dict[str, _Tally]:
    """Count by skill; failures (by id) of a pattern that is a weakness itself blame no skill."""
    tallies: defaultdict[str, _Tally] = defaultdict(_Tally)
    tagged = {skill for attempt in attempts for skill in problems[attempt.problem_id].skills}
    for attempt in attempts:
        skills = tuple(dict.fromkeys(problems[attempt.problem_id].skills)) or (WRONG_ANSWERS,)
        blamed = _blamed(attempt, skills, tagged)
        for skill in skills:
            tally = tallies[skill]
            tally.support += 1
            tally.correct += attempt.correct
            tally.score += attempt.score
            if not attempt.correct and skill not in blamed:
                (tally.elsewhere if blamed else tally.shared).append(attempt)
        if not attempt.correct:
            _blame(tallies, attempt, blamed, skills, attempt.id in patterns)
    return dict(sorted(tallies.items()))


def _blamed(attempt: Attempt, skills: tuple[str, ...], tagged: set[str]) -> tuple[str, ...]:
    """Return the skill of the first wrong step where some problem is tagged with it, else none."""
    skill = attempt.wrong_step.skill if attempt.wrong_step and not attempt.correct else None
    return (skill,) if skill is not None and (skill in tagged or skill in skills) else ()


def _blame(
    tallies: defaultdict[str, _Tally], attempt: Attempt, blamed: tuple[str, ...], skills: tuple[str, ...], pattern: bool
) -> None:
    for skill in blamed:
        tallies[skill].at_step.append(attempt)
    if not pattern:
        for skill in blamed or skills:
            tallies[skill].blame += 1 / len(blamed or skills)


def _describe(tally: _Tally) -> str:
    """Say how many are right, with a step that went wrong as an example."""
    said = f"{tally.correct} of {tally.support} answers that need it are right"
    for attempt in (*tally.at_step, *tally.shared):
        example = _example(attempt)
        if example:
            return f"{said}; for example {example}."
    return f"{said}."


def _example(attempt: Attempt) -> str:
    """Write a wrong equation as `31 - 6: said 24, is 25`; empty for other kinds of error."""
    step = attempt.wrong_step
    if step is None or step.kind != "equation":
        return ""
    left = " ".join(attempt.text[step.start : step.end].split("=")[0].split())
    if not any(sign in left[1:] for sign in _SIGNS):
        return ""  # `9 = 3` is nobody's sum
    return f"{left[:_MAX_EXAMPLE]}: said {step.found[:_MAX_EXAMPLE]}, is {step.expected[:_MAX_EXAMPLE]}"


def _ids(attempts: Iterable[Attempt]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(attempt.id for attempt in attempts))[:_MAX_EVIDENCE]
