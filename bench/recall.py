"""How often the memory finds the right past error: recall@5 over planted errors of known kinds.

    python bench/recall.py --out bench/results/recall.json
    python bench/recall.py --embedder minilm --out bench/results/recall_minilm.json

The memory holds, of each kind, `--remembered` errors, and `--slips` errors that follow no rule, all of the same
generators. A query is an error of one of the kinds at another problem, worded and written otherwise. Two figures, both
recall@5:

- any: is an error of the query's kind among the five most relevant? Counted for the vectors alone, the terms alone and
  mixtures, and, as run, for what `ErrorMemory.recall` itself returns.
- strict: of the errors of its kind one alone is left, among all those of the other kinds and the slips. Is this one
  among the five most relevant?

Said is which mixture is best by the strict figure on one half of the queries, the development half; the other half is
for reporting.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from made_on import made_on
from mistakes import Mistake, Worked, kinds
from planted import ask, attempt_at, slip, write

from tutelage.config import MemoryConfig
from tutelage.memory import ErrorMemory
from tutelage.memory.description import describe_entry, describe_query
from tutelage.memory.lexical import LexicalIndex
from tutelage.memory.search import DENSE
from tutelage.plugins import Plugin, build
from tutelage.schema import Attempt, Problem
from tutelage.seams import Embedder
from tutelage.tasks.reasoning_gym import ReasoningGymTask

PARAMS: dict[str, dict[str, Any]] = {
    "chain_sum": {"min_terms": 2, "max_terms": 4, "min_digits": 2, "max_digits": 3},
    "decimal_chain_sum": {"min_terms": 2, "max_terms": 4},
    "products": {"min_digits": 2, "max_digits": 3},
    "basic_arithmetic": {"min_terms": 3, "max_terms": 4, "min_digits": 1, "max_digits": 2},
    "fraction_simplification": {"styles": ["plain"]},
    "leg_counting": {"max_animals": 5},
}
SHARES = [round(0.1 * share, 1) for share in range(11)]
BEST = 5


class Planted(NamedTuple):
    """An error of a known kind."""

    kind: str
    problem: Problem
    attempt: Attempt
    dress: tuple[int, int]
    """Its wording and phrasing."""


class Maker:
    """Draws problems and plants errors in them."""

    def __init__(self, seed: int, problems: int) -> None:
        self.rng = random.Random(seed)
        self.kinds: dict[str, dict[str, Mistake]] = defaultdict(dict)
        for generator, name, mistake in kinds():
            self.kinds[generator][name] = mistake
        mixture = [{"name": name, "params": PARAMS.get(name, {})} for name in self.kinds]
        self.task = ReasoningGymTask(
            mixture, {"train": problems * len(mixture), "probe": problems * len(mixture)}, seed
        )
        self.drawn: dict[str, dict[str, list[Problem]]] = {}
        for split, some in self.task.splits().items():
            self.drawn[split.value] = {name: [p for p in some if p.skills[0] == name] for name in self.kinds}

    def plant(
        self, generator: str, name: str, split: str, wanted: int, dresses: list[tuple[int, int]]
    ) -> list[Planted]:
        """Plant a kind's errors in so many problems of a split, dressed in turn."""
        found: list[Planted] = []
        some = self.drawn[split][generator]
        for problem in self.rng.sample(some, len(some)):
            if len(found) == wanted:
                break
            worked = self.kinds[generator][name](problem.metadata, self.rng)
            one = worked and self.dressed(f"{generator}: {name}", problem, worked, dresses[len(found) % len(dresses)])
            if one:
                found.append(one)
        if len(found) < wanted:
            raise SystemExit(f"{generator}: {name}: only {len(found)} of {wanted} in {len(some)} problems")
        return found

    def slips(self, wanted: int) -> list[Planted]:
        """Make errors that follow no rule, nor look as if they did; the same number for each generator."""
        found: list[Planted] = []
        for generator, mistakes in self.kinds.items():
            known = len(found)
            while len(found) < known + wanted // len(self.kinds):
                problem = self.rng.choice(self.drawn["train"][generator])
                worked = slip(problem, self.rng)
                rules = (mistake(problem.metadata, self.rng) for mistake in mistakes.values())
                if worked is None or worked.answer in {rule.answer for rule in rules if rule}:
                    continue
                one = self.dressed(f"{generator}: slip", problem, worked, self.dress())
                found += [one] if one else []
        return found

    def dress(self) -> tuple[int, int]:
        """Draw a wording and a phrasing."""
        return self.rng.randrange(4), self.rng.randrange(4)

    def dressed(self, kind: str, problem: Problem, worked: Worked, dress: tuple[int, int]) -> Planted | None:
        """Word the question and write the solution."""
        asked = ask(problem, dress[0])
        attempt = attempt_at(self.task, problem, asked, write(worked, dress[1]), f"{kind} {asked.id}")
        return Planted(kind, asked, attempt, dress) if attempt else None

    def labelled(self, remembered: int, queries: int) -> tuple[list[Planted], list[Planted]]:
        """Return the errors to remember and the queries; the n-th query of a kind is dressed unlike the n-th error."""
        past, asked = [], []
        for generator, mistakes in self.kinds.items():
            for name in mistakes:
                dresses = [self.dress() for _ in range(remembered)]
                other = [((w + self.rng.randint(1, 3)) % 4, (p + self.rng.randint(1, 3)) % 4) for w, p in dresses]
                past += self.plant(generator, name, "train", remembered, dresses)
                asked += self.plant(generator, name, "probe", queries, other)
        return past, asked


def ranks(scores: np.ndarray, past: list[str], query: Planted, number: int) -> tuple[int, int]:
    """Return the rank of the best error of the query's kind, and that of one of them if the others were not there."""
    same = np.array([kind == query.kind for kind in past])
    rows = np.flatnonzero(same)
    others = scores[~same]
    best, alone = scores[rows].max(), scores[rows[number % len(rows)]]
    return int((others >= best).sum()) + 1, int((others >= alone).sum()) + 1


def ranked(
    asked: list[Planted], past: list[Planted], memory: ErrorMemory, embedder: Embedder
) -> dict[str, list[tuple[int, int]]]:
    """Return `ranks` for each query: by the bare texts, and for each share of the vectors."""
    entries = list(memory.journal.errors.values())
    described = [describe_entry(entry) for entry in entries]
    sought = [describe_query(one.problem, None, None, one.attempt) for one in asked]
    cosine = cosines(embedder, [one.text for one in sought], [one.text for one in described])
    bare = cosines(
        embedder,
        [f"{one.problem.question}\n{one.attempt.text}" for one in asked],
        [f"{entry.question}\n{entry.attempt}" for entry in entries],
    )
    lexical = LexicalIndex()
    lexical.add(one.terms for one in described)
    known = [one.kind for one in past]
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for at, query in enumerate(asked):
        number = sum(one.kind == query.kind for one in asked[:at])
        terms = lexical.scores(sought[at].terms)
        found["question and attempt, vectors alone"].append(ranks(bare[at], known, query, number))
        for share in SHARES:
            mixed = share * cosine[at] + (1 - share) * terms
            found[f"{share}"].append(ranks(mixed, known, query, number))
    return found


def cosines(embedder: Embedder, some: list[str], others: list[str]) -> np.ndarray:
    """Return the cosine similarity of every two texts, [some, others]."""
    return np.array(embedder.embed(some)) @ np.array(embedder.embed(others)).T


def as_run(asked: list[Planted], kind_of: dict[str, str], memory: ErrorMemory) -> dict[str, Any]:
    """Return recall@5 and precision@5 of what `recall` gives."""
    hits, right, shown = [], 0, 0
    for query in asked:
        found = [kind_of[one.id] for one in memory.recall(query.problem, None, None, BEST, attempt=query.attempt)]
        hits.append(query.kind in found)
        right += found.count(query.kind)
        shown += len(found)
    return {"recall_at_5": round(sum(hits) / len(hits), 4), "precision_at_5": round(right / shown, 4)}


def recall_at(found: list[tuple[int, int]], which: list[int]) -> dict[str, float]:
    """Return the shares of queries whose error is among the first five."""
    within = np.array([found[at] for at in which]) <= BEST
    return {name: round(float(share), 4) for name, share in zip(("any", "strict"), within.mean(0), strict=True)}


def measure(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    maker = Maker(given.seed, given.problems)
    labelled, asked = maker.labelled(given.remembered, given.queries)
    past = labelled + maker.slips(given.slips)
    embedder: Embedder = build("embedders", Plugin(name=given.embedder))
    with ErrorMemory(folder, embedder) as memory:
        ids = memory.record_errors([(one.problem, one.attempt, None) for one in past])
        kind_of = dict(zip(ids, (one.kind for one in past), strict=True))
        past = list({name: one for name, one in zip(ids, past, strict=True)}.values())
        found = ranked(asked, past, memory, embedder)
        half = {"development": list(range(0, len(asked), 2)), "test": list(range(1, len(asked), 2))}
        table = {name: {part: recall_at(some, at) for part, at in half.items()} for name, some in found.items()}
        chosen = max(SHARES, key=lambda share: (table[f"{share}"]["development"]["strict"], share))
        run = None if given.no_run else as_run([asked[at] for at in half["test"]], kind_of, memory)
    by_kind: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for at in half["development"]:  # the test half's kinds stay unseen
        one, alone = found[f"{DENSE}"][at]
        by_kind[asked[at].kind].append((one <= BEST, alone <= BEST))
    return {
        "kinds": len({one.kind for one in asked}),
        "queries": {part: len(at) for part, at in half.items()},
        "remembered": len(past),
        "recall_at_5_by_share_of_vectors": table,
        "share_best_on_development": chosen,
        "share_in_use": DENSE,
        "as_run_test": run,
        "by_kind_development [any, strict]": {
            k: np.mean(some, 0).round(2).tolist() for k, some in sorted(by_kind.items())
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="0 was looked at while the relations were written")
    parser.add_argument("--remembered", type=int, default=10, help="errors of each kind in the memory")
    parser.add_argument("--queries", type=int, default=24, help="queries of each kind, half of them for the choice")
    parser.add_argument("--slips", type=int, default=3000, help="errors without a rule in the memory")
    parser.add_argument("--problems", type=int, default=600, help="problems of each generator in each half")
    parser.add_argument("--embedder", default=MemoryConfig().embedder.name)
    parser.add_argument("--no-run", action="store_true", help="leave out what needs the index")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(given, Path(folder))
    report = {
        "command": f"python bench/recall.py --seed {given.seed} --remembered {given.remembered} --queries "
        f"{given.queries} --slips {given.slips} --embedder {given.embedder}",
        **made_on(("tutelage", "torch", "chromadb", "reasoning-gym")),
        "seconds": round(time.perf_counter() - began),
        **result,
    }
    print(json.dumps(report, indent=1))
    if given.out:
        given.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
