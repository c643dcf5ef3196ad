"""The ways of editing that `editing.py` compares: each is stages in a row, and what they train on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

Stages = tuple[Mapping[str, Any], ...]
"""Stages in a row, as a configuration has them."""


@dataclass(frozen=True)
class Arm:
    """A way of editing."""

    stages: Stages
    """Of every round."""
    last: Stages = ()
    """In the end, on all edits and as many of the base student's own answers."""
    repeat: int = 1
    """Times that each new lesson stands among those of its round."""
    rehearsed: int = 0
    """The base student's own answers that each round trains on too, in turns."""
    earlier: int = 0
    """Earlier edits that each round trains on again, half of them the latest."""
    paraphrased: bool = False
    """Whether the paraphrases of the probe's facts are taught too."""

    def with_options(self, options: Mapping[str, Any]) -> Arm:
        """Return the arm with other options of its first stage."""
        first, *others = self.stages
        return replace(self, stages=({**first, "options": {**first["options"], **options}}, *others))


SCHEDULE = {"warmup_steps": 0, "scheduler": "constant", "epochs": 1}
FULL = {"mode": "full", "batch_size": 1, "learning_rate": 1e-5, **SCHEDULE}
LORA = {"mode": "lora", "batch_size": 1, "learning_rate": 2e-4, **SCHEDULE}
MIXED = {**SCHEDULE, "mode": "lora", "rank": 32, "alpha": 64, "learning_rate": 5e-4, "batch_size": 4}
AGAIN = {**MIXED, "batch_size": 8, "epochs": 2}


def stage(name: str, **options: Any) -> Stages:
    """Return one stage."""
    return ({"name": name, "options": options},)


ARMS: dict[str, Arm] = {
    "sft-full": Arm(stage("sft", **FULL), repeat=8),
    "sft-lora": Arm(stage("sft", **LORA), repeat=8),
    "mixed": Arm(stage("sft", **MIXED), stage("sft", **AGAIN), repeat=12, rehearsed=6, earlier=14, paraphrased=True),
}
