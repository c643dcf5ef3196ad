"""A watch on a purifier, and the purifier that chooses by nothing: what purifiers are measured with and against."""

from __future__ import annotations

import inspect
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from tutelage.hashing import content_hash
from tutelage.schema import Problem, Rationale

WATCHED = ("fit", "route", "score", "purify")


class RandomChoice:
    """Takes any one of the rationales: as few lessons as a purifier that chooses, and no better than their mean."""

    def __init__(self, seed: int) -> None:
        """Draw by a seed."""
        self.seed = seed

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Rationale:
        """Return one that is drawn."""
        return random.Random(content_hash(self.seed, problem.id)).choice(list(rationales))


class Timed:
    """A purifier whose work is timed.

    Attributes:
        seconds: Spent in `fit`, `route`, `score` and `purify` in all.
    """

    def __init__(self, purifier: Any) -> None:
        """Watch a purifier."""
        self._purifier = purifier
        self.seconds = 0.0
        self.purify = self._watch(purifier.purify)

    def __getattr__(self, name: str) -> Any:
        """Return what the purifier has of that name, watched where it is work."""
        found = getattr(self._purifier, name)
        return self._watch(found) if name in WATCHED else found

    def _watch(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any) -> Any:
            began = time.perf_counter()
            try:
                return work(*given)
            finally:
                self.seconds += time.perf_counter() - began

        async def timed_later(*given: Any) -> Any:
            began = time.perf_counter()
            try:
                return await work(*given)
            finally:
                self.seconds += time.perf_counter() - began

        return timed_later if inspect.iscoroutinefunction(work) else timed
