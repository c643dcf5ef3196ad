"""How outcomes and figures are said, in the terminal and on pages alike."""

from __future__ import annotations

from collections.abc import Mapping

from .schema import TrainingReport

TESTED = {True: "confirmed", False: "not confirmed", None: "not tested"}
"""What a test on fresh problems said of a weakness."""


def seconds(value: float) -> str:
    """Return a duration as a person says it."""
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.1f} min"


def moved(metrics: Mapping[str, float]) -> str:
    """Say how the figures moved that a stage has of its beginning and of its end."""
    names = [name.removeprefix("first_") for name in metrics if name.startswith("first_")]
    pairs = [(name, metrics[f"first_{name}"], metrics[f"last_{name}"]) for name in names if f"last_{name}" in metrics]
    return ", ".join(f"{name} {first:.2f} -> {last:.2f}" for name, first, last in pairs)


def loss(stage: TrainingReport) -> str:
    """Return the loss at the end, after that at the beginning where it is known."""
    first = stage.metrics.get("first_loss")
    return f"{stage.loss:.3f}" if first is None else f"{first:.3f} -> {stage.loss:.3f}"


def outcome(stage: TrainingReport) -> str:
    """Say how a stage's figures moved, and what is to be noted of it, such as why it did nothing."""
    return "; ".join(part for part in (moved(stage.metrics), stage.note) if part)
