"""Problems from reasoning_gym: over 100 generators with verifiers of their own, alone or mixed."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError

from ..answers import after_marker, tidy
from ..arithmetic import PREREQUISITES, skills_of
from ..errors import InputError
from ..hashing import content_hash
from ..schema import Grade, Problem, Split
from ..shares import apportion
from .generators import Entry, Generator
from .guard import may_verify

_ORDER: Final = (Split.TEST, Split.GATE, Split.PROBE, Split.RETENTION, Split.CHECK, Split.TRAIN)
"""Splits are drawn in this order, so that a larger train split leaves the exams as they are."""
_ARITHMETIC: Final = frozenset({"chain_sum", "basic_arithmetic", "decimal_chain_sum", "products"})
"""Data sets whose `expression` is the question; elsewhere it gives the answer away."""
_RATIONALES: Final = ("answer_cot", "rationale", "explanation")
_MOST: Final = 20_000
"""Some generators refuse a larger size."""
_RARE: Final = 500
"""A skill that fewer than one problem in so many needs may not be found."""


class ReasoningGymTask:
    """A task drawn from one generator, or from several by weight.

    The splits come from seeds of their own and share no question. The same options give the same problems.

    Args:
        dataset: A generator's name, or a list of `{name, params, weight}`.
        sizes: Problems per split.
        seed: Seed of the drawing.
        params: The generator's parameters, if `dataset` is a name.
        instruction: The system message of exam and lessons.

    Raises:
        InputError: If a name, parameter or size is wrong.
    """

    def __init__(
        self,
        dataset: str | list[dict[str, Any]],
        sizes: dict[Split, int],
        seed: int = 0,
        params: dict[str, Any] | None = None,
        instruction: str | None = "Work step by step. End with 'Answer:' and the result.",
    ) -> None:
        self.instruction = instruction
        self.seed = seed
        self.sizes = _checked_sizes(sizes)
        self.generators = _generators(dataset, params or {})
        for generator in self.generators:
            generator.check()
        self._verifiers: dict[str, Any] = {}

    def splits(self) -> Mapping[Split, Sequence[Problem]]:
        """Return the problems of each split.

        Raises:
            InputError: If a generator cannot give enough distinct questions.
        """
        return self._drawn[0]

    def prerequisites(self) -> Mapping[str, Sequence[str]]:
        """Return what the skills of arithmetic build on, where a data set has them."""
        return PREREQUISITES if any(generator.name in _ARITHMETIC for generator in self.generators) else {}

    def fresh(self, skill: str | None, count: int, seed: int, known: Collection[str]) -> Sequence[Problem]:
        """Draw problems that need a skill, by drawing on until there are enough; see `tutelage.seams.Task`."""
        able = [one for one in self.generators if skill in (None, one.name) or one.name in _ARITHMETIC]
        taken, found = set(known), list[Problem]()
        shares = apportion(count, [generator.weight for generator in able]) if able else []
        for place, generator in enumerate(able):
            wanted = sum(shares[: place + 1]) - len(found)  # what the ones before could not give as well
            drawn_from = int(content_hash(seed, "fresh", place, length=7), 16)
            found += islice(self._needing(generator, skill, drawn_from, wanted, taken), wanted)
        return found

    def _needing(
        self, generator: Generator, skill: str | None, seed: int, wanted: int, taken: set[str]
    ) -> Iterator[Problem]:
        """Yield what a generator gives that needs a skill; `taken` grows by the questions."""
        rare = generator.name in _ARITHMETIC and skill not in (None, generator.name)
        for entry in generator.draw(seed, min(_MOST, (_RARE if rare else 20) * wanted + 100)):
            question = str(entry["question"]).strip()
            problem = self._problem(generator, entry, question, source_seed=seed)
            if question not in taken and (skill is None or skill in problem.skills):
                taken.add(question)
                yield problem

    def grade(self, problem: Problem, text: str) -> Grade:
        """Take the text after the last `Answer:`; exactly the gold answer scores 1, else the verifier decides."""
        gold = problem.answer
        found = after_marker(text, multiline="\n" in gold.strip())
        if found is None:
            return Grade(None, 0.0)
        answer = tidy(found)
        if answer == tidy(gold):
            return Grade(answer, 1.0)
        entry = self._drawn[1].get(problem.id) or self._drawn_again(problem)
        # What is markdown in one answer is content in another: the verifier sees both readings.
        return Grade(answer, max(self._verified(problem, entry, reading) for reading in {found, answer}))

    def _drawn_again(self, problem: Problem) -> Entry:
        """Return the entry of a fresh problem as its generator makes it; without that, what is written of it."""
        written = problem.metadata
        named = next((one for one in self.generators if one.name == written.get("source_dataset")), None)
        if named and isinstance(written.get("source_seed"), int) and isinstance(written.get("source_index"), int):
            entry = named.entry(written["source_seed"], written["source_index"])
            if str(entry["question"]).strip() == problem.question:
                return entry
        return {"question": problem.question, "answer": problem.answer, "metadata": written}

    def _verified(self, problem: Problem, entry: Entry, answer: str) -> float:
        name = str(problem.metadata.get("source_dataset", ""))
        verifier = self._verifier(name)
        if verifier is None or not may_verify(name, answer, problem.answer):
            return 0.0
        try:
            score = float(verifier.score_answer(answer, entry))
        except Exception:
            # The verifiers were written for well-formed answers; one that stumbles over a model's text has judged it.
            return 0.0
        return min(1.0, max(0.0, score)) if score == score else 0.0

    def _verifier(self, name: str) -> Any:
        if name not in self._verifiers:
            named = [generator for generator in self.generators if generator.name == name]
            self._verifiers[name] = named[0].make(seed=0, size=1) if named else None
        return self._verifiers[name]

    @cached_property
    def _drawn(self) -> tuple[dict[Split, tuple[Problem, ...]], dict[str, Entry]]:
        """Draw everything: the problems by split, and the generators' own entries by problem id.

        The entries are kept because JSON turns their tuples into lists, which some verifiers do not take.
        """
        taken: set[str] = set()
        entries: dict[str, Entry] = {}
        problems: dict[Split, tuple[Problem, ...]] = {}
        for split in _ORDER:
            if split in self.sizes:
                drawn = self._draw(split, taken)
                entries.update({problem.id: entry for problem, entry in drawn})
                problems[split] = tuple(problem for problem, _ in drawn)
        return {split: problems[split] for split in Split if split in problems}, entries

    def _draw(self, split: Split, taken: set[str]) -> list[tuple[Problem, Entry]]:
        """Draw a split, each generator its share, in a seeded order; `taken` grows by the questions."""
        drawn: list[tuple[Problem, Entry]] = []
        shares = apportion(self.sizes[split], [generator.weight for generator in self.generators])
        for place, (generator, share) in enumerate(zip(self.generators, shares, strict=True)):
            # Generators seed each entry with seed + index: seeds must lie far apart, or the splits overlap.
            seed = int(content_hash(self.seed, split.value, place, length=7), 16)
            fresh = list(self._distinct(generator, seed, share, taken))
            if len(fresh) < share:
                raise InputError(
                    f"reasoning_gym: {generator.name}: split {split.value!r} wants {share} problems, but only "
                    f"{len(fresh)} distinct questions are left; ask for fewer in sizes or widen params"
                )
            drawn += fresh
        if len(self.generators) > 1:
            random.Random(f"{self.seed} {split.value}").shuffle(drawn)
        return drawn

    def _distinct(
        self, generator: Generator, seed: int, share: int, taken: set[str]
    ) -> Iterator[tuple[Problem, Entry]]:
        if share == 0:
            return
        for entry in generator.draw(seed, min(_MOST, 20 * share + 1000)):
            question = str(entry["question"]).strip()
            if question not in taken:
                taken.add(question)
                yield self._problem(generator, entry, question), entry
                share -= 1
            if share == 0:
                return

    def _problem(self, generator: Generator, entry: Entry, question: str, **more: int) -> Problem:
        metadata = json.loads(json.dumps({"source_dataset": generator.name, **entry["metadata"], **more}, default=str))
        skills = skills_of(metadata["expression"]) if generator.name in _ARITHMETIC else ()
        if not skills or len(self.generators) > 1:
            skills = (generator.name, *skills)
        return Problem(
            question=question,
            answer=entry["answer"],
            skills=skills,
            reference=_rationale(metadata, entry["answer"]),
            metadata=metadata,
        )


def _rationale(metadata: Mapping[str, Any], answer: str) -> str | None:
    """Return the generator's own rationale, its `#### 18` rewritten in the form that is graded."""
    text = next((metadata[key] for key in _RATIONALES if isinstance(metadata.get(key), str)), "")
    body = text.split("####", 1)[0].strip()
    return f"{body}\nAnswer: {answer}" if body else None


def _generators(dataset: str | list[dict[str, Any]], params: dict[str, Any]) -> tuple[Generator, ...]:
    if isinstance(dataset, str):
        return (Generator(name=dataset, params=params),)
    if params:
        raise InputError("reasoning_gym: params: goes with a single dataset; in a mixture each entry has its own")
    if not dataset:
        raise InputError("reasoning_gym: dataset: is an empty list; name at least one dataset")
    found = []
    for place, part in enumerate(dataset):
        try:
            found.append(Generator.model_validate(part))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, ("dataset", place, *first["loc"])))
            raise InputError(f"reasoning_gym: {where}: {first['msg']}; give name, params and weight") from error
    return tuple(found)


def _checked_sizes(sizes: Mapping[Split, int]) -> dict[Split, int]:
    if not sizes:
        raise InputError("reasoning_gym: sizes: is empty; say how many problems each split gets")
    for split, size in sizes.items():
        if split not in set(Split):
            raise InputError(f"reasoning_gym: sizes: unknown split {split!r}; known: {', '.join(Split)}")
        if not 1 <= size <= _MOST:
            raise InputError(f"reasoning_gym: sizes.{split}: {size} is not between 1 and {_MOST}")
    return {Split(split): size for split, size in sizes.items()}
