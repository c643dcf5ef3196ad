"""The whole reward: its parts behind its gates, as TRL calls them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any, Final

from ...errors import RunError, blamed
from .grader import Graded, Grader
from .part import Reward
from .parts import Tools, find_part
from .presets import Recipe

Batch = Callable[..., list[float]]
GATED: Final = "gated"
"""Names the samples that find a gate shut, and their share in TRL's log."""


class Mixture:
    """Values every part for a batch once, and lets none count where a gate is shut.

    TRL adds up the parts by weight; a gate is a factor, which it has no place for, so here it makes each part 0.
    """

    def __init__(self, recipe: Recipe, tools: Tools) -> None:
        """Make the parts.

        Raises:
            InputError: If one is unknown or cannot be made.
        """
        self.recipe = recipe
        self._parts = {name: find_part(name, tools) for name in recipe.weights}
        self._parts |= {name: find_part(name, tools, "gates") for name in recipe.gates if name not in self._parts}
        self._last: tuple[Any, Mapping[str, list[float]]] = (None, {})

    def values(self, samples: Sequence[Graded]) -> dict[str, list[float]]:
        """Return what each weighted part gives for each sample, 0 where a gate is shut; and where one is, as `GATED`.

        Raises:
            RunError: If a part fails or gives no finite number.
        """
        table = {name: [_value(name, part, one) for one in samples] for name, part in self._parts.items()}
        shut = [float(any(table[gate][row] == 0 for gate in self.recipe.gates)) for row in range(len(samples))]
        behind = {
            name: [0.0 if closed else value for value, closed in zip(table[name], shut, strict=True)]
            for name in self.recipe.weights
        }
        return {**behind, GATED: shut}

    def functions(self, grader: Grader) -> list[Batch]:
        """Return the weighted parts as TRL calls them: a batch at a time, the rows' columns as lists."""
        return [self._function(name, grader) for name in self.recipe.weights]

    def _function(self, name: str, grader: Grader) -> Batch:
        def batch(
            *,
            completions: Sequence[Any],
            completion_ids: Sequence[Sequence[int]],
            problem_id: Sequence[str],
            log_metric: Callable[[str, float], None],
            **_: Any,
        ) -> list[float]:
            if self._last[0] is not completions:  # TRL hands every part the same list
                self._last = completions, self.values(grader.graded(problem_id, completions, completion_ids))
                log_metric(GATED, fmean(self._last[1][GATED]))
            return self._last[1][name]

        batch.__name__ = name  # TRL logs the part under this name
        return batch


def _value(name: str, part: Reward, sample: Graded) -> float:
    who = f"reward {name}: problem {sample.problem.id}"
    try:
        value = float(part(*sample))
    except Exception as error:  # of somebody's plug-in
        raise blamed(who, error) from error
    if not math.isfinite(value):
        raise RunError(f"{who}: gave {value}; mend the plug-in")
    return value
