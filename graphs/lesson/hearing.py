"""A request keeps what the configuration lets teachers hear (`teach.hears`), so that every teacher is ablated alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...config import Ingredient
from ...schema import TeachingRequest

FIELDS: dict[Ingredient, dict[str, Any]] = {
    "attempts": {"attempts": ()},
    "weaknesses": {"weakness": None, "weak_skills": (), "persistent": ()},
    "earlier": {"earlier": ()},
    "recalled": {"recalled": ()},
    "history": {"history": ()},
}
"""The fields of a request that each ingredient fills, with what they hold when it is left out."""


def heard(request: TeachingRequest, hears: Sequence[Ingredient]) -> TeachingRequest:
    """Blank what a teacher is not to hear. A refinement adds its own draft later, so that is always heard."""
    silenced = [fields for ingredient, fields in FIELDS.items() if ingredient not in hears]
    return request.model_copy(update={name: blank for fields in silenced for name, blank in fields.items()})
