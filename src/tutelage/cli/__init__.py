"""The command line. Exit codes: 0 done, 1 a run failed and can be resumed, 2 the input is wrong."""

from . import asking, exporting, exporting_mlflow, exporting_spans, reading, reviewing, running
from .app import app
from .entry import main

__all__ = [
    "app",
    "asking",
    "exporting",
    "exporting_mlflow",
    "exporting_spans",
    "main",
    "reading",
    "reviewing",
    "running",
]
