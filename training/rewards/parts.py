"""The built-in parts of the reward by name, and how each is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...errors import InputError, did_you_mean
from ...plugins import Plugin, build, resolve
from ...seams import Embedder, StepChecker
from .clean import clean
from .consistent import Consistent
from .correct import correct
from .length import Length
from .part import Reward
from .tiers import Tiers
from .well_formed import well_formed


@dataclass(frozen=True)
class Tools:
    """What some parts are made with; nothing is loaded before a part asks for it."""

    embedder: str = "static"
    """By plug-in name, for `tiers`."""
    checker: Mapping[str, Any] | None = None
    """The step checker's specification, for `consistent`."""
    target_length: int = 400
    """Characters, for `length`."""

    def make_embedder(self) -> Embedder:
        """Make the embedder.

        Raises:
            InputError: If it cannot be made.
        """
        made: Embedder = build("embedders", Plugin(name=self.embedder))
        return made

    def make_checker(self) -> StepChecker | None:
        """Make the step checker, if there is one.

        Raises:
            InputError: If it cannot be made.
        """
        made: StepChecker | None = build("checkers", Plugin.model_validate(self.checker)) if self.checker else None
        return made


PARTS: Final[Mapping[str, Callable[[Tools], Reward]]] = {
    "correct": lambda tools: correct,
    "tiers": lambda tools: Tiers(tools.make_embedder()),
    "format": lambda tools: well_formed,
    "clean": lambda tools: clean,
    "consistent": lambda tools: Consistent(tools.make_checker()),
    "length": lambda tools: Length(tools.target_length),
}
"""The built-in parts; others are given as `module:attribute`."""


def find_part(name: str, tools: Tools, option: str = "rewards") -> Reward:
    """Make a part of the reward.

    Args:
        name: One of `PARTS`, or `module:attribute`.
        tools: What it may use.
        option: The stage's option that names it.

    Raises:
        InputError: If there is none of this name, or it cannot be made.
    """
    if name in PARTS:
        return PARTS[name](tools)
    if ":" not in name:
        raise InputError(f"stages: grpo: {option}: unknown part {name!r}; {did_you_mean(name, PARTS)}")
    found = resolve("rewards", name)
    if not callable(found):
        raise InputError(f"stages: grpo: {option}: {name!r} is not a function; see tutelage.training.rewards.Reward")
    reward: Reward = found
    return reward
