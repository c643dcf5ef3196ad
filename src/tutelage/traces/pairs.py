"""Arms in pairs, on the test problems that both were asked: how far apart they are, and whether by more than chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from math import sqrt
from typing import Any, NamedTuple

from scipy.stats import binomtest, norm, t

_ENDS = 0.975
"""Of a 95 % interval, the upper end."""
NOT_FINISHED = "not finished"
NO_SEED = "no seed in common"
NO_PROBLEM = "no problem in common"


class Finished(NamedTuple):
    """A finished run: how its best student did on the test."""

    seed: Any
    right: Mapping[str, Fraction]
    """The share of right answers to each problem."""


class Arm(NamedTuple):
    """Runs that differ in name and seed alone."""

    label: str
    tested: Sequence[Finished]
    """Those that are finished."""


def pairs(arms: Sequence[Arm]) -> list[dict[str, Any]]:
    """Return each pair of arms on the test problems that both were asked, runs of one seed beside each other.

    `p_holm` is `p` for as many pairs as there are (Holm 1979). A pair that cannot be compared has None for its figures,
    and `untested` says why.
    """
    rows = [_pair(one, other) for one, other in combinations(arms, 2)]
    ranked, least = sorted((row for row in rows if row["p"] is not None), key=lambda row: float(row["p"])), 0.0
    for rank, row in enumerate(ranked):
        least = max(least, min(1.0, row["p"] * (len(ranked) - rank)))
        row["p_holm"] = least
    return rows


def _pair(one: Arm, other: Arm) -> dict[str, Any]:
    """Return the difference of two arms: of what each seed answered, the problems that seeds share taken together.

    Every seed counts alike, so the difference is that of the arms' means over the same seeds and problems. Chance is
    reckoned by problems, since what several seeds answer to one problem is no news each time: `p` is the exact sign
    test's on the problems that one arm answers better, which with one answer each is McNemar's.
    """
    seeds = list(_beside(one.tested, other.tested))
    found = defaultdict[str, list[Fraction]](list)
    for some, others in seeds:
        for problem, apart in _apart(some, others).items():
            found[problem].append(apart)
    better = [sum(sum(apart) * sign > 0 for apart in found.values()) for sign in (-1, 1)]
    answers = sum(map(len, found.values()))
    told = {
        "arms": [one.label, other.label],
        "seeds": len(seeds),
        "n": len(found),
        "answers": answers,
        "better": better,
    }
    nothing = dict.fromkeys(("difference", "low", "high", "interval", "p", "p_holm"))
    if not found:
        why = NOT_FINISHED if not (one.tested and other.tested) else NO_PROBLEM if seeds else NO_SEED
        return {**told, **nothing, "untested": why}
    difference = float(sum(sum(apart) for apart in found.values()) / answers)
    p = float(binomtest(better[0], sum(better)).pvalue) if any(better) else 1.0
    ends = _interval(list(found.values()))
    return {**told, "difference": difference, **ends, "p": p, "p_holm": p, "untested": None}


def _beside(one: Sequence[Finished], other: Sequence[Finished]) -> Iterator[tuple[list[Finished], list[Finished]]]:
    """Yield the runs of each seed that two arms both have; those of one run each are compared whatever their seeds."""
    if len(one) == len(other) == 1:
        yield list(one), list(other)
        return
    for seed in dict.fromkeys(run.seed for run in one):
        some, others = ([run for run in arm if run.seed == seed] for arm in (one, other))
        if others:
            yield some, others


def _apart(one: Sequence[Finished], other: Sequence[Finished]) -> dict[str, Fraction]:
    """Return how much more of each problem the other runs of a seed have right; several on each side are averaged."""
    means = []
    for runs in (one, other):
        shares = defaultdict[str, list[Fraction]](list)
        for run in runs:
            for problem, share in run.right.items():
                shares[problem].append(share)
        means.append({problem: sum(some) / Fraction(len(some)) for problem, some in shares.items()})
    return {problem: means[1][problem] - share for problem, share in means[0].items() if problem in means[1]}


def _interval(apart: Sequence[Sequence[Fraction]]) -> dict[str, Any]:
    """Return between what the difference lies with 95 % probability, and which interval that is."""
    if all(len(some) == 1 and some[0].denominator == 1 for some in apart):
        return {"interval": "Bonett-Price", **_bonett_price([int(some[0]) for some in apart])}
    return {"interval": "t by problems", **_by_problems(apart)}


def _bonett_price(apart: Sequence[int]) -> dict[str, float]:
    """Return the adjusted Wald interval for paired shares (Bonett and Price 2012)."""
    n = len(apart)
    less, more = (apart.count(-1) + 1) / (n + 2), (apart.count(1) + 1) / (n + 2)
    spread = float(norm.ppf(_ENDS)) * sqrt((less + more - (more - less) ** 2) / (n + 2))
    return _within(more - less, spread)


def _by_problems(apart: Sequence[Sequence[Fraction]]) -> dict[str, float | None]:
    """Return Student's interval for the difference, problems being what was drawn; None if they do not vary.

    The error is the clustered one of paired differences (Miller 2024, "Adding error bars to evals"); where each problem
    was answered by as many seeds, it is that of the mean of the problems' mean differences.
    """
    n, answers = len(apart), sum(map(len, apart))
    mean = sum(map(sum, apart)) / Fraction(answers)
    squares = sum((sum(some) - mean * len(some)) ** 2 for some in apart)
    if not squares:  # one problem, or all alike
        return {"low": None, "high": None}
    error = sqrt(squares * n / (n - 1)) / answers
    return dict(_within(float(mean), float(t.ppf(_ENDS, n - 1)) * error))


def _within(middle: float, spread: float) -> dict[str, float]:
    return {"low": max(-1.0, middle - spread), "high": min(1.0, middle + spread)}
