"""Plant slips in the reference solutions of reasoning_gym's word problems, `gsm_symbolic`.

Their equations are found by a pattern of this module's own, not by the step finder. A wrong result is carried on: where
later equations use it, they use the wrong one and go on rightly.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from slips import COPIES, RESULTS, Slip
from worked import value_of
from wrong_steps import apply

from tutelage.agents.steps.tokens import numbers_in
from tutelage.arithmetic import as_text

_NUMBER = r"\d+(?:\.\d+)?"
_UNIT = r"(?: ?[a-z]+(?:/[a-z]+)?){0,2}"
EQUATION = re.compile(
    rf"(?<![\d.,=+*/x-])(?<![=+*/x-] )[$€£]?(?P<left>{_NUMBER})(?P<p>%?){_UNIT} ?(?P<op>[-+*/x]) ?"
    rf"[$€£]?(?P<right>{_NUMBER})(?P<percent>%?){_UNIT} ?= ?"
    rf"[$€£]?(?P<result>{_NUMBER})(?![\d%]|\.\d|\s*[-+*/x=])"
)
"""One operation and its result."""
_OPERAND = rf"[$€£]?{_NUMBER}%?{_UNIT}"
_WORKED = re.compile(
    rf"(?<![\d.,=+*/x÷-])(?<![=+*/x÷-] )(?P<expression>{_OPERAND}(?: ?[-+*/x] ?{_OPERAND})+) ?= ?"
    rf"[$€£]?(?P<result>{_NUMBER})(?![\d%]|\.\d|\s*[-+*/x=])"
)
"""Any number of operations and their result."""


@dataclass
class Rationale:
    """A word problem with its reference solution."""

    question: str
    text: str
    answer: str

    def equations(self) -> list[re.Match[str]]:
        """Return the equations of one operation that hold."""
        return [match for match in EQUATION.finditer(self.text) if exact(match) == Fraction(match["result"])]

    def wrong_equations(self) -> Iterator[str]:
        """Yield the equations whose result differs from the exact one by half a cent or more.

        There are some: the data set cuts off what is behind the point, and adds up in floating point.
        """
        for match in _WORKED.finditer(re.sub(r"\dx\b", "?", self.text)):  # `2x + 100 = 136` is to be solved
            spelt = re.sub(r"(?<![a-z])x(?![a-z])", "*", match["expression"])
            plain = re.sub(rf"({_NUMBER})%", r"(\1/100)", re.sub(r"[$€£ ]|/?[a-z]+", "", spelt))
            if abs(value_of(plain) - Fraction(match["result"])) >= Fraction(1, 200):
                yield match.group()


def exact(match: re.Match[str]) -> Fraction:
    """Return what the operation of an equation makes."""
    left, right = (Fraction(match[name]) for name in ("left", "right"))
    left, right = (value / 100 if match[sign] else value for value, sign in ((left, "p"), (right, "percent")))
    op = "*" if match["op"] == "x" else match["op"]
    return apply(left, op, right) if right or op != "/" else Fraction(0)


def rationales(n: int, seed: int) -> Iterator[Rationale]:
    """Draw word problems."""
    import reasoning_gym

    for row in reasoning_gym.create_dataset("gsm_symbolic", size=n, seed=seed):
        yield Rationale(row["question"].strip(), row["metadata"]["answer_cot"].strip(), str(row["answer"]))


def plant_in(name: str, rationale: Rationale, rng: random.Random) -> Slip | None:
    """Plant the slip of a name; None if there is no occasion for it."""
    equations = rationale.equations()
    rng.shuffle(equations)
    for match in equations:
        slip = _wrong_result(name, rationale, match) if name in RESULTS or name == PERCENT else None
        slip = slip or (_wrong_copy(name, rationale, match, rng) if name in COPIES else None)
        if slip is not None:
            return slip
    return OTHERS[name](rationale, rng) if name in OTHERS else None


PERCENT = "percent taken as tenths"


def _wrong_result(name: str, rationale: Rationale, match: re.Match[str]) -> Slip | None:
    left, op, right = Fraction(match["left"]), match["op"].replace("x", "*"), Fraction(match["right"])
    if name == PERCENT:
        part = match["p"] or match["percent"] or (op == "*" and re.match(r"0?\.\d", match["right"]))
        wrong = exact(match) * 10 if part else None
    else:
        wrong = None if match["p"] or match["percent"] else RESULTS[name](left, op, right)
    if wrong is None or wrong <= 0 or wrong == exact(match) or "/" in as_text(wrong):
        return None
    start, said = match.start("result"), as_text(wrong)
    rest, _ = _carried_on(rationale, match, {Fraction(match["result"]): wrong})
    if rest is None:
        return None
    text = rationale.text[:start] + said + rest
    values = exact(match), wrong
    return Slip(name, "equation", start, start + len(said), rationale.question, text, values=values)


def _wrong_copy(name: str, rationale: Rationale, match: re.Match[str], rng: random.Random) -> Slip | None:
    given = numbers_in(rationale.question)
    for side in rng.sample(["left", "right"], 2):
        number = match[side]
        if len(number) < 2 or "." in number or Fraction(number) not in given or match["p"] or match["percent"]:
            continue
        said = COPIES[name](number, rng)
        if said[0] == "0" or Fraction(said) < 10 or Fraction(said) in given | numbers_in(rationale.text):
            continue
        changed = {"left": Fraction(match["left"]), "right": Fraction(match["right"]), side: Fraction(said)}
        result = apply(changed["left"], match["op"].replace("x", "*"), changed["right"])
        rest, answer = _carried_on(rationale, match, {Fraction(match["result"]): result})
        if result <= 0 or "/" in as_text(result) or rest is None or Fraction(answer) == Fraction(rationale.answer):
            continue
        (start, end), at = match.span(side), match.start("result")
        text = rationale.text[:start] + said + rationale.text[end:at] + as_text(result) + rest
        values = Fraction(number), Fraction(said)
        return Slip(name, "copied", start, start + len(said), rationale.question, text, values=values)
    return None


def _carried_on(
    rationale: Rationale, match: re.Match[str], changed: dict[Fraction, Fraction]
) -> tuple[str | None, str]:
    """Rewrite what follows a changed result; None where that cannot be done, with the final answer that it comes to.

    An equation that uses a changed number is worked again; elsewhere such a number is replaced where it stands.
    """
    given = numbers_in(rationale.question)
    if any(value in given for value in changed):
        return None, ""  # which of the two is meant cannot be told
    out, at = "", match.end("result")
    for later in [m for m in EQUATION.finditer(rationale.text, at)]:
        out += _replaced(rationale.text[at : later.start()], changed)
        left, right = (changed.get(Fraction(later[s]), Fraction(later[s])) for s in ("left", "right"))
        head = rationale.text[later.start() : later.start("result")]
        if later["p"] or later["percent"] or Fraction(later["result"]) != exact(later):
            return None, ""
        result = apply(left, later["op"].replace("x", "*"), right) if right else Fraction(-1)
        if result <= 0 or "/" in as_text(result) or len(as_text(result)) > 9:
            return None, ""
        if result != Fraction(later["result"]):
            changed = {**changed, Fraction(later["result"]): result}
        out += _replaced(head, {Fraction(later[s]): v for s, v in (("left", left), ("right", right))}) + as_text(result)
        at = later.end("result")
    out += _replaced(rationale.text[at:], changed)
    return (None, "") if "=" in rationale.text[at:] else (out, out.rpartition("#### ")[2].strip() or "0")


def _replaced(text: str, changed: dict[Fraction, Fraction]) -> str:
    def other(found: re.Match[str]) -> str:
        value = Fraction(found.group())
        return as_text(changed[value]) if value in changed and changed[value] != value else found.group()

    return re.sub(rf"(?<![\d.,]){_NUMBER}(?![\d,])", other, text)


def _other_answer(rationale: Rationale, rng: random.Random) -> Slip | None:
    """Say another final answer than the last step."""
    steps, mark, answer = rationale.text.rpartition("\n#### ")
    equations = [m for m in rationale.equations() if m.start() >= steps.rfind("\n")]
    if not equations or Fraction(equations[-1]["result"]) != Fraction(answer) or _left_over(steps, equations[-1]):
        return None
    other = Fraction(answer) + rng.choice([-10, -2, -1, 1, 2, 5, 10, 100])
    if other <= 0 or other in numbers_in(steps[equations[-1].end() :]):
        return None
    text = f"{steps}{mark}{as_text(other)}"
    values = Fraction(answer), other
    return Slip(ANSWER, "answer", len(steps) + 1, len(text), rationale.question, text, values=values)


def _left_over(steps: str, last: re.Match[str]) -> bool:
    return any(c.isdigit() for c in steps[last.end("result") :])


def _cut_off(rationale: Rationale, rng: random.Random) -> Slip | None:
    end = rationale.text.rfind("\n####")
    cut = rng.randrange(end * 2 // 5, end)
    return Slip("cut off", "truncated", cut, cut, rationale.question, rationale.text[:cut], truncated=True)


def _no_answer(rationale: Rationale, rng: random.Random) -> Slip | None:
    text = rationale.text.rpartition("\n####")[0]
    return Slip("no final answer", "format", len(text), len(text), rationale.question, text)


def _said_again(rationale: Rationale, rng: random.Random) -> Slip | None:
    lines = rationale.text.splitlines(keepends=True)[:-1]
    at, times = rng.randrange(len(lines)), rng.randrange(5, 12)
    before = "".join(lines[:at])
    start = len(before) + len(lines[at])
    text = before + lines[at] * times
    return Slip("said over and over", "repetition", start, len(text), rationale.question, text, truncated=True)


ANSWER = "answer differs from the last step"
OTHERS = {
    ANSWER: _other_answer,
    "cut off": _cut_off,
    "no final answer": _no_answer,
    "said over and over": _said_again,
}
