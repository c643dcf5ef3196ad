"""Read a solution that a model has written as JSON, with a schema or on its own account."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field


class Solution(BaseModel):
    """A worked solution, as a model with structured output is asked for it."""

    model_config = ConfigDict(extra="forbid")

    steps: list[str] = Field(description="The solution in plain sentences, one step each, without the answer line.")
    answer: str = Field(description="The final answer and nothing else.")


class Fields(NamedTuple):
    """What a JSON object says."""

    body: str
    answer: str


_OPENINGS = 20
"""Places at which JSON is looked for."""
_ANSWERS = ("answer", "final_answer", "finalanswer")
_STEPS = ("steps", "solution", "reasoning", "explanation")


def fields_of(text: str) -> Fields | None:
    """Return the first JSON object in a text that has an answer; if it has no steps, what stands before is the body."""
    at = -1
    for _ in range(_OPENINGS):
        at = text.find("{", at + 1)
        if at < 0:
            return None
        try:
            value, _end = json.JSONDecoder(strict=False).raw_decode(text, at)
        except (ValueError, RecursionError):
            continue
        fields = {str(key).lower().replace(" ", "_"): said for key, said in value.items()}
        answer = next((fields[key] for key in _ANSWERS if key in fields), None)
        if isinstance(answer, str | int | float) and not isinstance(answer, bool):
            steps = next((fields[key] for key in _STEPS if fields.get(key)), text[:at])
            return Fields(_flat(steps), str(answer))
    return None


def _flat(value: Any) -> str:
    """Return strings of a list, or of a list of objects, a line each."""
    if isinstance(value, list):
        return "\n".join(_flat(one) for one in value)
    if isinstance(value, dict):
        return " ".join(str(one) for one in value.values())
    return str(value)
