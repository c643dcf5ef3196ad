"""Read a run back. Needs only the run directory."""

from .life import trace
from .summary import last_event, status, summarise

__all__ = ["last_event", "status", "summarise", "trace"]
