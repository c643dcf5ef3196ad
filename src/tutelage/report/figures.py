"""How a share is written on a page: in one form wherever it stands."""

from __future__ import annotations


def percent(share: float | None) -> str:
    """Return a share in percent with one digit; `-` if it is not known."""
    return "-" if share is None else f"{100 * share:.1f} %"


def points(difference: float) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    return f"{100 * difference:+.1f}"
