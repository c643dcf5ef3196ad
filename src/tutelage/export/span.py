"""A run as spans: stretches of time inside one another, whatever tool they are sent to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

Value = str | int | float | bool

NEAR = 0.005
"""Seconds by which two clocks of a run may differ: events are told to the millisecond, calls more exactly."""


@dataclass
class Moment:
    """Something that happened inside a span."""

    name: str
    time: float
    attributes: dict[str, Value]


@dataclass
class Span:
    """A stretch of a run; times are seconds since 1970."""

    name: str
    start: float
    end: float
    attributes: dict[str, Value] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)
    children: list[Span] = field(default_factory=list)
    failure: str | None = None
    """Why it ended badly; None if it did not."""
    problems: dict[str, Span] = field(default_factory=dict)
    """Those of the children that are about one problem, by its id."""
    remote: bool = False
    """Whether it is a call of a server."""

    def holds(self, time: float) -> bool:
        """Whether a moment lies within."""
        return self.start - NEAR <= time <= self.end + NEAR

    def fit(self) -> None:
        """Grow until all children lie within: what is told to the millisecond may end before what it holds."""
        for child in self.children:
            child.fit()
            self.start, self.end = min(self.start, child.start), max(self.end, child.end)

    def walk(self) -> Iterator[Span]:
        """Yield this span and all below it, each before its children."""
        yield self
        for child in self.children:
            yield from child.walk()
