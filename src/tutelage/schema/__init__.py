"""The vocabulary of Tutelage: what the agents, the trainer and the files say to one another.

Every model is frozen and refuses unknown fields; what is written to a run directory is one of these.
"""

from .decision import Conflict, Decision, Evidence, Purified
from .diagnosis import Assignment, Confirmation, Diagnosis, FreshProblem, LessonPlan, Mastery, Skill, Weakness
from .exam import BASE, Attempt, Grade, Problem, Split, WrongStep
from .lesson import (
    NO_STEP,
    REHEARSED,
    TOO_LONG,
    EarlierRationale,
    Lesson,
    ProbeError,
    Rationale,
    RecalledError,
    TeachingRequest,
)
from .record import SCHEMA_VERSION, Record
from .report import Agreement, Cost, CycleReport, LessonCounts, TrainingReport, Verdict
from .review import BY_HAND, Review, ReviewVerdict
from .strategy import Library, Strategy, StrategyRequest

__all__ = [
    "BASE",
    "BY_HAND",
    "NO_STEP",
    "REHEARSED",
    "SCHEMA_VERSION",
    "TOO_LONG",
    "Agreement",
    "Assignment",
    "Attempt",
    "Confirmation",
    "Conflict",
    "Cost",
    "CycleReport",
    "Decision",
    "Diagnosis",
    "EarlierRationale",
    "Evidence",
    "FreshProblem",
    "Grade",
    "Lesson",
    "LessonCounts",
    "LessonPlan",
    "Library",
    "Mastery",
    "ProbeError",
    "Problem",
    "Purified",
    "Rationale",
    "RecalledError",
    "Record",
    "Review",
    "ReviewVerdict",
    "Skill",
    "Split",
    "Strategy",
    "StrategyRequest",
    "TeachingRequest",
    "TrainingReport",
    "Verdict",
    "Weakness",
    "WrongStep",
]
