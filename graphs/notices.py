"""What a person should know of a configuration that is not wrong: lines of `tutelage doctor`, notes of a run."""

from __future__ import annotations

from collections.abc import Collection

from ..config import RunConfig
from ..policies import overruled, settings_of
from ..seams import Diagnostician


def policy_line(config: RunConfig) -> str:
    """Say what the policy of a configuration sets, and what of it the file has otherwise."""
    settings = settings_of(str(config.policy))
    own = overruled(config)
    rest = ", ".join(field for field in settings if field not in own)
    said = f"policy {config.policy} sets {rest}" if rest else f"policy {config.policy} sets nothing"
    return f"{said}; the file has its own {', '.join(own)}" if own else said


def caveat(diagnostician: Diagnostician, config: RunConfig, skills: Collection[str]) -> str | None:
    """Return what a diagnostician says of a run as long as this one may be; None if it has nothing to say.

    Args:
        diagnostician: Asked if it has `caveat`.
        config: Of the run.
        skills: The task's; none if a problem has no tags.
    """
    ask = getattr(diagnostician, "caveat", None)
    return ask(config.stop.cycles, skills) if callable(ask) else None
