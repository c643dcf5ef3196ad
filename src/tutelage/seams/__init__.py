"""The seams: one-method protocols that an object, a `module:attribute` or an entry point can fill."""

from .callback import Callback
from .critic import NOTHING_TO_ASK, Critic
from .current_student import CurrentStudent
from .diagnostician import Diagnostician
from .embedder import Embedder
from .engine import Engine, Generation, Message
from .planner import Outcome, Planner, PlanningRequest
from .purifier import Purifier
from .stage import Stage, StageJob, TrainedStage
from .step_checker import StepChecker
from .task import Task
from .teacher import Teacher

__all__ = [
    "NOTHING_TO_ASK",
    "Callback",
    "Critic",
    "CurrentStudent",
    "Diagnostician",
    "Embedder",
    "Engine",
    "Generation",
    "Message",
    "Outcome",
    "Planner",
    "PlanningRequest",
    "Purifier",
    "Stage",
    "StageJob",
    "StepChecker",
    "Task",
    "Teacher",
    "TrainedStage",
]
