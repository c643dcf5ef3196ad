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
    """Whether the base student's own answers to general questions are among the lessons."""


ARMS = {
    "sft": Arm((("sft", {}),)),
    "sft, MLPs": Arm((("sft", MLPS),)),
    "tpsft": Arm((("tpsft", {}),)),
    "tpsft, MLPs": Arm((("tpsft", MLPS),)),
    "tpsft, all layers": Arm((("tpsft", ALL),)),
    "sft+grpo": Arm((("sft", {}), ("grpo", {}))),
    "tpsft+grpo": Arm((("tpsft", MLPS), ("grpo", MLPS))),
    "distill": Arm((("distill", {"teacher": TEACHER}),)),
    "sft+distill": Arm((("sft", {}), ("distill", {"teacher": "base"}))),
    "sdft": Arm((("sdft", {}),)),
    "sft, replay": Arm((("sft", {}),), replay=True),
    "tpsft, replay": Arm((("tpsft", MLPS),), replay=True),
}


class Student(NamedTuple):
    """What is the same for all arms of a student."""

    steps: int
    shared: dict[str, dict[str, Any]]
    """Options of each stage in all arms."""
    rehearse: int
    max_new_tokens: int


STUDENTS = {
    "tiny": Student(
        steps=80,
        shared={
            "sft": {"mode": "full", "batch_size": 16, "warmup_steps": 5, "learning_rate": 6e-4},
            "tpsft": {"mode": "full", "batch_size": 16, "warmup_steps": 5, "learning_rate": 1e-3},
            "grpo": {"mode": "full", "prompts_per_step": 8, "generations": 8, "learning_rate": 1e-4},
            "distill": {"mode": "full", "batch_size": 16, "learning_rate": 3e-4},
            "sdft": {"mode": "full", "batch_size": 16, "learning_rate": 3e-4},
        },
        rehearse=160,
        max_new_tokens=48,
    ),
    "real": Student(
        steps=48,
        shared={
            "sft": {"batch_size": 4, "warmup_steps": 5, "learning_rate": 1e-3},
            "tpsft": {"batch_size": 4, "warmup_steps": 5, "learning_rate": 1e-3},
            "grpo": {"prompts_per_step": 4, "generations": 4, "learning_rate": 1e-4},
            "distill": {"batch_size": 8, "learning_rate": 1e-4},
            "sdft": {"batch_size": 8, "learning_rate": 1e-4},
        },
        rehearse=80,
        max_new_tokens=64,
    ),
}
SAMPLING = ("grpo", "distill", "sdft")


def stages(student: Student, arm: Arm, rate: float | None, teacher: str) -> list[dict[str, Any]]:
    """Return an arm's stages as a configuration has them.

    Args:
        student: Who is trained.
        arm: How.
        rate: Learning rate of the first stage, where another than the chosen one is tried.
        teacher: Takes the place of `TEACHER`.
    """
    made = []
    for number, (name, own) in enumerate(arm.stages):
        options = {**student.shared[name], **own, "max_steps": round(student.steps / len(arm.stages))}
        if options.get("teacher") == TEACHER:
            options["teacher"] = teacher
        if name in SAMPLING:
            options["max_new_tokens"] = student.max_new_tokens
        if rate is not None and not number:
            options["learning_rate"] = rate
        made.append({"name": name, "options": options})
    return made
