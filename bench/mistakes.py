"""The mistakes that `planted.py` plants: rules that solve a problem wrongly, by generator and name.

A rule gets a problem's metadata and says None where that problem gives no occasion for the mistake.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from wrong_steps import CHAIN, PRODUCTS, Step, apply, point_misplaced, right_aligned

from tutelage.arithmetic import as_text, evaluate, work


@dataclass
class Worked:
    """A solution: steps of `expression` and result, and the final answer."""

    answer: str
    steps: list[tuple[str, str]] = field(default_factory=list)


Facts = dict[str, Any]
Mistake = Callable[[Facts, random.Random], Worked | None]


def _chain(mistake: Step) -> Mistake:
    """Solve a chain of operations, the mistake made at the first step that gives occasion for it."""

    def solve(facts: Facts, _: random.Random) -> Worked | None:
        first, *rest = re.split(r" ([-+*]) ", facts["expression"])
        value, made, steps = Fraction(first), False, []
        for op, number in zip(rest[::2], rest[1::2], strict=True):
            right = Fraction(number)
            wrong = None if made else mistake(value, op, right)
            result = apply(value, op, right) if wrong is None else wrong
            made = made or wrong is not None
            steps.append((f"{as_text(value)} {op} {as_text(right)}", as_text(result)))
            value = result
        return Worked(as_text(value), steps) if made else None

    return solve


def _term_left_out(facts: Facts, rng: random.Random) -> Worked | None:
    parts = re.split(r" (?=[-+])", facts["expression"].replace("- ", "-").replace("+ ", "+"))
    if len(parts) < 3:
        return None
    del parts[rng.randrange(1, len(parts))]
    shown = " ".join(part[0] + " " + part[1:] if at else part for at, part in enumerate(parts))
    return _single(shown)


def _digits_exchanged(facts: Facts, _: random.Random) -> Worked | None:
    """Copy the first number that has two unlike digits with these exchanged."""
    for match in re.finditer(r"\d\d+", facts["expression"]):
        a, b, *rest = match.group()
        if a != b and b != "0":
            changed = b + a + "".join(rest)
            return _single(facts["expression"][: match.start()] + changed + facts["expression"][match.end() :])
    return None


def _single(expression: str) -> Worked | None:
    value = evaluate(expression)
    return None if value is None else Worked(as_text(value), [(expression, as_text(value))])


def _misread(change: Callable[[str], str]) -> Mistake:
    """Give an expression the value that it would have if it were written otherwise."""

    def solve(facts: Facts, _: random.Random) -> Worked | None:
        wrong = evaluate(change(facts["expression"]))
        return None if wrong is None else Worked(as_text(wrong), [(facts["expression"], as_text(wrong))])

    return solve


def _left_to_right(expression: str) -> str:
    if "(" in expression or not re.search(r"[-+].*[*/]", expression):
        return ""
    parts = re.split(r" ([-+*/]) ", expression)
    shown = parts[0]
    for op, number in zip(parts[1::2], parts[2::2], strict=True):
        shown = f"({shown} {op} {number})"
    return shown


def _without_parentheses(expression: str) -> str:
    return re.sub(r"[()]", "", expression) if "(" in expression and "-(" not in expression else ""


def _fraction(rule: Callable[[int, int, int], tuple[int, int] | None]) -> Mistake:
    """Answer a fraction with another, made from numerator, denominator and a common factor."""

    def solve(facts: Facts, _: random.Random) -> Worked | None:
        top, bottom = facts["numerator"], facts["denominator"]
        common = math.gcd(top, bottom)
        wrong = rule(top, bottom, common)
        return None if wrong is None else Worked(f"{wrong[0]}/{wrong[1]}")

    return solve


def _half_reduced(top: int, bottom: int, common: int) -> tuple[int, int] | None:
    factor = next((n for n in range(2, common) if common % n == 0), None)
    return (top // factor, bottom // factor) if factor else None


def _numbers(rule: Callable[[list[int]], int | None]) -> Mistake:
    def solve(facts: Facts, _: random.Random) -> Worked | None:
        wrong = rule(facts["numbers"])
        return None if wrong is None else Worked(str(wrong))

    return solve


def _smaller_divisor(numbers: list[int]) -> int | None:
    common = math.gcd(*numbers)
    return max((n for n in range(1, common) if common % n == 0), default=None)


def _text(rule: Callable[[Facts], str | None]) -> Mistake:
    def solve(facts: Facts, _: random.Random) -> Worked | None:
        wrong = rule(facts)
        return None if wrong is None else Worked(wrong)

    return solve


def _sorted(key: Callable[[str], Any]) -> Mistake:
    """Sort a list by another key."""

    def rule(facts: Facts) -> str | None:
        down = facts["direction"] == "descending"
        if "original_numbers" in facts:
            return str(sorted(facts["original_numbers"], key=key, reverse=down))
        return ", ".join(sorted(facts["transformed_words"], key=key, reverse=down))

    return _text(rule)


def _other_way(facts: Facts) -> str | None:
    if "sorted_numbers" in facts:
        return str(facts["sorted_numbers"][::-1])
    return ", ".join(facts["sorted_words"][::-1])


def _last_left_out(facts: Facts) -> str | None:
    found = facts.get("sorted_numbers") or facts.get("sorted_words")
    return str(found[:-1]) if "sorted_numbers" in facts else ", ".join(found[:-1])


def _equation(facts: Facts, rule: Callable[[int, int, int], Fraction | None]) -> str | None:
    """Answer `a*x + b = c` with what the rule makes of a, b and c."""
    name = facts["variable"]
    match = re.fullmatch(rf"(\d+)\*{name} ([-+]) (\d+) = (-?\d+)", facts["equation"])
    if match is None:
        return None
    wrong = rule(int(match[1]), int(match[2] + match[3]), int(match[4]))
    return None if wrong is None else as_text(wrong)


def _legs(facts: Facts, change: Callable[[dict[str, int]], dict[str, int]]) -> Worked | None:
    from reasoning_gym.arithmetic.leg_counting import ANIMALS

    wrong = change({animal: count * ANIMALS[animal] for animal, count in facts["animals"].items()})
    return Worked(str(sum(wrong.values())), [(" + ".join(map(str, wrong.values())), str(sum(wrong.values())))])


def _story(facts: Facts, rule: Callable[[list[tuple[str, str]]], list[tuple[str, str]] | None]) -> Worked | None:
    """Change the steps of a word problem's own solution, such as `57*12 = 684`."""
    found = re.findall(r"([\d.]+(?: ?[-+*/] ?[\d.]+)+) ?= ?(-?[\d.]+)", facts["answer_cot"].replace(",", ""))
    steps = [(expression, result.rstrip(".")) for expression, result in found if work(expression)]
    changed = rule(steps) if len(steps) > 1 else None
    return Worked(changed[-1][1].removesuffix(".0"), changed) if changed else None


def _last_step_as(op: str, other: str) -> Mistake:
    def rule(steps: list[tuple[str, str]]) -> list[tuple[str, str]] | None:
        expression = steps[-1][0]
        wrong = evaluate(expression.replace(op, other)) if expression.count(op) == 1 else None
        return None if wrong is None else [*steps[:-1], (expression, as_text(wrong))]

    return lambda facts, _: _story(facts, rule)


def kinds() -> Iterator[tuple[str, str, Mistake]]:
    """Yield generator, name and rule of every kind."""
    yield from (("chain_sum", name, _chain(step)) for name, step in CHAIN.items())
    yield "chain_sum", "a term left out", _term_left_out
    yield "chain_sum", "digits of a number exchanged", _digits_exchanged
    yield from (("products", name, _chain(step)) for name, step in PRODUCTS.items())
    yield "decimal_chain_sum", "decimal point misplaced", _chain(point_misplaced)
    yield "decimal_chain_sum", "last digits under one another", _chain(right_aligned)
    yield "decimal_chain_sum", "a term left out", _term_left_out
    yield "basic_arithmetic", "from left to right", _misread(_left_to_right)
    yield "basic_arithmetic", "parentheses ignored", _misread(_without_parentheses)
    yield from (("fraction_simplification", name, _fraction(rule)) for name, rule in FRACTIONS.items())
    yield from (("gcd", name, _numbers(rule)) for name, rule in GCD.items())
    yield from (("lcm", name, _numbers(rule)) for name, rule in LCM.items())
    yield from (("number_sorting", name, mistake) for name, mistake in SORTING.items())
    yield from (("word_sorting", name, mistake) for name, mistake in WORDS.items())
    yield from (("letter_counting", name, _text(rule)) for name, rule in LETTERS.items())
    yield from (("spell_backward", name, _text(rule)) for name, rule in SPELLING.items())
    yield from (("count_bits", name, _text(rule)) for name, rule in BITS.items())
    yield from (("simple_equations", name, _text(rule)) for name, rule in EQUATIONS.items())
    yield from (("leg_counting", name, mistake) for name, mistake in LEGS.items())
    yield "gsm_symbolic", "the last step left out", lambda facts, _: _story(facts, lambda steps: steps[:-1])
    yield "gsm_symbolic", "last multiplication done as addition", _last_step_as("*", "+")
    yield "gsm_symbolic", "last subtraction done as addition", _last_step_as("-", "+")


FRACTIONS: dict[str, Callable[[int, int, int], tuple[int, int] | None]] = {
    "only the numerator divided": lambda a, b, n: (a // n, b) if n > 1 else None,
    "only the denominator divided": lambda a, b, n: (a, b // n) if n > 1 else None,
    "not fully reduced": _half_reduced,
    "upside down": lambda a, b, n: (b // n, a // n),
    "factor subtracted instead of divided out": lambda a, b, n: (a - n, b - n) if 1 < n < min(a, b) else None,
}
GCD: dict[str, Callable[[list[int]], int | None]] = {
    "a smaller common divisor": _smaller_divisor,
    "the multiple instead of the divisor": lambda numbers: math.lcm(*numbers),
    "the difference instead of the divisor": lambda numbers: max(numbers) - min(numbers),
}
LCM: dict[str, Callable[[list[int]], int | None]] = {
    "the product": lambda numbers: math.prod(numbers),
    "the divisor instead of the multiple": lambda numbers: math.gcd(*numbers),
    "twice the multiple": lambda numbers: 2 * math.lcm(*numbers),
}
SORTING: dict[str, Mistake] = {
    "the other way round": _text(_other_way),
    "signs ignored": _sorted(lambda number: abs(float(number))),
    "as text": _sorted(str),
    "last one left out": _text(_last_left_out),
}
WORDS: dict[str, Mistake] = {
    "the other way round": _text(_other_way),
    "capitals ignored": _sorted(str.lower),
    "by length": _sorted(len),
}
LETTERS: dict[str, Callable[[Facts], str | None]] = {
    "one missed": lambda facts: str(_count(facts) - 1) if _count(facts) > 2 else None,
    "words counted": lambda facts: str(sum(facts["target_letter"] in word.lower() for word in facts["span"])),
    "all words counted": lambda facts: str(len(facts["span"])),
}
SPELLING: dict[str, Callable[[Facts], str | None]] = {
    "a letter left out": lambda facts: facts["word"][::-1][:1] + facts["word"][::-1][2:],
    "two letters exchanged": lambda facts: facts["word"][::-1][1::-1] + facts["word"][::-1][2:],
    "not reversed": lambda facts: str(facts["word"]),
}
BITS: dict[str, Callable[[Facts], str | None]] = {
    "zeros counted": lambda facts: str(facts["binary"].removeprefix("0b").count("0")),
    "all bits counted": lambda facts: str(len(facts["binary"].removeprefix("0b"))),
    "decimal digits counted": lambda facts: str(str(facts["number"]).count("1")),
}
EQUATIONS: dict[str, Callable[[Facts], str | None]] = {
    "sign kept when moved over": lambda facts: _equation(facts, lambda a, b, c: Fraction(c + b, a)),
    "not divided at the end": lambda facts: _equation(facts, lambda a, b, c: Fraction(c - b)),
    "divided before moving over": lambda facts: _equation(facts, lambda a, b, c: Fraction(c, a) - b),
}
LEGS: dict[str, Mistake] = {
    "one animal left out": lambda facts, _: _legs(facts, lambda legs: dict(list(legs.items())[:-1])),
    "four legs each": lambda facts, _: _legs(facts, lambda legs: {a: 4 * facts["animals"][a] for a in legs}),
    "animals counted": lambda facts, _: _legs(facts, lambda legs: dict(facts["animals"])),
}


def _count(facts: Facts) -> int:
    return sum(word.lower().count(facts["target_letter"]) for word in facts["span"])
