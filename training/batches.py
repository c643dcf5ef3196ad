"""The order of training: lessons that are alike share a batch, and the batches come in random order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

HEAD = 8
"""Rows whose first so many tokens agree have the same instruction."""


class AlikeBatches:
    """A sampler of row numbers that a loader cuts into batches.

    Rows of one batch have the same instruction, which then is run once, and about the same length, so that little is
    padding. Batches in order of length would put the easy or the rehearsed lessons last, where the learning rate has
    fallen; so their order is drawn anew for each epoch.
    """

    def __init__(self, rows: Sequence[Sequence[int]], batch_size: int, seed: int) -> None:
        """Remember what makes rows alike.

        Args:
            rows: Token ids of each row.
            batch_size: Rows of a batch; see `step_size`.
            seed: Of the order.
        """
        self._likeness = [(*row[:HEAD], len(row)) for row in rows]
        self._batch_size, self._seed, self._epoch = batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Draw another order; accelerate calls this."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._likeness)

    def __iter__(self) -> Iterator[int]:
        """Yield row numbers, each once; what fills no batch comes last."""
        generator = np.random.default_rng([self._seed, self._epoch])
        drawn = [int(row) for row in generator.permutation(len(self))]
        alike = sorted(drawn, key=lambda row: self._likeness[row])
        whole = len(self) - len(self) % self._batch_size
        starts = range(0, whole, self._batch_size)
        for start in generator.permutation(starts):
            yield from alike[start : start + self._batch_size]
        yield from alike[whole:]


class Rounds:
    """A sampler that goes through a few batches several times before it goes on to the next few."""

    def __init__(self, once: AlikeBatches, batch_size: int, visits: float, passes: int, stretch: int) -> None:
        """Take the order of one pass.

        Args:
            once: Yields each row number once, in another order for each epoch.
            batch_size: Rows of a batch.
            visits: How often all rows are gone through in the end.
            passes: How often a stretch is gone through, as long as there are that many visits left.
            stretch: Batches of a stretch.
        """
        self._once, self._visits = once, visits
        self._passes, self._size = passes, stretch * batch_size

    def __len__(self) -> int:
        """Return the rows of all visits."""
        return round(self._visits * len(self._once))

    def __iter__(self) -> Iterator[int]:
        """Yield row numbers."""
        yield from islice(self._rounds(), len(self))

    def _rounds(self) -> Iterator[int]:
        left, number = self._visits, 0
        while left > 0:
            passes = max(1, min(self._passes, math.floor(left)))
            self._once.set_epoch(number)
            rows = list(self._once)
            for start in range(0, len(rows), self._size):
                for _ in range(passes):
                    yield from rows[start : start + self._size]
            left, number = left - passes, number + 1


def step_size(args: Any) -> int:
    """Return the rows of an optimizer step, over all batches that it adds up and all processes.

    Alike rows are taken for a whole step, so that a step has the same ones however it is cut.
    """
    return int(args.per_device_train_batch_size * args.gradient_accumulation_steps * args.world_size)


def in_alike_batches(trainer_class: Any) -> Any:
    """Return a subclass of a transformers trainer that draws its batches so, unless told another strategy."""

    class InAlikeBatches(trainer_class):  # type: ignore[misc]
        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            dataset = self.train_dataset if train_dataset is None else train_dataset
            if self.args.train_sampling_strategy != "random" or "input_ids" not in dataset.column_names:
                return super()._get_train_sampler(train_dataset)
            return AlikeBatches(dataset["input_ids"], step_size(self.args), self.args.seed)

    return InAlikeBatches
