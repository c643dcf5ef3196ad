"""One self-contained page about a run, which opens from the file system and asks for nothing."""

from .write import write_report

__all__ = ["write_report"]
