"""What the rules do whose names are the skills of `rules`: two books of ten, under the same names.

`digits` has tables: permutations of the ten digits, which have to be learnt by heart. `strings` has operations on a
string of digits, of which a pretrained model needs to see a few to get the idea. In both, different inputs have
different results, so that after one wrong step the answer stays wrong; and the names tell nothing, so that a student
cannot know a rule it was not taught, whatever it has read elsewhere.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, Literal

from ..errors import InputError, did_you_mean

Book = Literal["digits", "strings"]
Rule = Callable[[str], str]


def _look_up(factor: int, added: int, digit: str) -> str:
    return str((factor * int(digit) + added) % 10)


def _append(end: str, string: str) -> str:
    return string + end


def _prepend(begin: str, string: str) -> str:
    return begin + string


def _last_twice(string: str) -> str:
    return string + string[-1]


def _first_twice(string: str) -> str:
    return string[0] + string


BOOKS: Final[Mapping[Book, Mapping[str, Rule]]] = {
    "digits": {
        "bend": partial(_look_up, 1, 1),
        "fold": partial(_look_up, 9, 9),
        "jump": partial(_look_up, 1, 2),
        "knit": partial(_look_up, 9, 0),
        "mix": partial(_look_up, 7, 0),
        "roll": partial(_look_up, 1, 9),
        "shake": partial(_look_up, 3, 0),
        "spin": partial(_look_up, 1, 5),
        "turn": partial(_look_up, 3, 1),
        "wind": partial(_look_up, 7, 3),
    },
    "strings": {
        "bend": partial(_append, "3"),
        "fold": partial(_prepend, "5"),
        "jump": partial(_append, "8"),
        "knit": _last_twice,
        "mix": partial(_append, "0"),
        "roll": partial(_prepend, "1"),
        "shake": partial(_append, "6"),
        "spin": partial(_prepend, "9"),
        "turn": _first_twice,
        "wind": partial(_append, "4"),
    },
}
"""Each book's rules by name."""
RULES: Final = tuple(BOOKS["digits"])
"""The names, the same in every book."""
STARTS: Final[Mapping[Book, range]] = {"digits": range(10), "strings": range(10, 100)}
"""What a problem may begin with."""
LENGTHS: Final = (1, 2, 3)
"""Numbers of rules that a problem has."""
MOST: Final = max(LENGTHS)


def apply(book: Book, rule: str, at: str) -> str:
    """Return what a rule makes of a digit or string."""
    return BOOKS[book][rule](at)


def draw_rules(rng: random.Random, count: int, shares: Mapping[str, float]) -> tuple[str, ...]:
    """Draw distinct rules, one after another in proportion to their shares."""
    left, drawn = dict(shares), list[str]()
    for _ in range(count):
        drawn += rng.choices(list(left), list(left.values()))
        del left[drawn[-1]]
    return tuple(drawn)


def check_rules(field: str, names: Iterable[str]) -> None:
    """Raise InputError if a name is no rule, naming the field."""
    for name in names:
        if name not in RULES:
            raise InputError(f"{field}: unknown rule {name!r}; {did_you_mean(name, RULES)}")


def check_book(field: str, book: str) -> Book:
    """Return a book's name; raise InputError if there is none of that name, naming the field."""
    for name in BOOKS:
        if name == book:
            return name
    raise InputError(f"{field}: unknown book {book!r}; {did_you_mean(book, BOOKS)}")
