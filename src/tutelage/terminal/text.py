"""How texts and figures are written. Texts of models are shown as text: no markup, no control characters."""

from __future__ import annotations

from rich.text import Text

from ..errors import harmless
from ..schema import Verdict

_SHOWN = 2000
"""Characters of one text that are shown; the files hold the whole of it."""

VERDICT_STYLE = {Verdict.BASELINE: "cyan", Verdict.ACCEPTED: "green", Verdict.ROLLED_BACK: "yellow"}


def plain(text: str, limit: int = _SHOWN) -> Text:
    """Return untrusted text, harmless to a terminal and cut to a length a person reads."""
    cut = text if len(text) <= limit else f"{text[:limit]} ... ({len(text) - limit} more characters)"
    return Text(harmless(cut))


def percent(value: float | None) -> str:
    """Return a share in percent."""
    return "-" if value is None else f"{100 * value:.0f} %"
