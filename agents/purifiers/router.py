"""The base of purifiers that choose a teacher by the question alone, so that no other need be asked."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError, RunError
from ...plugins import Plugin, build
from ...schema import Evidence, Problem, Purified, Rationale
from ...seams import Embedder
from .consensus import majority
from .labels import Floats, Labels
from .learnability import LEARNABILITY, Candidates, Learnability

FACTS, TENSORS = "router.json", "router.safetensors"


class Router(Learnability):
    """Learns from labelled questions which teacher to ask; until there are enough, `consensus` decides.

    Attributes:
        teachers: Those it knows, in the order of its chances.
        labelled: Questions that it was fitted on.
    """

    name: str

    def __init__(self, encoder: str = "minilm", least: int = 50, seed: int = 0) -> None:
        """Choose what questions are seen through.

        Args:
            encoder: An embedder by name: what a question is turned into. It is not trained.
            least: Questions with labels of two teachers or more that it must be fitted on before it decides anything.
            seed: Of what is drawn when it is fitted.

        Raises:
            InputError: If `least` is not positive.
        """
        if least < 1:
            raise InputError(f"purifier {self.name}: least {least} is out of range; give at least 1")
        self.encoder, self.least, self.seed = encoder, least, seed
        self.teachers: tuple[str, ...] = ()
        self.labelled = 0
        self._embedder: Embedder | None = None

    @property
    def not_ready(self) -> str | None:
        """Why it decides nothing yet; None if it does."""
        if self.labelled >= self.least:
            return None
        return f"not ready: {self.labelled} labelled questions, {self.least} needed"

    def fit(self, evidence: Sequence[Evidence]) -> None:
        """Learn anew from all that is known."""
        labels = Labels.read(evidence)
        self.teachers, self.labelled = labels.teachers, len(labels.questions)
        telling = self.telling(labels)
        if self.not_ready is None:
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
        """Return each rationale's learnability, or, once it is ready, its teacher's chance."""
        if self.not_ready:
            return self.learnabilities(candidates)
        open_ = [(problem, some) for problem, some in candidates if len(some) > 1]
        chances = self.route([problem for problem, _ in open_], self.teachers)
        return {
            one.id: {self.name: chances[problem.id][one.teacher]}
            for problem, some in open_
            for one in some
            if one.teacher in chances.get(problem.id, {})
        }

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Purified:
        """Return the likeliest teacher's rationale, or what `consensus` would.

        Args:
            problem: What the rationales solve.
            rationales: One or more, all verified.
        """
        if why := self.not_ready:
            known = {one.id: one.scores[LEARNABILITY] for one in rationales if LEARNABILITY in one.scores}
            return Purified(rationales=(majority(rationales),), scores=known, fallback=why)
        scores = {one.id: one.scores[self.name] for one in rationales if self.name in one.scores}
        return Purified(rationales=(max(rationales, key=lambda one: scores.get(one.id, 0.0)),), scores=scores)

    def save(self, folder: Path) -> None:
        """Write what was learnt into a folder, as JSON and safetensors."""
        from safetensors.numpy import save_file

        facts = {"name": self.name, "teachers": self.teachers, "labelled": self.labelled, "encoder": self.encoder}
        (folder / FACTS).write_text(json.dumps(facts, indent=1) + "\n")
        save_file({name: np.ascontiguousarray(array) for name, array in self._arrays().items()}, folder / TENSORS)

    def load(self, folder: Path) -> None:
        """Read what `save` wrote.

        Raises:
            RunError: If it is of another purifier or encoder.
        """
        from safetensors.numpy import load_file

        facts: dict[str, Any] = json.loads((folder / FACTS).read_text())
        if (facts["name"], facts["encoder"]) != (self.name, self.encoder):
            raise RunError(f"{folder / FACTS}: is of {facts['name']!r} over {facts['encoder']!r}; delete the folder")
        self.teachers, self.labelled = tuple(facts["teachers"]), int(facts["labelled"])
        self._restore(load_file(folder / TENSORS))

    def _vectors(self, questions: Sequence[str]) -> Floats:
        """Return what the encoder makes of questions, [questions, size]."""
        if not questions:
            return np.zeros((0, 1), np.float32)
        if self._embedder is None:
            self._embedder = build("embedders", Plugin(name=self.encoder))
        return np.array(self._embedder.embed(list(questions)), np.float32)

    @abstractmethod
    def _learn(self, vectors: Floats, labels: Labels) -> None:
        """Learn from questions, [questions, size], on which some teachers were right and some wrong; maybe none."""

    @abstractmethod
    def _chances(self, vectors: Floats) -> Floats:
        """Return the chances of all teachers, [questions, teachers]."""

    @abstractmethod
    def _arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return what `_restore` needs."""

    @abstractmethod
    def _restore(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Take up what was saved."""
