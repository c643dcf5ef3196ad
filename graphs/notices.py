"""What a person should know of a configuration that is not wrong: lines of `tutelage doctor`, notes of a run."""

from __future__ import annotations

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


def caveat(diagnostician: Diagnostician, config: RunConfig) -> str | None:
    """Return what a diagnostician says of a run as long as this one may be; None if it has nothing to say."""
    ask = getattr(diagnostician, "caveat", None)
    return ask(config.stop.cycles) if callable(ask) else None
