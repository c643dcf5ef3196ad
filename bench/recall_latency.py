"""How long one recall takes with 100,000 errors in the memory: the whole `ErrorMemory.recall`, in milliseconds.

    python bench/recall_latency.py --folder runs/recall-latency --out bench/results/recall_latency.json

The errors are wrong sums, differences and products by thirty rules, a tenth of them taught for, half of those with
success. Each query is of another error, none of which is in the memory; its text is embedded anew. Also measured: how
long the embedding alone takes, and how many of the 32 nearest by an exact search the graph finds. The folder is kept
and read again; building it takes some minutes (with `--embedder minilm` more than half an hour).
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from made_on import made_on

from tutelage.agents.steps import find_wrong_step
from tutelage.arithmetic import skills_of
from tutelage.config import MemoryConfig
from tutelage.memory import ErrorMemory, OutcomeEntry
from tutelage.memory.description import describe_query
from tutelage.plugins import Plugin, build
from tutelage.schema import Attempt, Problem, Split
from tutelage.seams import Embedder

BATCH = 5000
NEAREST = 32
STUDENTS = ("base", "checkpoints/cycle-001", "checkpoints/cycle-002", "checkpoints/cycle-003")


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


def sought(queries: int) -> list[tuple[Problem, Attempt, None]]:
    """Return errors that the memory does not hold; the first ten load what is loaded late and are not counted."""
    rng = random.Random(1)
    return [error(rng, 10**6 + number) for number in range(queries + 10)]


def found_of_nearest(memory: ErrorMemory, queries: int) -> dict[str, float]:
    """Return which share of the 32 nearest the graph finds, on the mean and for the worst query; equal ones count."""
    events, errors = memory.journal.events, memory.journal.errors
    ids = list(errors)
    rows = {name: row for row, name in enumerate(ids)}
    vectors = memory.index.vectors_of(ids, events, errors)
    shares = []
    for problem, attempt, _ in sought(queries):
        vector = memory.index.vector(describe_query(problem, None, None, attempt).text)
        similarity = vectors @ np.array(vector, np.float32)
        bar = np.partition(similarity, -NEAREST)[-NEAREST] - 1e-6
        hits = memory.index.nearest(vector, NEAREST, events, errors)
        shares.append(np.mean([similarity[rows[hit.id]] >= bar for hit in hits]))
    return {"mean": round(float(np.mean(shares)), 4), "worst": round(float(np.min(shares)), 4)}


def embedding(embedder: Embedder, queries: int) -> float:
    """Return the median milliseconds that one query's text takes to embed."""
    walls = []
    for problem, attempt, _ in sought(queries):
        text = describe_query(problem, None, None, attempt).text
        began = time.perf_counter()
        embedder.embed([text])
        walls.append((time.perf_counter() - began) * 1000)
    return round(float(np.median(walls)), 3)


def timed(memory: ErrorMemory, queries: int, **scope: Any) -> dict[str, float]:
    """Return wall and CPU milliseconds of recalls, each of another error."""
    walls, cpus = [], []
    for problem, attempt, _ in sought(queries):
        wall, cpu = time.perf_counter(), time.process_time()
        memory.recall(problem, None, None, 2, exclude_problem=True, attempt=attempt, **scope)
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    walls, cpus = walls[10:], cpus[10:]
    return {
        name: round(float(np.percentile(some, part)), 2)
        for some, kind in ((walls, "wall"), (cpus, "cpu"))
        for part, name in ((50, f"p50_{kind}_ms"), (95, f"p95_{kind}_ms"))
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--embedder", default=MemoryConfig().embedder.name)
    parser.add_argument("--folder", type=Path, default=Path("runs/recall-latency"))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    embedder: Embedder = build("embedders", Plugin(name=given.embedder))
    with ErrorMemory(given.folder, embedder, capacity=2 * given.entries) as memory:
        if len(memory.journal.errors) < given.entries:
            fill(memory, given.entries)
        memory.sync()
    began = time.perf_counter()
    with ErrorMemory(given.folder, embedder, capacity=2 * given.entries) as memory:
        memory.sync()
        opened = time.perf_counter() - began
        figures = {
            "all": timed(memory, given.queries),
            "filtered": timed(memory, given.queries, before_cycle=3, students=STUDENTS[:3]),
            "embedding_p50_ms": embedding(embedder, given.queries),
            f"found_of_{NEAREST}_nearest": found_of_nearest(memory, given.queries),
        }
    report = {
        "command": f"python bench/recall_latency.py --entries {given.entries} --queries {given.queries} "
        f"--embedder {given.embedder}",
        **made_on(("tutelage", "numpy", "chromadb")),
        "seconds_to_open": round(opened, 1),
        **figures,
    }
    print(json.dumps(report, indent=1))
    if given.out:
        given.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
