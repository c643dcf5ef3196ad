"""How a wrong result differs from the right one, in words that are the same for other numbers.

Relations in the manner of BUGGY (Brown and Burton 1978, "Diagnostic models for procedural bugs in basic mathematical
skills", Cognitive Science 2): what the wrong digits, the wrong list or the wrong operation would come from. They say
what is seen, not what the student thought; several may hold at once, and for many errors none does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, Final

from ..arithmetic import as_text, evaluate
from ..schema import WrongStep
from .bugs import bugs

CAP: Final = 400
"""Characters of a result, and of a step, that are looked at."""
_UNITS: Final = (7, 12, 24, 30, 60, 365, 1000, 3600)
_MOST: Final = 12
"""Numbers of a question that a result is compared with; with more, chance would find something."""
_EXPRESSION = re.compile(r"(?<![-(\d])[-(\d][-+*/×÷·−().,\d ]*[\d)]")
_SAID = re.compile(
    r"(?<![-(\d])(-?(?>[(\d][().\d ]*+[-+*/×÷][-+*/×÷().\d ]*[\d)]))"  # a run is taken whole: no going back
    r"[^\d.(+*/=-]{1,30}(-?\d+(?:\.\d+)?)"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_FRACTION = re.compile(r"(-?\d{1,18}) ?/ ?(\d{1,18})")


def relations(question: str, gold: str, given: str | None, wrong_step: WrongStep | None, text: str) -> tuple[str, ...]:
    """Name how an error's result differs from what it should have been.

    Args:
        question: The problem's question.
        gold: The right final answer.
        given: The answer found in the attempt, if any.
        wrong_step: The first wrong step, if known; otherwise the final answer is compared.
        text: The attempt, which the step's offsets point into.

    Returns:
        Short phrases such as `no carry` or `off by ten`, each once. Never raises.
    """
    question, text = question[: 5 * CAP], text[: 5 * CAP]
    if wrong_step is not None and wrong_step.kind in ("equation", "answer"):
        step = text[wrong_step.start : wrong_step.end].split("=")[0]
        found = _compare(step, wrong_step.found, wrong_step.expected)
    elif wrong_step is not None and wrong_step.kind == "copied":
        found = _compare("", *_miscopied(wrong_step.found, wrong_step.expected))
    elif (said := _said(text)) is not None:
        found = _compare(*said)
    elif given is not None:
        found = (*_compare(_asked(question), given, gold), *_of_question(question, given, gold))
    else:
        return ()
    return tuple(dict.fromkeys(found))


def _compare(step: str, found: str, expected: str) -> tuple[str, ...]:
    found, expected = found[:CAP].strip(" $"), expected[:CAP].strip(" $")
    wrong, right = evaluate(found), evaluate(expected)
    if wrong is None or right is None:
        return tuple(_of_lists(found, expected))
    if wrong == right:
        return ("right value in another form",)
    if explained := tuple(bugs(_cleaned(step[:CAP]), wrong)):
        return explained  # what the result looks like follows from that
    digits = _of_digits(as_text(abs(wrong)), as_text(abs(right)))
    return (*_of_fractions(found, expected), *_of_values(wrong, right), *digits)


def _of_values(wrong: Fraction, right: Fraction) -> Iterator[str]:
    if wrong == -right:
        yield "sign flipped"
        return
    yield "too small" if wrong < right else "too large"
    if wrong.denominator != 1 and right.denominator == 1:
        yield "not a whole number"
    gap = abs(wrong - right)
    if _is_power_of_ten(gap):
        yield f"off by {as_text(gap)}"
    elif gap % 10 == 0:
        yield "last digit right"
    if wrong and right:
        yield from _of_ratio(wrong / right)


def _of_ratio(ratio: Fraction) -> Iterator[str]:
    if ratio < 0:
        yield "other sign"
        ratio = -ratio
    if _is_power_of_ten(ratio):
        yield "decimal place moved"
    yield from (f"off by the factor {unit}" for unit in (2, *_UNITS) if ratio in (unit, Fraction(1, unit)))
    bounds = ((Fraction(1, 5), "a fraction of it"), (Fraction(2, 3), "about half"), (Fraction(3, 2), "of like size"))
    yield next((name for bound, name in bounds if ratio < bound), "about double" if ratio < 5 else "many times it")


def _is_power_of_ten(value: Fraction) -> bool:
    digits = (str(value.numerator), str(value.denominator))
    return all(one.strip("0") == "1" and one[0] == "1" for one in digits)


def _of_digits(wrong: str, right: str) -> Iterator[str]:
    a, b = wrong.replace(".", ""), right.replace(".", "")
    if a != b and sorted(a) == sorted(b):
        yield "digits exchanged"
    if len(a) == len(b):
        differing = [len(a) - at for at, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
        if len(differing) == 1:
            yield f"only digit {differing[0]} from the right wrong"
    elif _without_one(b, a):
        yield "digit left out"
    elif _without_one(a, b):
        yield "digit too many"


def _without_one(longer: str, shorter: str) -> bool:
    """Whether `shorter` is `longer` without one character."""
    return len(longer) == len(shorter) + 1 and any(
        longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer))
    )


def _of_fractions(found: str, expected: str) -> Iterator[str]:
    one, other = _FRACTION.fullmatch(found), _FRACTION.fullmatch(expected)
    if one is None or other is None:
        return
    (a, b), (c, d) = (map(int, match.groups()) for match in (one, other))
    if (a, b) == (d, c):
        yield "fraction upside down"
    elif b == d:
        yield "same denominator, another numerator"
    elif a == c:
        yield "same numerator, another denominator"


def _of_question(question: str, given: str, gold: str) -> Iterator[str]:
    """Compare a result with the numbers that the question names."""
    wrong, right = evaluate(given[:CAP].strip(" $")), evaluate(gold[:CAP])
    named = [Fraction(number) for number in _NUMBER.findall(question)[: _MOST + 1] if len(number) <= 30]
    if wrong is None or right is None or not 0 < len(named) <= _MOST:
        return
    wholes = [int(n) for n in named if n and n.denominator == 1]
    tests: dict[str, Callable[[], Any]] = {
        "a number of the question as the result": lambda: abs(wrong) in named,
        "the sum of the question's numbers": lambda: wrong == sum(named),
        "a difference of the question's numbers": lambda: any(abs(wrong) == a - b for a in named for b in named if b),
        "a product of the question's numbers": lambda: any(wrong == a * b for a in named for b in named if b > 1 < a),
        "off by a number of the question": lambda: abs(wrong - right) in named,
        "off by twice a number of the question": lambda: 1 < abs(wrong - right) / 2 in named,
        "off by a factor of the question": lambda: right and wrong / right in [n for n in named if n > 1],
        "divides the question's numbers": lambda: wrong > 1 and wholes and all(n % wrong == 0 for n in wholes),
        "a multiple of the question's numbers": lambda: (
            len(wholes) > 1 and wrong and all(wrong % n == 0 for n in wholes)
        ),
    }
    yield from (name for name, holds in tests.items() if holds())
    one, other = _FRACTION.fullmatch(given[:CAP].strip(" $")), _FRACTION.fullmatch(gold[:CAP])
    if one and other:
        parts = zip(("numerator", "denominator"), one.groups(), other.groups(), strict=True)
        yield from (f"{name} as in the question" for name, a, b in parts if int(a) in named and int(a) != int(b))


def _of_lists(found: str, expected: str) -> Iterator[str]:
    """Compare what is no number: lists by their items, words by their letters."""
    a, b = (re.findall(r"[^\s,;\[\]()'\"]+", one) for one in (found, expected))
    thing = "item"
    if len(a) == len(b) == 1:
        a, b, thing = list(a[0]), list(b[0]), "letter"
    if not a or not b or a == b:
        return
    if "".join(a).lower() == "".join(b).lower():
        yield "upper and lower case"
    elif Counter(a) == Counter(b):
        yield from _of_order(a, b, thing)
    elif len(a) != len(b):
        yield f"{thing}s left out" if len(a) < len(b) else f"{thing}s too many"
    elif sum(x != y for x, y in zip(a, b, strict=True)) == 1:
        yield f"one {thing} wrong"


def _of_order(a: list[str], b: list[str], thing: str) -> Iterator[str]:
    if a == b[::-1]:
        yield f"{thing}s the other way round"
        return
    keys: dict[str, Callable[[str], Any]] = {
        "by the alphabet": str,
        "by the alphabet, capitals ignored": str.lower,
        "by length": len,
        "by size without the sign": lambda item: abs(evaluate(item) or 0),
    }
    ordered = [name for name, key in keys.items() if _is_sorted([key(item) for item in a])]
    differing = [at for at, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
    if len(differing) == 2:
        yield f"two {'neighbouring ' if differing[1] - differing[0] == 1 else ''}{thing}s exchanged"
    elif ordered and len(a) > 2:
        yield from (f"{thing}s sorted {name}" for name in ordered)
    else:
        yield f"{thing}s in another order"


def _is_sorted(keys: list[Any]) -> bool:
    return len(set(keys)) > 1 and keys in (sorted(keys), sorted(keys, reverse=True))


def _miscopied(found: str, expected: str) -> tuple[str, str]:
    """Return the first number in which two expressions differ, as each has it."""
    a, b = (_NUMBER.findall(one) for one in (found, expected))
    return next(((x, y) for x, y in zip(a, b, strict=False) if x != y), (found, expected))


def _said(text: str) -> tuple[str, str, str] | None:
    """Return the first step that is told in words, such as `7 * 8 gives 54`, and is wrong: step, result, right one."""
    for match in _SAID.finditer(text):
        step = _cleaned(match[1])
        right = evaluate(step)
        if right is not None and evaluate(match[2]) != right:
            return step, match[2], as_text(right)
    return None


def _asked(question: str) -> str:
    """Return the longest expression in a question; empty if there is none."""
    found = [one for one in _EXPRESSION.findall(question) if any(op in one for op in "+-*/×÷−")]
    return max(found, key=len, default="")


def _cleaned(step: str) -> str:
    """Drop units and words from a step, and spell its signs in one way."""
    plain = step.replace("×", "*").replace("·", "*").replace("÷", "/").replace("−", "-")
    return re.sub(r"[^-+*/().\d ]", "", plain).strip()
