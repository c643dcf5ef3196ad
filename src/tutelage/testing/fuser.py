"""A chat model that is a script, for the purifier `aggregate`: of each step it keeps what most solutions say.

It reads the prompt as text. The steps are those of the solution whose steps most others share; where solutions give
different results for the same left side, the most frequent one is taken, of equals the first. It says nothing of what a
real model would write.
"""

from __future__ import annotations

import re
from collections import Counter

from ..seams import Message

_SOLUTION = re.compile(r"<solution>\n(.*?)\n</solution>", re.DOTALL)
_EQUATION = re.compile(r"([^.=\n]+)= (-?\d+)\.")
_ANSWER = re.compile(r"Answer: \S+")


def reply_as_fuser(messages: list[Message]) -> str:
    """Return one solution made of all."""
    solutions = _SOLUTION.findall(messages[-1]["content"])
    steps = [[(left.strip(), result) for left, result in _EQUATION.findall(text)] for text in solutions]
    votes = Counter(step for some in steps for step in some)
    shared = Counter(left for some in steps for left, _ in some)
    lead = max(steps, key=lambda some: sum(shared[left] for left, _ in some) / max(1, len(some)))
    lines = [f"{left} = {max((s for s in votes if s[0] == left), key=votes.__getitem__)[1]}." for left, _ in lead]
    return " ".join([*lines, _ANSWER.findall(solutions[0])[-1]])
