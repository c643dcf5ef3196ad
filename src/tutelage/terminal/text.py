"""How texts and figures are written. Texts of models are shown as text: no markup, no control characters."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from ..errors import harmless
from ..schema import Verdict

_SHOWN = 2000
"""Characters of one text that are shown; the files hold the whole of it."""


TESTED = {True: "confirmed", False: "not confirmed", None: "not tested"}
"""What a test on fresh problems said of a weakness."""


VERDICT_STYLE = {Verdict.BASELINE: "cyan", Verdict.ACCEPTED: "green", Verdict.ROLLED_BACK: "yellow"}


def plain(text: str, limit: int = _SHOWN) -> Text:
    """Return untrusted text, harmless to a terminal and cut to a length a person reads."""
    cut = text if len(text) <= limit else f"{text[:limit]} ... ({len(text) - limit} more characters)"
    return Text(harmless(cut))


def percent(value: float | None) -> str:
    """Return a share in percent."""
    return "-" if value is None else f"{100 * value:.0f} %"


def seconds(value: float) -> str:
    """Return a duration as a person says it."""
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.1f} min"


def moved(metrics: Mapping[str, float]) -> str:
    """Say how the figures moved that a stage has of its beginning and of its end."""
    names = [name.removeprefix("first_") for name in metrics if name.startswith("first_")]
    pairs = [(name, metrics[f"first_{name}"], metrics[f"last_{name}"]) for name in names if f"last_{name}" in metrics]
    return ", ".join(f"{name} {first:.2f} -> {last:.2f}" for name, first, last in pairs)
