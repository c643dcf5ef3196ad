"""Write operations that were carried out as a solution, in varied styles, and keep the places of its parts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from worked import Line, Operation, Problem, carry_out

from tutelage.arithmetic import as_text

STYLES = ("sentences", "numbered", "prose", "latex", "steps", "bullets", "lines", "because", "chain", "chain lines")
_SIGNS = {"+": ("+", "+", "+"), "-": ("-", "−", "-"), "*": ("*", "×", "x"), "/": ("/", "÷", "/")}
_LATEX = {"*": r"\times", "/": r"\div"}
_BEFORE = {
    "sentences": ("", "", ""),
    "numbered": ("1. ", "{n}. ", "{n}. "),
    "prose": ("First, ", "Then ", "Finally, "),
    "latex": (r"\(", r"\(", r"\("),
    "steps": ("**Step 1:** ", "**Step {n}:** ", "**Step {n}:** "),
    "bullets": ("* ", "* ", "* "),
    "lines": ("", "", ""),
    "because": ("We begin: ", "Next we get {r} because ", "That makes {r} since "),
}
_AFTER = {"sentences": ". ", "prose": ". ", "latex": "\\)\n", "because": ".\n"}
_ANSWERS = {
    "sentences": "Answer: {a}",
    "numbered": "#### {a}",
    "prose": "So the answer is {a}.",
    "latex": r"\boxed{{{a}}}",
    "steps": "**Answer: {a}**",
    "chain lines": "The final answer is {a}",
}


@dataclass
class Text:
    """A solution as text, with the places of its parts: by operation its left and right operand and its result."""

    text: str = ""
    parts: list[dict[str, tuple[int, int]]] = field(default_factory=list)
    answer: tuple[int, int] = (0, 0)
    """The line that says the answer."""
    steps_end: int = 0


def chainable(operations: Sequence[Operation]) -> bool:
    """Whether operations are one chain of sums from left to right."""
    left_to_right = all(o.left.step == at - 1 for at, o in enumerate(operations) if at)
    lines = carry_out(operations)
    left_to_right = left_to_right and all(a.result == b.left for a, b in pairwise(lines))  # none is negated
    plain = all(o.op in "+-" and o.right.step is None and o.right.value >= 0 for o in operations)
    return len(operations) > 1 and left_to_right and plain


def write(problem: Problem, lines: Sequence[Line], style: str, rng: random.Random, answer: str | None = None) -> Text:
    """Write a solution.

    Args:
        problem: What is solved.
        lines: Its operations, carried out.
        style: One of `STYLES`.
        rng: Draws the signs and the separators of thousands.
        answer: The final answer; by default what the problem or the last line says.
    """
    out = Text()
    draws = rng.randrange(3), rng.random() < 0.3
    if style.startswith("chain"):
        _write_chain(out, lines, "\n" if style == "chain lines" else " ", *draws)
    else:
        for at, line in enumerate(lines):
            which = 0 if at == 0 else 1 if at < len(lines) - 1 else 2
            result = _number(line.result, draws[1])
            out.text += _BEFORE[style][which].format(n=at + 1, r=result)
            _write_line(out, line, style, *draws)
            out.text += _AFTER.get(style, "\n")
    said = answer or problem.answer or _number(lines[-1].result, draws[1])
    if problem.fraction:
        said = _write_fraction(out, problem.fraction, lines, answer)
    out.steps_end = len(out.text)
    form = _ANSWERS.get(style, "Answer: {a}")
    start = len(out.text)
    out.text += form.format(a=said)
    out.answer = (start, len(out.text))
    return out


def _write_line(out: Text, line: Line, style: str, sign: int, thousands: bool) -> None:
    places = {}
    spelt = _LATEX.get(line.op, line.op) if style == "latex" else _SIGNS[line.op][sign]
    units = [f" {unit}" if unit and style != "latex" else "" for unit in line.units]
    for name, value, after in (
        ("left", line.left, f"{units[0]} {spelt} "),
        ("right", line.right, f"{units[1]} = "),
        ("result", line.result, units[2]),
    ):
        number = _number(value, thousands)
        if name == "right" and value < 0:
            number = f"({number})"
        places[name] = (len(out.text), len(out.text) + len(number))
        out.text += number + after
    out.parts.append(places)


def _write_fraction(out: Text, fraction: tuple[int, int, int], lines: Sequence[Line], answer: str | None) -> str:
    """Write `6/8 = 3/4`; return the right side, which is the answer."""
    out.text += f"So {fraction[0]}/{fraction[1]} = "
    simplified = answer or f"{as_text(lines[0].result)}/{as_text(lines[1].result)}"
    out.parts.append({"result": (len(out.text), len(out.text) + len(simplified))})
    out.text += simplified + ".\n"
    return simplified


def _write_chain(out: Text, lines: Sequence[Line], between: str, sign: int, thousands: bool) -> None:
    """Write `a + b - c = d - c = e`."""
    for at, line in enumerate(lines):
        rest = "".join(f" {_SIGNS[one.op][sign]} {_number(one.right, thousands)}" for one in lines[at:])
        start = len(out.text)
        number = _number(line.left, thousands)
        out.text += number + rest
        if at:
            out.parts[-1]["result"] = (start, start + len(number))
        out.parts.append({"left": (start, start + len(number)), "right": (start + len(number), len(out.text))})
        out.text += f"{between}= "
    last = _number(lines[-1].result, thousands)
    out.parts[-1]["result"] = (len(out.text), len(out.text) + len(last))
    out.text += last + ("\n" if between == "\n" else ". ")


def _number(value: Fraction, thousands: bool) -> str:
    spelt = as_text(value)
    if not thousands or "/" in spelt:
        return spelt
    whole, point, decimals = spelt.partition(".")
    return f"{int(whole):,}{point}{decimals}" if int(whole) else spelt
