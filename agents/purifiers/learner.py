"""The base of purifiers that learn from what the loop shows, and say when they have not seen enough."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError, RunError, flat
from ...plugins import Plugin, build
from ...schema import Problem, Purified, Rationale
from ...seams import Embedder
from .consensus import majority
from .labels import Floats
from .learnability import LEARNABILITY, Learnability, learnability_of

FACTS, TENSORS = "router.json", "router.safetensors"


class Learner(Learnability):
    """Until it has seen enough problems, `consensus` decides.

    Attributes:
        labelled: Problems that it was fitted on.
    """

    name: str

    def __init__(self, encoder: str = "static", least: int = 50, seed: int = 0) -> None:
        """Choose what texts are seen through.

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
        self.labelled = 0
        self._embedder: Embedder | None = None

    @property
    def not_ready(self) -> str | None:
        """Why it decides nothing yet; None if it does."""
        if self.labelled >= self.least:
            return None
        return f"not ready: {self.labelled} questions that tell teachers apart, {self.least} needed"

    def check(self) -> None:
        """Raise InputError if there is no such encoder."""
        if self._embedder is None:
            self._embedder = build("embedders", Plugin(name=self.encoder))

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Purified:
        """Return the rationale with the best score, or what `consensus` would.

        Args:
            problem: What the rationales solve.
            rationales: One or more, all verified.
        """
        if why := self.not_ready:
            known = {one.id: one.scores[LEARNABILITY] for one in rationales if LEARNABILITY in one.scores}
            return Purified(rationales=(majority(rationales),), scores=known, fallback=why)
        scores = {one.id: one.scores[self.name] for one in rationales if self.name in one.scores}
        return Purified(
            rationales=(max(rationales, key=lambda one: (scores.get(one.id, 0.0), learnability_of(one))),),
            scores=scores,
        )

    def save(self, folder: Path) -> None:
        """Write what was learnt into a folder, as JSON and safetensors."""
        from safetensors.numpy import save_file

        facts = {"name": self.name, "encoder": self.encoder, "labelled": self.labelled, **self._facts()}
        (folder / FACTS).write_text(json.dumps(facts, indent=1) + "\n")
        save_file({name: np.ascontiguousarray(array) for name, array in self._arrays().items()}, folder / TENSORS)

    def load(self, folder: Path) -> None:
        """Read what `save` wrote.

        Raises:
            RunError: If it is of another purifier or encoder, or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            facts: dict[str, Any] = json.loads((folder / FACTS).read_text())
            if (facts["name"], facts["encoder"]) != (self.name, self.encoder):
                raise RunError(
                    f"{folder / FACTS}: is of {facts['name']!r} over {facts['encoder']!r}; delete the folder"
                )
            self.labelled = int(facts["labelled"])
            self._restore(facts, load_file(folder / TENSORS))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise RunError(f"{folder}: cannot be read: {flat(error)}; delete the folder") from error

    def _vectors(self, questions: Sequence[str]) -> Floats:
        """Return what the encoder makes of questions, [questions, size]."""
        if not questions:
            return np.zeros((0, 1), np.float32)
        self.check()
        assert self._embedder is not None
        return np.array(self._embedder.embed(list(questions)), np.float32)

    def _facts(self) -> dict[str, Any]:
        """Return what else `_restore` needs, as JSON."""
        return {}

    @abstractmethod
    def _arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return the arrays that `_restore` needs."""

    @abstractmethod
    def _restore(self, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Take up what was saved."""
