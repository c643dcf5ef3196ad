"""The ways of editing that `editing.py` compares: each is stages in a row, and who writes what they train on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Arm:
    """A way of editing."""

    stages: tuple[Mapping[str, Any], ...]
    teachers: tuple[str, ...] = ("reference",)
    """Of each fact the first one teaches that has something to say."""
    rehearsed: int = 0
    """Answers of the base student to general questions that each round trains on too."""
    earlier: int = 0
    """Earlier edits that each round trains on again, drawn in turns."""

    def with_options(self, options: Mapping[str, Any]) -> Arm:
        """Return the arm with other options of its first stage."""
        first, *others = self.stages
        return replace(self, stages=({**first, "options": {**first["options"], **options}}, *others))


FULL = {"mode": "full", "learning_rate": 1e-5, "warmup_steps": 0, "scheduler": "constant"}
LORA = {"mode": "lora", "learning_rate": 2e-4, "warmup_steps": 0, "scheduler": "constant"}
DOWN = {"modules": ["down_proj"], "band": [0.4, 0.9]}
STEPS = {"max_steps": 20}
"""Of every imitating stage a round, so that the arms cost the same."""
GRPO = {
    "rewards": "etcon",
    "prompts_per_step": 1,
    "generations": 8,
    "max_new_tokens": 48,
    "max_steps": 5,
    "guided": True,
    "learning_rate": 1e-6,
    **DOWN,
}
ARMS: dict[str, Arm] = {
    "sft-full": Arm(({"name": "sft", "options": {**FULL, **STEPS}},)),
    "sft-lora": Arm(({"name": "sft", "options": {**LORA, **STEPS}},)),
    "sft-down": Arm(({"name": "sft", "options": {**FULL, **STEPS, **DOWN}},)),
    "tpsft": Arm(({"name": "tpsft", "options": {**FULL, **STEPS, **DOWN}},), ("corrected", "reference")),
    "tpsft-grpo": Arm(
        (
            {"name": "tpsft", "options": {**FULL, **STEPS, **DOWN}},
            {"name": "grpo", "options": {**GRPO, "mode": "full"}},
        ),
        ("corrected", "reference"),
    ),
    "sft-lora-replay": Arm(({"name": "sft", "options": {**LORA, **STEPS}},), rehearsed=4, earlier=8),
    "tpsft-replay": Arm(
        ({"name": "tpsft", "options": {**FULL, **STEPS, **DOWN}},), ("corrected", "reference"), rehearsed=4, earlier=8
    ),
}
