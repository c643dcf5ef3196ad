"""The student as it is in a cycle, for plug-ins that have to ask it something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..schema import Attempt, Diagnosis, Grade, Problem
from .engine import Engine, Message


@dataclass(frozen=True)
class CurrentStudent:
    """The student as it is in a cycle, for a teacher or purifier that has to ask it something.

    It is handed over by `meet(student)`, before the cycle's first call, where a plug-in has that method. Never anything
    of the gate or test split is in it.
    """

    cycle: int
    seed: int
    """The cycle's own."""
    engine: Engine
    """To be called on the model's thread: see `tutelage.model_thread`."""
    checkpoint: str
    """What the engine takes for this student."""
    prompt: Callable[[str, Sequence[tuple[str, str]]], list[Message]]
    """What it is asked a question with in an exam, its strategies included; examples come as earlier turns."""
    grade: Callable[[Problem, str], Grade]
    diagnosis: Diagnosis
    probe: Sequence[tuple[Problem, Attempt]]
    """The probe split, each problem with this student's answer."""
    likelihoods: Callable[[Sequence[tuple[Problem, str]]], list[float]] | None = None
    """The mean log-probability per token with which it would answer each problem by a text; on the model's thread. None
    if the engine cannot tell."""
    made_in: int = 0
    """The cycle that made this student; 0 for the base."""
