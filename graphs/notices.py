"""What a person should know of a configuration that is not wrong: lines of `tutelage doctor`, notes of a run."""

from __future__ import annotations

from collections.abc import Collection

from ..config import RunConfig
from ..policies import overruled, settings_of
from ..seams import Diagnostician, Task


def policy_line(config: RunConfig) -> str:
    """Say what the policy of a configuration sets, and what of it the file has otherwise."""
    settings = settings_of(str(config.policy))
    own = overruled(config)
    rest = ", ".join(field for field in settings if field not in own)
    said = f"policy {config.policy} sets {rest}" if rest else f"policy {config.policy} sets nothing"
    return f"{said}; the file has its own {', '.join(own)}" if own else said


def caveats(task: Task, diagnostician: Diagnostician, config: RunConfig, skills: Collection[str]) -> list[str]:
    """Return what a task has left out, and what a diagnostician says of a run as long as this one may be.

    Args:
        task: Asked if it has `left_out`.
        diagnostician: Asked if it has `caveat`.
        config: Of the run.
        skills: The task's; none if a problem has no tags.
    """
    left_out = ", ".join(f"{count} {reason}" for reason, count in getattr(task, "left_out", {}).items())
    ask = getattr(diagnostician, "caveat", None)
    told = ask(config.stop.cycles, skills) if callable(ask) else None
    return [*([f"task: left out: {left_out}"] if left_out else []), *([told] if told else [])]
