"""Knowledge editing: facts that a student is taught, and questions that show what became of everything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Literal

from ..answers import normalise
from ..errors import InputError
from ..hashing import content_hash
from ..schema import Grade, Problem, Split
from .editing.counterfactual import counterfactual_facts
from .editing.fact import TRUTH_UNKNOWN, Fact, Kind
from .editing.fictional import fictional_facts
from .editing.files import FactFile, FactFormat, read_facts
from .editing.measures import grade_fact, measure
from .editing.problems import edit_of, hops_of, paraphrases_of, unrelated_to

INSTRUCTION: Final = "Answer in one short sentence. Then write 'Answer:' and the answer alone."
"""The system message where no other is given."""
GENERATED: Final = 200
"""Facts that are generated where no number is given."""
FEWEST: Final = 3
"""Facts, so that probe, gate and test have one each."""
ASKED_BEFORE: Final = "question of another fact"
"""Why a question is left out; so is the next."""
OTHER_FACT: Final = "multi-hop question over a fact that is not taught"


class FactsTask:
    """Facts to teach, from a generator or a file, with paraphrases, unrelated and multi-hop questions.

    Args:
        path: A file of facts: our own JSON Lines, ZsRE, CounterFact or EasyEdit; see docs/editing.md. Without it facts
            are generated.
        format: What the file holds; `auto` tells by its fields.
        generate: Without a file: `fictional` facts of an invented world, or `counterfactual` ones of the real world.
        n: How many facts: 200 if they are generated, all of a file, from its start.
        unrelated: Unrelated questions a fact at most.
        probe: Share of the facts whose paraphrases are the probe split.
        gate: Share of the facts whose paraphrases are the gate split, with their unrelated questions as far as these
            have a true answer.
        seed: Another seed generates other facts and deals them otherwise.
        instruction: The system message of exam and lessons.
    """

    def __init__(
        self,
        path: str | None = None,
        format: FactFormat = "auto",
        generate: Literal["fictional", "counterfactual"] = "fictional",
        n: int | None = None,
        unrelated: int = 2,
        probe: float = 0.15,
        gate: float = 0.15,
        seed: int = 0,
        instruction: str | None = INSTRUCTION,
    ) -> None:
        if unrelated < 0:
            raise InputError(f"task: unrelated: {unrelated} is less than 0")
        if n is not None and n < FEWEST:
            raise InputError(f"task: n: {n} facts cannot fill probe, gate and test; use at least {FEWEST}")
        if not (probe > 0 and gate > 0 and probe + gate < 1):
            raise InputError(f"task: probe: {probe:g} and gate: {gate:g} leave no test; use shares such as 0.15")
        self.instruction = instruction
        self.seed = seed
        self._source = (path, format, generate, n)
        self._unrelated, self._shares = unrelated, (probe, gate)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts, in the order in which they are edited in."""
        return self._read.facts

    @property
    def left_out(self) -> Mapping[str, int]:
        """How many entries of the file, and how many questions, were passed over, by reason."""
        return {**self._read.left_out, **self._dealt[1]}

    def splits(self) -> Mapping[Split, Sequence[Problem]]:
        """Return the edits as train split, and the questions about them in the others.

        Raises:
            InputError: If the file cannot be read, or there are too few facts.
        """
        return self._dealt[0]

    def grade(self, problem: Problem, text: str) -> Grade:
        """Compare the final answer with the gold one, without case, punctuation and articles; see `stated`."""
        return grade_fact(problem, text)

    def measures(self, before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, Any]:
        """Return reliability, generalisation, locality and portability before and after; see `tutelage.seams.Task`."""
        asked = [problem for split in (Split.TRAIN, Split.TEST) for problem in self.splits().get(split, ())]
        said = {"before": before, "after": after}
        return {when: measure(asked, before, texts).model_dump(mode="json") for when, texts in said.items()}

    @cached_property
    def _read(self) -> FactFile:
        path, format, generate, n = self._source
        if path is not None:
            return read_facts(path, format, n)
        make = fictional_facts if generate == "fictional" else counterfactual_facts
        return FactFile(make(n or GENERATED, self.seed, self._unrelated), {})

    @cached_property
    def _dealt(self) -> tuple[dict[Split, tuple[Problem, ...]], dict[str, int]]:
        """Deal the facts' questions; one that has been asked already is left out and counted."""
        if len(self.facts) < FEWEST:
            raise InputError(f"task: {len(self.facts)} facts cannot fill probe, gate and test; give at least {FEWEST}")
        edits = tuple(map(edit_of, self.facts))
        taken = {normalise(problem.question) for problem in edits}
        taught = {None, *(fact.id for fact in self.facts)}
        places = dict(zip((fact.id for fact in self.facts), self._places(), strict=True))
        dealt: dict[Split, list[Problem]] = {Split.PROBE: [], Split.GATE: [], Split.TEST: []}
        left_out = Counter[str]()
        for problem, needs in self._questions():
            asked = normalise(problem.question)
            if asked in taken or needs not in taught:
                left_out[OTHER_FACT if needs not in taught else ASKED_BEFORE] += 1
                continue
            taken.add(asked)
            dealt[_split_of(problem, places[problem.metadata["fact"]])].append(problem)
        order = {fact.id: place for place, fact in enumerate(self.facts)}
        for some in dealt.values():  # fact by fact, so that the first n are of all kinds
            some.sort(key=lambda problem: order[problem.metadata["fact"]])
        return {Split.TRAIN: edits, **{split: tuple(some) for split, some in dealt.items()}}, dict(left_out)

    def _questions(self) -> Iterator[tuple[Problem, str | None]]:
        """Yield all questions but the edits, each with the id of another fact that it takes, if it takes one.

        What must not be lost to a repetition comes first.
        """
        for fact in self.facts:
            yield from ((problem, None) for problem in paraphrases_of(fact))
        for fact in self.facts:
            yield from hops_of(fact)
        for fact in self.facts:
            yield from ((problem, None) for problem in unrelated_to(fact, self._unrelated))

    def _places(self) -> Iterable[Split]:
        """Return for each fact which split its questions may go to."""
        ids = [fact.id for fact in self.facts]
        probe, gate = (max(1, int(share * len(ids))) for share in self._shares)
        able = [fact.id for fact in self.facts if fact.paraphrases]
        drawn = sorted(able, key=lambda id: content_hash(self.seed, id))
        chosen = {id: Split.PROBE for id in drawn[:probe]} | {id: Split.GATE for id in drawn[probe : probe + gate]}
        return [chosen.get(id, Split.TEST) for id in ids]


def _split_of(problem: Problem, place: Split) -> Split:
    """Return the split of a question, given that of its fact.

    The gate has no question without a true answer, on which nobody can be right; teachers see paraphrases alone.
    """
    paraphrase = problem.metadata["kind"] == Kind.PARAPHRASE
    unrelated = problem.metadata["kind"] == Kind.UNRELATED and problem.answer != TRUTH_UNKNOWN
    fits = paraphrase or (place is Split.GATE and unrelated)
    return place if fits else Split.TEST
