"""Rewards by name: which parts, how much each weighs, and which are gates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from ...errors import InputError, did_you_mean


class Recipe(NamedTuple):
    """What a reward is made of."""

    weights: Mapping[str, float]
    """Of each part, none of them 0."""
    gates: tuple[str, ...] = ()
    """Parts whose value 0 makes the whole reward 0."""


PRESETS: Final[Mapping[str, Recipe]] = {
    "etcon": Recipe({"tiers": 0.70, "clean": 0.15, "consistent": 0.10, "format": 0.05}, ("format",)),
}
"""`etcon`: arXiv 2512.04753, reward code of its second stage, `KE_multi_v2_rewards.py`."""
DEFAULT: Final = Recipe({"correct": 1.0, "format": 0.1})


def read_recipe(rewards: Mapping[str, float] | str | None, gates: Sequence[str] | None) -> Recipe:
    """Return what the options of a stage say.

    Args:
        rewards: Weights by part, a preset's name, or None for the default.
        gates: Parts; None for the preset's own, none if it has none.

    Raises:
        InputError: If there is no such preset, no weight to earn, or a weight that is not positive and finite.
    """
    if isinstance(rewards, str) and rewards not in PRESETS:
        raise InputError(f"stages: grpo: rewards: no preset {rewards!r}; {did_you_mean(rewards, PRESETS)}")
    preset = PRESETS[rewards] if isinstance(rewards, str) else DEFAULT
    if isinstance(rewards, Mapping):
        preset = Recipe({name: weight for name, weight in rewards.items() if weight})
        if not preset.weights:
            raise InputError("stages: grpo: rewards: no part has a weight; use for instance {correct: 1.0}")
        for name, weight in preset.weights.items():
            if not 0 < weight < math.inf:
                raise InputError(
                    f"stages: grpo: rewards: {name}: {weight:g} is no weight; use a positive number (a part that is to "
                    "count against an answer gives 0 for it)"
                )
    return preset if gates is None else preset._replace(gates=tuple(dict.fromkeys(gates)))
