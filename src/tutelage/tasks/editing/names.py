"""Invented names, none given out twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product
from typing import Final

from ...errors import InputError

_ONSETS: Final = "b br d dr f g gr h j k kl l m n p pr qu r s sk t th tr v vr w z"
_VOWELS: Final = "a e i o u ae ei ou"
_CODAS: Final = "l lm ln m n nd r rk rn s sk th v x"
_ENDINGS: Final = {
    "city": ("mora", "stead", "gard", "wick", "polis"),
    "country": ("onia", "avia", "istan", "esse", "ardy"),
    "company": (" Works", " Industries", " Holdings", " Trading", " Systems"),
    "currency": ("ek", "ol", "un", "ari"),
    "language": ("ish", "ic", "ese", "ar"),
    "given": ("a", "o", "in", "el", "is"),
    "family": ("sen", "dor", "vik", "ley", "ett"),
}
"""What a name of each kind ends in."""
_TRIES: Final = 10_000
"""Draws without a new name after which all count as given out."""
_THINGS: Final = "Lanterns Rivers Winters Orchards Mirrors Bridges Letters Shadows Sparrows Clocks Harbours Embers"


class Namer:
    """Gives out names by a random number generator."""

    def __init__(self, draw: random.Random) -> None:
        """Draw names."""
        self._draw = draw
        self._given: set[str] = set()
        self._stems = ["".join(parts) for parts in product(*map(str.split, (_ONSETS, _VOWELS, _CODAS)))]

    def name(self, kind: str) -> str:
        """Return a new name for something of a kind: a city, country, company, currency, language, person or book.

        Raises:
            InputError: If all are used up.
        """
        if kind in ("person", "notable"):
            return self._new(lambda: f"{self._word('given')} {self._word('family')}")
        if kind == "book":
            return f"The {self._draw.choice(_THINGS.split())} of {self.name('city')}"
        name = self._new(lambda: self._word(kind))
        return name.lower() if kind == "currency" else name

    def names(self, kind: str, count: int) -> tuple[str, ...]:
        """Return several new names; see `name`."""
        return tuple(self.name(kind) for _ in range(count))

    def _word(self, kind: str) -> str:
        return self._draw.choice(self._stems).capitalize() + self._draw.choice(_ENDINGS[kind])

    def _new(self, make: Callable[[], str]) -> str:
        for _ in range(_TRIES):
            if (made := make()) not in self._given:
                self._given.add(made)
                return made
        raise InputError("task: n: the invented names are used up; ask for fewer facts, or fewer unrelated questions")
