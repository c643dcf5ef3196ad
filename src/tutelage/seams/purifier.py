"""Who turns several rationales into one lesson."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Protocol, runtime_checkable

from ..schema import Problem, Purified, Rationale


@runtime_checkable
class Purifier(Protocol):
    """Turns several verified rationales for one problem into what is taught, mostly one of them.

    It may have `meet(student: CurrentStudent) -> None`, called before a cycle's purification, and `score(candidates:
    Sequence[tuple[Problem, Sequence[Rationale]]]) -> Mapping[str, Mapping[str, float]]`, called on the model's thread
    with the verified rationales of several problems: the scores it returns, by a rationale's id, are written into
    `Rationale.scores` before `purify` sees them. What has been scored before a crash comes back with its scores. With
    `needs_likelihoods = True` it is refused where the student's engine has no `likelihoods`.

    One that learns has `fit(evidence: Sequence[Evidence]) -> None`, called once a cycle before it is planned, with all
    that earlier cycles showed, and `save(folder: Path)` and `load(folder: Path)`, by which a resumed run goes on with
    what was learnt. One that knows teachers by the question alone has `route(problems: Sequence[Problem], teachers:
    Sequence[str]) -> Mapping[str, Mapping[str, float]]`: each teacher's chance of being right, by a problem's id; only
    the best is then asked. It leaves out what it cannot say.
    """

    def purify(
        self, problem: Problem, rationales: Sequence[Rationale]
    ) -> Rationale | Purified | Awaitable[Rationale | Purified]:
        """Return what to teach; `rationales` holds at least one and all are verified.

        May be a coroutine function: it is then called for several problems at once, any other for one at a time, on a
        thread of its own. Either has `teach.timeout` seconds. Where it raises `CallFailed` or `Declined`, the
        majority stands in; after `teach.bench_after` failed calls in a row, for the rest of the cycle.
        """
        ...
