"""How long one recall takes with 100,000 errors in the memory: the whole `ErrorMemory.recall`, in milliseconds.

    python bench/recall_latency.py --folder runs/recall-latency --out bench/results/recall_latency.json

The errors are wrong sums, differences and products by thirty rules, a tenth of them taught for, half of those with
success. Putting 100,000 through MiniLM takes half an hour, so the index holds vectors that are cheap to make: one
direction for each rule and a random part, as far from one another as MiniLM's are. The time that MiniLM takes for the
query's text is measured by embedding it in earnest and is part of the figures `with MiniLM`. The folder is kept and
read again; building it takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import time
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tutelage.agents.checker.steps import find_wrong_step
from tutelage.arithmetic import skills_of
from tutelage.memory import ErrorMemory, OutcomeEntry
from tutelage.memory.embedder import MiniLMEmbedder
from tutelage.schema import Attempt, Problem, Split

SIZE = 384
BATCH = 5000
STUDENTS = ("base", "checkpoints/cycle-001", "checkpoints/cycle-002", "checkpoints/cycle-003")


class CheapEmbedder:
    """Vectors that are near one another for texts of one rule; a query's text goes through MiniLM too, for its time."""

    name = "cheap"

    def __init__(self, precision: str) -> None:
        self.minilm: MiniLMEmbedder | None = MiniLMEmbedder(precision=precision)  # type: ignore[arg-type]

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return vectors that are cheap to make."""
        if len(texts) == 1 and self.minilm is not None:
            self.minilm.embed(texts)
        made = np.array([0.8 * _direction(text.partition("\nWhat")[0]) + 0.6 * _direction(text) for text in texts])
        return [list(map(float, row)) for row in made / np.linalg.norm(made, axis=1, keepdims=True)]


def _direction(text: str) -> np.ndarray:
    seed = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
    vector = np.random.default_rng(seed).standard_normal(SIZE)
    return vector / np.linalg.norm(vector)


def error(rng: random.Random, number: int) -> tuple[Problem, Attempt, None]:
    a, b, op = rng.randint(10, 999), rng.randint(10, 999), rng.choice("+-*")
    right = {"+": a + b, "-": a - b, "*": a * b}[op]
    wrong = right + rng.choice((1, -1)) * rng.choice((1, 2, 10, 11, 20, 100, 3, 90, 7, 30))
    problem = Problem(id=f"p{number}", question=f"What is {a} {op} {b}?", answer=str(right), skills=_skills(a, op, b))
    text = f"{a} {op} {b} = {wrong}\nAnswer: {wrong}"
    attempt = Attempt(
        id=f"a{number}",
        problem_id=problem.id,
        split=Split.TRAIN,
        cycle=number % 4,
        student=STUDENTS[number % 4],
        text=text,
        answer=str(wrong),
        score=0,
        correct=False,
        logprob=0,
        tokens=9,
        finish_reason="stop",
        wrong_step=find_wrong_step(problem.question, text),
    )
    return problem, attempt, None


def _skills(a: int, op: str, b: int) -> tuple[str, ...]:
    return ("chain_sum", *skills_of(f"{a} {op} {b}"))


def fill(memory: ErrorMemory, entries: int) -> None:
    rng = random.Random(0)
    for start in range(0, entries, BATCH):
        ids = memory.record_errors([error(rng, start + at) for at in range(min(BATCH, entries - start))])
        memory.record_outcomes(_outcomes(ids, rng))
        memory.sync()
        print(f"{start + len(ids)} errors", flush=True)


def _outcomes(ids: Sequence[str], rng: random.Random) -> Iterator[OutcomeEntry]:
    ways = ("Take the tens first: {} tens. Then the ones.", "Write {} under the other. Begin on the right.")
    for one in ids[::10]:
        taught = rng.choice(ways).format(rng.randint(2, 99))
        yield OutcomeEntry(error_id=one, rationale_id=one, taught=taught, fixed=rng.random() < 0.5, cycle=1)


def timed(memory: ErrorMemory, queries: int, **scope: Any) -> dict[str, float]:
    """Return wall and CPU milliseconds of recalls, each of another error."""
    rng, walls, cpus = random.Random(1), [], []
    for number in range(queries + 10):
        problem, attempt, _ = error(rng, 10**6 + number)
        wall, cpu = time.perf_counter(), time.process_time()
        memory.recall(problem, None, None, 2, exclude_problem=True, attempt=attempt, **scope)
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    walls, cpus = walls[10:], cpus[10:]  # the first ones load what is loaded late
    return {
        name: round(float(np.percentile(some, part)), 2)
        for some, kind in ((walls, "wall"), (cpus, "cpu"))
        for part, name in ((50, f"p50_{kind}_ms"), (95, f"p95_{kind}_ms"))
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--folder", type=Path, default=Path("runs/recall-latency"))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    embedder = CheapEmbedder(given.precision)
    began = time.perf_counter()
    with ErrorMemory(given.folder, embedder, capacity=2 * given.entries) as memory:
        if len(memory.journal.errors) < given.entries:
            fill(memory, given.entries)
        memory.sync()
        ready = time.perf_counter() - began
        figures = {}
        for name in ("with MiniLM", "search alone"):
            figures[name] = timed(memory, given.queries)
            figures[f"{name}, filtered"] = timed(memory, given.queries, before_cycle=3, students=STUDENTS[:3])
            embedder.minilm = None
    report = {
        "command": f"python bench/recall_latency.py --entries {given.entries} --threads {given.threads} "
        f"--precision {given.precision}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, no GPU",
        "versions": {name: version(name) for name in ("tutelage", "torch", "chromadb")},
        "seconds_to_open_or_build": round(ready, 1),
        **figures,
    }
    print(json.dumps(report, indent=1))
    if given.out:
        given.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
