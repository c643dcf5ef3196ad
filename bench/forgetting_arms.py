"""The arms of bench/forgetting.py: which stages, on which layers, and what each student's stages have in common."""

from __future__ import annotations

from typing import Any, NamedTuple

MLPS = {"modules": ["down_proj", "up_proj", "gate_proj"], "band": [0.0, 1.0]}
ALL = {"modules": [], "band": [0.0, 1.0]}
TEACHER = "$teacher"
"""Stands for the folder of a stronger student with the same tokens, where there is one."""


class Arm(NamedTuple):
    """What is trained in turn, each for an equal part of the steps."""

    stages: tuple[tuple[str, dict[str, Any]], ...]
    replay: bool = False
    """Whether the base student's own answers to general questions are trained on too, or with `drift` hold it."""


ARMS = {
    "sft": Arm((("sft", {}),)),
    "sft, MLPs": Arm((("sft", MLPS),)),
    "tpsft": Arm((("tpsft", {}),)),
    "tpsft, MLPs": Arm((("tpsft", MLPS),)),
    "tpsft, all layers": Arm((("tpsft", ALL),)),
    "sft+grpo": Arm((("sft", {}), ("grpo", {}))),
    "tpsft+grpo": Arm((("tpsft", ALL), ("grpo", ALL))),
    "distill": Arm((("distill", {"teacher": TEACHER}),)),
    "sft+distill": Arm((("sft", {}), ("distill", {"teacher": "base"}))),
    "sdft": Arm((("sdft", {}),)),
    "sft, replay": Arm((("sft", {}),), replay=True),
    "tpsft, replay": Arm((("tpsft", ALL),), replay=True),
    "sft, drift": Arm((("sft", {"drift": 3.0}),), replay=True),
    "tpsft, drift": Arm((("tpsft", {**ALL, "drift": 3.0}),), replay=True),
}


class Student(NamedTuple):
    """What is the same for all arms of a student."""

    steps: int
    shared: dict[str, dict[str, Any]]
    """Options of each stage in all arms."""
    rates: dict[str, float]
    """Learning rate of each arm's first stage, chosen on seeds that no figure is from (bench/forgetting.py)."""
    rehearse: int
    max_new_tokens: int


STUDENTS = {
    "tiny": Student(
        steps=80,
        shared={
            "sft": {"mode": "full", "batch_size": 16, "warmup_steps": 5},
            "tpsft": {"mode": "full", "batch_size": 16, "warmup_steps": 5},
            "grpo": {"mode": "full", "prompts_per_step": 8, "generations": 8, "learning_rate": 1e-4},
            "distill": {"mode": "full", "batch_size": 16, "learning_rate": 3e-4},
            "sdft": {"mode": "full", "batch_size": 16},
        },
        rates={
            "sft": 5e-4,
            "sft, MLPs": 1.4e-3,
            "tpsft": 6e-3,
            "tpsft, MLPs": 1e-3,
            "tpsft, all layers": 6e-4,
            "sft+grpo": 1e-3,
            "tpsft+grpo": 1.4e-3,
            "distill": 6e-4,
            "sft+distill": 1e-3,
            "sdft": 2e-5,
            "sft, replay": 3.2e-3,
            "tpsft, replay": 2e-3,
        },
        rehearse=160,
        max_new_tokens=48,
    ),
    "real": Student(
        steps=48,
        shared={
            "sft": {"batch_size": 4, "warmup_steps": 5},
            "tpsft": {"batch_size": 4, "warmup_steps": 5},
            "grpo": {"prompts_per_step": 4, "generations": 4, "learning_rate": 1e-4},
        },
        rates={
            "sft": 1e-3,
            "tpsft": 3e-3,
            "tpsft, all layers": 1e-3,
            "tpsft+grpo": 1e-3,
            "sft, drift": 1e-3,
            "tpsft, drift": 1e-3,
        },
        rehearse=80,
        max_new_tokens=64,
    ),
}
SAMPLING = ("grpo", "distill", "sdft")


def stages(student: Student, name: str, rate: float | None, teacher: str) -> list[dict[str, Any]]:
    """Return an arm's stages as a configuration has them.

    Args:
        student: Who is trained.
        name: Of the arm.
        rate: Learning rate of the first stage, where another than the chosen one is tried.
        teacher: Takes the place of `TEACHER`.
    """
    made, arm = [], ARMS[name]
    for number, (stage, own) in enumerate(arm.stages):
        options = {**student.shared[stage], **own, "max_steps": round(student.steps / len(arm.stages))}
        if options.get("teacher") == TEACHER:
            options["teacher"] = teacher
        if stage in SAMPLING:
            options["max_new_tokens"] = student.max_new_tokens
        if not number:
            options["learning_rate"] = rate or student.rates[name]
        made.append({"name": stage, "options": options})
    return made
