"""The base of purifiers that choose a teacher by the question alone, so that no other need be asked."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from ...schema import Evidence, Problem, Rationale
from .labels import Floats, Labels
from .learnability import Candidates
from .learner import Learner


class Router(Learner):
    """Learns from labelled questions which teacher to ask.

    Attributes:
        teachers: Those it knows, in the order of its chances.
    """

    teachers: tuple[str, ...] = ()

    def fit(self, evidence: Sequence[Evidence]) -> None:
        """Learn anew from all that is known."""
        labels = Labels.read(evidence)
        telling = self.telling(labels)
        self.teachers, self.labelled = labels.teachers, len(telling.questions)
        if self.not_ready:
            self._take_up({})  # it may have learnt in another run
        else:
            self._learn(self._vectors(telling.questions), telling)

    def telling(self, labels: Labels) -> Labels:
        """Return the labels that teach something."""
        return labels.telling()

    def route(self, problems: Sequence[Problem], teachers: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
        """Return each teacher's chance of being the right one, by a problem's id; nothing before it is ready.

        Args:
            problems: What is to be taught.
            teachers: Who may be asked; of those that it has not met nothing is said.
        """
        known = [name for name in teachers if name in self.teachers]
        if self.not_ready or not known or not problems:
            return {}
        columns = [self.teachers.index(name) for name in known]
        chances = self._chances(self._vectors([problem.question for problem in problems]))[:, columns]
        return {
            problem.id: {name: float(chance) for name, chance in zip(known, row, strict=True)}
            for problem, row in zip(problems, chances, strict=True)
        }

    def score(self, candidates: Candidates) -> Mapping[str, Mapping[str, float]]:
        """Return each teacher's chance, once it is ready; and learnability, where it decides or is weighed."""
        open_ = [(problem, some) for problem, some in candidates if len(some) > 1]
        easy = self.learnabilities(
            [one for one in open_ if self.not_ready or self.needs_likelihoods or _drafts(one[1])]
        )
        chances = self.route([problem for problem, _ in open_], self.teachers)
        found = {id_: dict(scores) for id_, scores in easy.items()}
        for problem, some in open_:
            for one in some:
                if one.teacher in chances.get(problem.id, {}):
                    found.setdefault(one.id, {})[self.name] = chances[problem.id][one.teacher]
        return found

    @abstractmethod
    def _learn(self, vectors: Floats, labels: Labels) -> None:
        """Learn from questions, [questions, size], on which some teachers were right and some wrong; maybe none."""

    @abstractmethod
    def _chances(self, vectors: Floats) -> Floats:
        """Return the chances of all teachers, [questions, teachers]."""

    def _facts(self) -> dict[str, Any]:
        return {"teachers": self.teachers}

    def _restore(self, facts: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        self.teachers = tuple(facts["teachers"])
        self._take_up(arrays)

    @abstractmethod
    def _take_up(self, arrays: Mapping[str, Any]) -> None:
        """Take up the arrays that were saved."""


def _drafts(some: Sequence[Rationale]) -> bool:
    """Whether a teacher has several drafts among them, between which learnability decides."""
    return len({one.teacher for one in some}) < len(some)
