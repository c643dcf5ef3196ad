"""A run in which whoever can ask a chat model does: a teacher, the critic, the purifier and the diagnostician."""

from __future__ import annotations

import re
from typing import Any

from ..seams import Message
from .fakes import fake_config
from .fuser import reply_as_fuser
from .tutor import reply_as_tutor

ASKERS = ("tutor", "critic", "aggregate", "diagnostician")
"""By what names the calls of that run are known."""


def reply_to_all(messages: list[Message]) -> str:
    """Answer whoever asks; as a tutor whose first draft has a wrong step, and is right after the critic's question."""
    system, user = messages[0]["content"], messages[1]["content"]
    if "Ask the tutor one short question" in system:
        return "Is your first step true?"
    if "You describe" in system:
        return "Two numbers are added."
    if "Several tutors" in system:
        return reply_as_fuser(messages)
    right = reply_as_tutor(messages)
    return right if "Is your first step true?" in user else re.sub(r"^.*\n", "1 + 1 = 3.\n", right)


def asking_config(base_url: str, **overrides: Any) -> dict[str, Any]:
    """Return a configuration of fakes around four chat models on one server that answers as `reply_to_all`."""
    chat = {"model": "fake", "base_url": base_url, "retries": 0, "price_in": 1.0, "price_out": 2.0}
    second = {"name": "tutelage.testing:FakeTeacher", "options": {"name": "second", "preface": "Let us see. "}}
    settings = {
        "teachers": [{"name": "chat", "options": {**chat, "name": "tutor"}}, second],
        "teach": {"critic": {"name": "chat", "options": chat}},
        "purifier": {"name": "aggregate", "options": chat},
        "diagnostician": {"name": "skills", "options": {"describe": chat}},
    }
    return fake_config(**{**settings, **overrides})
