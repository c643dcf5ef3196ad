"""Tutelage: teach a small language model what it keeps getting wrong.

>>> import tutelage
>>> result = tutelage.run("examples/tiny.yaml")  # doctest: +SKIP
>>> result.reports[-1].accuracy  # doctest: +SKIP
"""

from .api import Result, aresume, arun, resume, run
from .config import RunConfig
from .errors import Declined, InputError, RunError
from .schema import (
    Attempt,
    CycleReport,
    Diagnosis,
    Lesson,
    LessonPlan,
    Problem,
    Rationale,
    Split,
    TeachingRequest,
    Weakness,
)

__all__ = [
    "Attempt",
    "CycleReport",
    "Declined",
    "Diagnosis",
    "InputError",
    "Lesson",
    "LessonPlan",
    "Problem",
    "Rationale",
    "Result",
    "RunConfig",
    "RunError",
    "Split",
    "TeachingRequest",
    "Weakness",
    "aresume",
    "arun",
    "resume",
    "run",
]
