"""Fakes for every seam, so that a plug-in's author can test the whole loop in a second and without a model.

And students with known holes, with the task that shows them: what a diagnostician is tested with.
"""

from .askers import ASKERS, asking_config, reply_to_all
from .course import teach_all_but
from .embedder import HashEmbedder
from .fakes import (
    FakeChecker,
    FakeCritic,
    FakeDiagnostician,
    FakeEngine,
    FakePlanner,
    FakePurifier,
    FakeStage,
    FakeTask,
    FakeTeacher,
    fake_config,
)
from .holes import build_student_with_holes, draw_holes
from .rule_checker import RuleChecker
from .rules import RulesTask
from .tutor import reply_as_tutor, scripted_tutor

__all__ = [
    "ASKERS",
    "FakeChecker",
    "FakeCritic",
    "FakeDiagnostician",
    "FakeEngine",
    "FakePlanner",
    "FakePurifier",
    "FakeStage",
    "FakeTask",
    "FakeTeacher",
    "HashEmbedder",
    "RuleChecker",
    "RulesTask",
    "asking_config",
    "build_student_with_holes",
    "draw_holes",
    "fake_config",
    "reply_as_tutor",
    "reply_to_all",
    "scripted_tutor",
    "teach_all_but",
]
