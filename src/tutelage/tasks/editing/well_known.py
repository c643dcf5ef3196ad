"""Well-known facts of the real world, in `well_known.jsonl`: asked beside edits, and changed by counterfactual ones."""

from __future__ import annotations

import json
import random
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from .fact import Unrelated
from .relations import WELL_KNOWN


class WellKnown(NamedTuple):
    """Something that is so."""

    relation: str
    subject: str
    object: str

    @property
    def asked(self) -> Unrelated:
        """The question about it, with the true answer."""
        return Unrelated(question=WELL_KNOWN[self.relation].ask(self.subject), answer=self.object)


@cache
def well_known() -> tuple[WellKnown, ...]:
    """Return all of them."""
    text = files(__package__).joinpath("well_known.jsonl").read_text(encoding="utf-8")
    return tuple(WellKnown(**json.loads(line)) for line in text.splitlines())


def general_questions(seed: int) -> list[Unrelated]:
    """Return a question about each, in a drawn order."""
    every = list(well_known())
    random.Random(f"general {seed}").shuffle(every)
    return [one.asked for one in every]
