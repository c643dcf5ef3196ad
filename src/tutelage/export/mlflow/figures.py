"""A run as MLflow's parameters and metrics, within the lengths and characters that MLflow allows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ...errors import encodable, harmless
from ...hashing import content_hash

LONGEST_KEY = 250
LONGEST_VALUE = 6000
"""Characters of a parameter; MLflow cuts or refuses what is longer."""

MOST_PARAMETERS = 1000
"""Of a configuration; the artifact `config.yaml` has them all."""

_MOST_SKILLS = 50
"""Skills whose mastery is drawn; of more, nobody reads the curves."""

_FOREIGN = re.compile(r"[^A-Za-z0-9_\-. /]")
"""Characters that the name of a metric or parameter may not have in some store."""


class Figure(NamedTuple):
    """One metric at one cycle."""

    key: str
    value: float
    cycle: int


def parameters(config: Mapping[str, Any]) -> dict[str, str]:
    """Return a configuration as MLflow's parameters: `stop.cycles` and so on, each a text."""
    pairs = list(_leaves(config, ()))[:MOST_PARAMETERS]
    return {plain_key(path, "."): _cut(value if isinstance(value, str) else _json(value)) for path, value in pairs}


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield what is no section, with its place; a list of plain values stays one."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, (*path, str(name)))
    elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*path, str(number)))
    else:
        yield path, value


def figures(summary: Mapping[str, Any]) -> Iterator[Figure]:
    """Yield the figures of a run's summary, named by their place in `tutelage show --json`.

    The stages of a cycle are numbered from 1 (`training/1-sft/loss`). A cycle's seconds are final, and summed, when the
    next one has begun or the run has ended.
    """
    cycles = summary["cycles"]
    for row in cycles:
        ended = row is not cycles[-1] or summary["status"] == "finished"
        for path, value in _of_cycle(row, ended):
            yield Figure(plain_key(path, "/"), value, row["cycle"])
    best = summary["student"].get("best_cycle") or 0
    for name, cycle in (("base", 0), ("best", best)):
        if summary["test"].get(name) is not None:
            yield Figure(f"test/{name}", float(summary["test"][name]), cycle)
            if cycle:  # the base student's is in the report of its exam
                yield Figure("accuracy/test", float(summary["test"][name]), cycle)
    for path, value in _numbers(summary.get("measures", {}), ("measures",)):
        yield Figure(plain_key(path, "/"), value, best)


def _of_cycle(row: Mapping[str, Any], ended: bool) -> Iterator[tuple[tuple[str, ...], float]]:
    for part in ("accuracy", "n", "lessons", "agreement", "cost", "seconds"):
        yield from _numbers(row.get(part), (part,))
    for number, stage in enumerate(row["training"], 1):
        yield from _numbers(stage, ("training", f"{number}-{stage['stage']}"), leave="schema")
    if ended and row["seconds"]:
        yield ("seconds", "all"), float(sum(row["seconds"].values()))
    yield ("weaknesses",), float(len(row["weaknesses"]))
    yield ("accepted",), float(row["verdict"] == "accepted")
    if len(row["mastery"]) <= _MOST_SKILLS:
        for one in row["mastery"]:
            yield ("mastery", one["skill"]), float(one["mean"])


def _numbers(value: Any, path: tuple[str, ...], leave: str = "") -> Iterator[tuple[tuple[str, ...], float]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name != leave:
                yield from _numbers(inner, (*path, str(name)))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, float(value)


def plain_key(path: tuple[str, ...], sign: str) -> str:
    """Return a name that MLflow and a file system take.

    One that had to be changed ends with a hash, so that it is nobody else's.
    """
    whole = sign.join(path)
    plain = sign.join(_FOREIGN.sub("_", part.replace("/", "_").strip(". ")) or "_" for part in path)
    if plain == whole and len(whole) <= LONGEST_KEY:
        return plain
    mark = "-" + content_hash(encodable(whole), length=8)
    return plain[: LONGEST_KEY - len(mark)] + mark


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, default=str)


def _cut(text: str) -> str:
    text = harmless(text)
    if len(text) <= LONGEST_VALUE:
        return text
    told = f"... ({len(text)} characters; the whole is in config.yaml)"
    return text[: LONGEST_VALUE - len(told)] + told
