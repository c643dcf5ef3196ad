"""Numbers of a word problem that a solution copied wrongly.

A word problem's solution brings in numbers that the question does not name (12 months, half of 30), so an unknown
number proves nothing. It counts as copied wrongly if it looks like one of the question's numbers that the solution uses
nowhere, and if no single operation on what is known makes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Final

from ...arithmetic import as_text
from ...schema import WrongStep
from .equations import Equation
from .parts import parts_of, taken_in_parts
from .tokens import SHOWN, numbers_in

_MAX_KNOWN: Final = 40
_SMALL: Final = 10
"""Numbers up to this are made in passing."""
_USUAL: Final = frozenset(map(Fraction, (12, 24, 28, 30, 31, 52, 60, 90, 100, 180, 360, 365, 366, 1000, 1440, 3600)))
"""Numbers that everybody knows: hours, months, days, weeks, degrees, feet, percent."""
_FACTORS: Final = tuple(map(Fraction, (1, 2, 3, 4, 7, 10, 12, 24, 60, 100, 1000)))
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORDS: Final = {
    **{word: n for n, word in enumerate(f"{_ONES} seventeen eighteen nineteen".split())},
    **{word: 10 * n for n, word in enumerate(_TENS.split(), start=2)},
    **{"dozen": 12, "score": 20, "hundred": 100, "thousand": 1000, "million": 10**6, "couple": 2},
}
_WORD = re.compile(r"[a-z]+")


def misread_from_story(question: str, equations: Sequence[Equation], text: str) -> WrongStep | None:
    """Find an operation with a number that looks like a number of the question that the solution should have used."""
    given = numbers_in(question)
    unused = given - numbers_in(text)
    known = given | _spelled(question)
    operands = {abs(number) for e in equations for number in e.left.numbers if e.left.operators}
    fine = _USUAL | taken_in_parts(unused, operands)
    for equation in equations:
        left, right = equation.left, equation.right
        if equation.verdict == "wrong" or len(known) > _MAX_KNOWN:
            return None
        strange = {abs(n) for n in left.numbers if left.operators and abs(n) > _SMALL} - known - fine
        for number in sorted(strange)[:_MAX_KNOWN]:
            meant = next((one for one in sorted(given) if is_slip(number, one, one in unused, known)), None)
            if meant is not None and number not in numbers_in(text[: left.start]):
                told = {"expected": as_text(meant)[:SHOWN], "found": as_text(number)[:SHOWN]}
                return WrongStep(kind="copied", start=left.start, end=left.end, **told)
        known.update(abs(n) for n in (*left.numbers, *((*right.values, *right.numbers) if right else ())))
    return None


def _spelled(question: str) -> set[Fraction]:
    """Return the numbers that a question writes in words: `twenty-five`, `two hundred`."""
    found: set[Fraction] = set()
    total = 0
    for word in _WORD.findall(question.lower()):
        value = _WORDS.get(word)
        if value is None:
            total = 0
            continue
        total = max(total, 1) * value if value >= 100 or word in ("dozen", "score") else total + value
        found.update((Fraction(value), Fraction(total)))
    return found


def is_slip(number: Fraction, meant: Fraction, unused: bool, known: set[Fraction]) -> bool:
    """Whether a number is another one with a slip in its digits, and nothing else that is plain to see.

    If the solution uses the other one too, only exchanged digits of a number of three or more say so.
    """
    said, given = as_text(number), as_text(meant)
    if len(given) < 2 or "/" in said + given:
        return False
    exchanged = _exchanged(said, given)
    if not (exchanged or (unused and _misread(said, given))) or number in parts_of(meant):
        return False
    if not unused:
        return len(given) > 2 and not _made(number, known)
    return exchanged or not _made(number, known)


def _exchanged(said: str, given: str) -> bool:
    """Whether two neighbouring digits are exchanged."""
    differing = [at for at, (a, b) in enumerate(zip(said, given, strict=False)) if a != b]
    if len(said) != len(given) or len(differing) != 2 or differing[1] - differing[0] != 1:
        return False
    first, second = differing
    return said[first] == given[second] and said[second] == given[first]


def _misread(said: str, given: str) -> bool:
    """Whether one digit differs, is missing or is too many."""
    if len(said) == len(given):
        return sum(a != b for a, b in zip(said, given, strict=True)) == 1
    longer, shorter = (said, given) if len(said) > len(given) else (given, said)
    return len(longer) > 2 and any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))


def _made(number: Fraction, known: set[Fraction]) -> bool:
    """Whether a number is made of what is known in one operation, or is what a percentage comes to."""
    if any(made == number for one in sorted(known) for made in _alone(one)):
        return True
    return any(
        number in (a + b, abs(a - b), a * b) or number * a == b or number * b == a for a, b in combinations(known, 2)
    )


def _alone(one: Fraction) -> Iterator[Fraction]:
    """Yield what a number is in another unit, one more or less, and what is left or more by so many percent."""
    yield from (one + 1, abs(one - 1), one / 100, abs(100 - one), 100 + one, abs(1 - one), 1 + one)
    yield from (1 + one / 100, abs(1 - one / 100))
    for factor in _FACTORS:
        yield from (one * factor, one / factor)
