"""The door to reasoning_gym: make its data sets, and say in one line what is wrong with a name or a parameter."""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ..errors import InputError, did_you_mean

Entry = dict[str, Any]
"""What a generator yields: `question`, `answer` and `metadata`."""

_OWN = ("seed", "size")
_EXAMPLES = ("example_answer", "example_correct_answer", "possible_answer")


class Generator(BaseModel):
    """One of reasoning_gym's data sets with its parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    params: dict[str, Any] = Field(default_factory=dict)
    weight: float = Field(1.0, gt=0)
    """Its share of a mixture, against the other weights."""

    def check(self) -> None:
        """Check the name and the parameters without drawing.

        Raises:
            InputError: Naming the data set or the field.
        """
        known = _registry()
        if self.name not in known:
            raise InputError(f"reasoning_gym: unknown dataset {self.name!r}; {did_you_mean(self.name, known)}")
        fields = {field.name for field in dataclasses.fields(known[self.name][1])} - set(_OWN)
        for name in self.params:
            if name in _OWN:
                raise InputError(f"reasoning_gym: {self.name}: params.{name}: set the task's seed and sizes")
            if name not in fields:
                remedy = did_you_mean(name, fields)
                raise InputError(f"reasoning_gym: {self.name}: params.{name}: unknown parameter; {remedy}")
        self.make(seed=0, size=1)

    def make(self, seed: int, size: int) -> Any:
        """Make the data set.

        Raises:
            InputError: If the data set refuses its parameters.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import reasoning_gym

            try:
                return reasoning_gym.create_dataset(self.name, seed=seed, size=size, **self.params)
            except (AssertionError, TypeError, ValueError, KeyError) as error:
                raise InputError(f"reasoning_gym: {self.name}: params: {self._blame(str(error))}") from error

    def _blame(self, message: str) -> str:
        """Name the parameter that a refusal is about, where the message does not."""
        if any(name in message for name in self.params):
            return message
        return f"{', '.join(sorted(self.params)) or 'none given'}: {message or 'refused'}"

    def draw(self, seed: int, limit: int) -> Iterator[Entry]:
        """Yield at most `limit` entries, fewer where the generator runs dry.

        Raises:
            InputError: If the generator fails, or an entry has no gold answer to compare with.
        """
        dataset = self.make(seed, limit)
        for index in range(limit):
            try:
                entry = dataset[index]
            except (IndexError, StopIteration):
                return
            except Exception as error:
                # Each generator fails in its own way where its parameters leave nothing to draw.
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                raise InputError(f"reasoning_gym: {self.name}: params: {self._blame(reason)}") from error
            yield {**entry, "answer": self._gold(entry)}

    def entry(self, seed: int, index: int) -> Entry:
        """Return one entry of what `draw` yields from a seed."""
        entry = self.make(seed, index + 1)[index]
        return {**entry, "answer": self._gold(entry)}

    def _gold(self, entry: Entry) -> str:
        answer = entry["answer"]
        if answer is None:
            metadata: Mapping[str, Any] = entry["metadata"]
            answer = next((metadata[key] for key in _EXAMPLES if key in metadata), None)
        if answer is None or answer == "":
            raise InputError(f"reasoning_gym: dataset {self.name!r} gives no gold answer; take another")
        return answer if isinstance(answer, str) else json.dumps(answer)


def _registry() -> Mapping[str, tuple[type, type]]:
    """Return reasoning_gym's data sets by name; its import warns of other packages' syntax."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from reasoning_gym.factory import DATASETS
    found: Mapping[str, tuple[type, type]] = DATASETS
    return found
