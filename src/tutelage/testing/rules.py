"""A task whose skills are ten rules: short questions that apply one to three of them in turn to a digit or string.

`Start with 4: bend, fold.` is worked as `4 bend 5. 5 fold 4.` and ends in `Answer: 4`. What the rules do is in
`rule_book`.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Final

from ..answers import extract_answer, same
from ..errors import InputError, did_you_mean
from ..hashing import content_hash
from ..schema import Grade, Problem, Split
from .rule_book import LENGTHS, MOST, RULES, STARTS, Book, apply, check_book, check_rules, draw_rules

INSTRUCTION: Final = "Work step by step. End with 'Answer:' and the result."
_LARGEST: Final = 20_000
"""Problems a split, at most."""
_TRIES: Final = 60
"""Draws a problem on average before a pool counts as used up."""


class RulesTask:
    """Problems over the ten rules, drawn by seed; no two are alike.

    Each number of rules is as likely as the others until the short problems are used up (of digits there are 100 with
    one rule); the rules of a problem are distinct. The reference solution is the gold rationale.
    """

    def __init__(
        self,
        sizes: Mapping[Split, int],
        seed: int = 0,
        shares: Mapping[str, float] | None = None,
        balanced: Sequence[Split] = (Split.TEST,),
        lengths: Sequence[int] = LENGTHS,
        book: str = "digits",
        instruction: str | None = INSTRUCTION,
    ) -> None:
        """Check the options; the problems are drawn when they are asked for.

        Args:
            sizes: Problems per split.
            seed: Seed of the drawing.
            shares: How often a rule is drawn against the others, 1 where left out: makes a long-tailed pool. With 0 a
                rule is never asked.
            balanced: Splits that the shares do not touch.
            lengths: Rules a problem, each as often as the others.
            book: `digits` or `strings`: what the rules do.
            instruction: The system message of exam and lessons.

        Raises:
            InputError: If a size, share, split, length or book is out of range.
        """
        self.book = check_book("rules: book", book)
        self.sizes = {_split(name): _size(name, count) for name, count in sizes.items()}
        self.seed = seed
        self.shares = _checked(shares or {})
        self.balanced = frozenset(_split(name) for name in balanced)
        self.lengths = tuple(lengths)
        self.instruction = instruction
        most = min(MOST, sum(share > 0 for share in self.shares.values()))
        if not self.lengths or not all(1 <= length <= most for length in self.lengths):
            raise InputError(f"rules: lengths {list(self.lengths)} is out of range; give numbers from 1 to {most}")

    def splits(self) -> Mapping[Split, Sequence[Problem]]:
        """Return the problems of each split.

        Raises:
            InputError: If there are not so many distinct problems.
        """
        return self._drawn

    def grade(self, problem: Problem, text: str) -> Grade:
        """Take what follows the last `Answer:`; the gold digit scores 1."""
        answer = extract_answer(text)
        return Grade(answer, float(answer is not None and same(answer, problem.answer)))

    def fresh(self, skill: str | None, count: int, seed: int, known: Collection[str] = ()) -> Sequence[Problem]:
        """Draw problems that are in no split.

        Args:
            skill: A rule that each of them needs; None for any.
            count: How many at most.
            seed: Seed of the drawing.
            known: Questions that are not to be drawn.

        Returns:
            Fewer than `count` where there are no more; none for a skill that is no rule.
        """
        if skill is not None and skill not in RULES:
            return ()
        asked = {one.question for problems in self._drawn.values() for one in problems}
        rng = random.Random(f"fresh {self.seed} {seed} {skill}")
        drawn = self._draw(rng, dict.fromkeys(RULES, 1.0), asked | set(known), _TRIES * count)
        return tuple(islice((one for one in drawn if skill is None or skill in one.skills), count))

    @cached_property
    def _drawn(self) -> dict[Split, tuple[Problem, ...]]:
        taken: set[str] = set()
        found: dict[Split, tuple[Problem, ...]] = {}
        # Train comes last, so that a larger one leaves the exams as they are.
        for split in sorted(self.sizes, key=lambda one: (one is Split.TRAIN, one.value)):
            shares = dict.fromkeys(RULES, 1.0) if split in self.balanced else self.shares
            rng, count = random.Random(f"{self.seed} {split.value}"), self.sizes[split]
            found[split] = tuple(islice(self._draw(rng, shares, taken, _TRIES * count), count))
            if len(found[split]) < count:
                raise InputError(
                    f"rules: sizes.{split.value} {count}: only {len(found[split])} more distinct problems were found; "
                    "ask for fewer, or add to lengths"
                )
        return {split: found[split] for split in Split if split in found}

    def _draw(self, rng: random.Random, shares: Mapping[str, float], taken: set[str], tries: int) -> Iterator[Problem]:
        """Yield problems whose questions are not taken; `taken` grows by them."""
        for _ in range(tries):
            problem = draw_problem(rng, self.lengths, shares, self.book)
            if problem.question not in taken:
                taken.add(problem.question)
                yield problem


def draw_problem(
    rng: random.Random, lengths: Sequence[int], shares: Mapping[str, float], book: Book = "digits"
) -> Problem:
    """Draw a problem of one of these numbers of rules, each rule in proportion to its share."""
    start = str(rng.choice(STARTS[book]))
    return make_problem(start, draw_rules(rng, rng.choice(lengths), shares), book)


def make_problem(start: str, rules: Sequence[str], book: Book = "digits") -> Problem:
    """Return the problem that applies these rules in turn, with its worked solution."""
    at, lines = start, list[str]()
    for rule in rules:
        lines.append(f"{at} {rule} {apply(book, rule, at)}.")
        at = apply(book, rule, at)
    question = f"Start with {start}: {', '.join(rules)}."
    return Problem(
        id=content_hash("rules", book, question),
        question=question,
        answer=at,
        skills=tuple(rules),
        reference=f"{' '.join(lines)}\nAnswer: {at}",
        metadata={"book": book, "start": start, "rules": list(rules)},
    )


def _checked(shares: Mapping[str, float]) -> dict[str, float]:
    """Return every rule's share."""
    check_rules("rules: shares", shares)
    for name, share in shares.items():
        if not 0 <= share < float("inf"):
            raise InputError(f"rules: shares.{name} {share} is out of range; give a number, 0 or more")
    return {name: float(shares.get(name, 1.0)) for name in RULES}


def _split(name: str) -> Split:
    try:
        return Split(name)
    except ValueError:
        raise InputError(
            f"rules: unknown split {name!r}; {did_you_mean(str(name), [s.value for s in Split])}"
        ) from None


def _size(name: str, count: int) -> int:
    if not isinstance(count, int) or not 0 <= count <= _LARGEST:
        raise InputError(f"rules: sizes.{name} {count} is out of range; give a whole number up to {_LARGEST}")
    return count
