"""Teachers that know odd or even sums only, and a purifier that finds out which: what routing is tested with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..schema import Evidence, Problem, Rationale, TeachingRequest
from .fakes import FakeTeacher


def first_number(problem: Problem) -> int:
    """Return the first number of a sum of `FakeTask`."""
    return int(problem.question.split()[2])


class Sometimes(FakeTeacher):
    """Right only where the first number is even, or odd."""

    def __init__(self, name: str, parity: int) -> None:
        """Give the remainder by two of what it knows."""
        super().__init__(name)
        self.parity = parity

    def teach(self, request: TeachingRequest) -> str:
        """Return the sum, or a wrong answer."""
        if first_number(request.problem) % 2 == self.parity:
            return super().teach(request)
        self.asked.append(request)
        return self.otherwise()

    def otherwise(self) -> str:
        """Return what it says where it does not know."""
        return "It is hard to say. Answer: -1"


class Unwilling(Sometimes):
    """Has nothing to say, or nothing at all, or fails, where another would be wrong."""

    def __init__(self, name: str, parity: int, ends: str | Exception) -> None:
        """Give what it returns, or raises."""
        super().__init__(name, parity)
        self.ends = ends

    def otherwise(self) -> str:
        """Return or raise what it was made for."""
        if isinstance(self.ends, Exception):
            raise self.ends
        return self.ends


class Parity:
    """Learns from evidence which teacher is right on which parity, and routes by it."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.right: dict[str, dict[str, int]] = {}
        self.fitted: list[int] = []
        self.seen: list[Evidence] = []
        self.loaded = 0

    def fit(self, evidence: Sequence[Evidence]) -> None:
        """Count who was right on what."""
        self.fitted.append(len(evidence))
        self.seen = list(evidence)
        for one in evidence:
            counts = self.right.setdefault(one.teacher, {})
            key = str(first_number(one.problem) % 2)
            counts[key] = counts.get(key, 0) + one.verified

    def route(self, problems: Sequence[Problem], teachers: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
        """Return how often each was right, by a problem's id; nothing before it was fitted."""
        if not self.right:
            return {}
        keys = {problem.id: str(first_number(problem) % 2) for problem in problems}
        return {id_: {name: float(self.right[name].get(key, 0)) for name in teachers} for id_, key in keys.items()}

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Rationale:
        """Return the first."""
        return rationales[0]

    def save(self, folder: Path) -> None:
        """Write the counts."""
        (folder / "parity.json").write_text(json.dumps(self.right))

    def load(self, folder: Path) -> None:
        """Read the counts."""
        self.loaded += 1
        self.right = json.loads((folder / "parity.json").read_text())


class Ranking(Parity):
    """Has one ranking of the teachers for every problem, once it was fitted."""

    def __init__(self, **chances: float) -> None:
        """Give each teacher's chance, by its name."""
        super().__init__()
        self.chances = chances

    def route(self, problems: Sequence[Problem], teachers: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
        """Return the ranking for each problem."""
        return {problem.id: self.chances for problem in problems} if self.right else {}
