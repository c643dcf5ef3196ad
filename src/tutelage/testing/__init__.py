"""Fakes for every seam, so that a plug-in's author can test the whole loop in a second and without a model."""

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
from .tutor import reply_as_tutor, scripted_tutor

__all__ = [
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
    "fake_config",
    "reply_as_tutor",
    "scripted_tutor",
]
