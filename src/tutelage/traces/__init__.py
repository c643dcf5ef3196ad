"""Read a run back. Needs only the run directory."""

from .choose import Wanted, choose, span
from .life import trace
from .listing import Page, listing
from .problems import ProblemRow, read_problems
from .summary import last_event, status, summarise

__all__ = [
    "Page",
    "ProblemRow",
    "Wanted",
    "choose",
    "last_event",
    "listing",
    "read_problems",
    "span",
    "status",
    "summarise",
    "trace",
]
