"""Several runs side by side: what was set otherwise, what each reached, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import isfinite
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

from ..blacking import blacked
from ..errors import InputError
from ..hashing import content_hash
from ..rundir import RunDir
from ..schema import BASE, SCHEMA_VERSION, Split
from .pairs import Arm, Finished, pairs
from .summary import summarise

_NOT_THE_METHOD = ("name", "seed")
"""What runs of one arm differ in."""


class Run(NamedTuple):
    """A run that is compared."""

    label: str
    rundir: RunDir
    summary: dict[str, Any]
    settings: dict[str, Any]
    """Its configuration, each value by its path."""
    shown: dict[str, tuple[str, Any]]
    """By the same paths, path and value as others may see them: secrets are blacked out."""


def compare(paths: Sequence[Path]) -> dict[str, Any]:
    """Return runs side by side, as `tutelage compare --json` prints them.

    Raises:
        InputError: If there are fewer than two, or one is no run directory.
    """
    paths = list({path.resolve(): path for path in reversed(paths)}.values())[::-1]  # each folder once
    if len(paths) < 2:
        raise InputError("compare: give two or more different run directories")
    runs = [_read(label, path) for label, path in zip(_labels(paths), paths, strict=True)]
    found = arms(runs)
    return {
        "schema": SCHEMA_VERSION,
        "runs": [_row(run) for run in runs],
        "differences": differences(runs),
        "arms": [_arm_row(arm) for arm in found],
        "pairs": pairs([_tested(arm) for arm in found]),
    }


def _labels(paths: Sequence[Path]) -> list[str]:
    """Name runs by their folders, or where two have one name by their paths."""
    names = [path.resolve().name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def _read(label: str, path: Path) -> Run:
    rundir = RunDir.open(path)
    settings = rundir.settings()
    plain, seen = _flat(settings), _flat(blacked(settings))
    shown = {path: one for (path, _), one in zip(plain, seen, strict=True)}
    return Run(label, rundir, summarise(rundir), dict(plain), shown)


def _flat(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Return the values of a configuration by their paths, as `--set` writes them."""
    if isinstance(value, Mapping) and value:
        items = value.items()
    elif isinstance(value, list) and value:
        items = dict(enumerate(value)).items()
    else:
        return [(path, value if path == "name" else _plain(value))]
    return [found for key, one in items for found in _flat(one, f"{path}.{key}" if path else str(key))]


def _plain(value: Any) -> Any:
    """Return a value as it is meant: YAML takes 5e-4, which is a number to everybody else, for a text.

    What is not finite is a text: NaN is not even the same as itself, and JSON has neither.
    """
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        return value
    return str(value) if isinstance(number, float) and not isfinite(number) else number


def _row(run: Run) -> dict[str, Any]:
    """Return what a run reached and what it took."""
    cycles, test, best_cycle = run.summary["cycles"], run.summary["test"], run.summary["student"]["best_cycle"]
    cost = run.summary["cost"]
    training = [stage for cycle in cycles for stage in cycle["training"]]
    return {
        "run": run.label,
        "status": run.summary["status"],
        "test": test,
        "best_cycle": best_cycle,
        "cycles": max(0, len(cycles) - 1),
        "gate": [cycle["accuracy"].get(Split.GATE) for cycle in cycles],
        "gate_n": [cycle["n"].get(Split.GATE, 0) for cycle in cycles],
        "retention": next((c["accuracy"].get(Split.RETENTION) for c in cycles if c["cycle"] == best_cycle), None),
        "lessons": sum(cycle["lessons"]["taught"] for cycle in cycles),
        "tokens_trained": sum(stage["tokens"] for stage in training),
        "tokens_paid": cost["tokens_in"] + cost["tokens_out"],
        "usd": round(cost["usd"], 6),
        "cost_note": cost["note"],
        "seconds": round(sum(sum(cycle["seconds"].values()) for cycle in cycles), 1),
    }


def differences(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """Return the settings that are not the same in all runs, with each run's value; None where it has none.

    That secrets differ is told, and no more.
    """
    names = dict.fromkeys(name for run in runs for name in run.settings)
    unlike = [name for name in names if any(run.settings.get(name) != runs[0].settings.get(name) for run in runs)]
    seen = {name: next(run.shown[name][0] for run in runs if name in run.shown) for name in unlike}
    return {seen[name]: [run.shown.get(name, (name, None))[1] for run in runs] for name in unlike}


def arms(runs: Sequence[Run]) -> list[list[Run]]:
    """Return the runs that differ in name and seed alone together."""
    by_method: dict[str, list[Run]] = {}
    for run in runs:
        method = {name: value for name, value in run.settings.items() if name not in _NOT_THE_METHOD}
        by_method.setdefault(content_hash(method), []).append(run)
    return list(by_method.values())


def _arm_row(arm: Sequence[Run]) -> dict[str, Any]:
    """Return the mean and spread of an arm's test accuracy."""
    best = [run.summary["test"]["best"] for run in arm if run.summary["test"]["best"] is not None]
    return {
        "arm": _arm_label(arm),
        "runs": [run.label for run in arm],
        "mean": mean(best) if best else None,
        "sd": stdev(best) if len(best) > 1 else None,
    }


def _arm_label(arm: Sequence[Run]) -> str:
    return arm[0].label if len(arm) == 1 else f"{arm[0].label} and {len(arm) - 1} more"


def _tested(arm: Sequence[Run]) -> Arm:
    """Return what is compared of an arm."""
    finished = [run for run in arm if run.summary["test"]["best"] is not None]
    return Arm(_arm_label(arm), [Finished(run.settings.get("seed"), _test_answers(run)) for run in finished])


def _test_answers(run: Run) -> dict[str, Fraction]:
    """Return the share of right answers of the best student to each test problem."""
    best = run.summary["student"]["best"] or BASE
    grades: dict[str, list[bool]] = {}
    for report in run.rundir.reports():
        for attempt in run.rundir.attempts(report.cycle):
            if attempt.split is Split.TEST and attempt.student == best:
                grades.setdefault(attempt.problem_id, []).append(attempt.correct)
    return {problem: Fraction(sum(some), len(some)) for problem, some in grades.items()}
