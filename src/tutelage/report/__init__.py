"""Self-contained pages about runs, which open from the file system and ask for nothing."""

from .comparison import write_comparison
from .run import write_report

__all__ = ["write_comparison", "write_report"]
