"""What one process has sampled, and what it has to know of the others: a group may lie in several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Samples:
    """The answers that this process has sampled, each in its place among the groups of all processes."""

    def __init__(self, trainer: Any, rows: Sequence[Mapping[str, Any]], ids: Any, logprobs: Any) -> None:
        """Take what was sampled.

        Args:
            trainer: TRL's GRPOTrainer.
            rows: Of the data set, one a sample.
            ids: Token ids of each sample.
            logprobs: Log-probabilities of each token by the sampler, or None if it does not tell.
        """
        self.trainer, self.rows = trainer, rows
        self.ids = list(ids)
        self.logprobs = None if logprobs is None else list(logprobs)
        self._size = int(trainer.num_generations)
        self._first = int(trainer.accelerator.process_index) * len(self.ids)

    def group_of(self, place: int) -> tuple[int, int]:
        """Return the group of a sample of this process, and which of its samples it is."""
        return divmod(self._first + place, self._size)

    def texts(self, ids: Any) -> list[str]:
        """Return samples as TRL hands them to the reward, except for tokenizers with a template of responses."""
        found: list[str] = self.trainer.processing_class.batch_decode(ids, skip_special_tokens=True)
        return found

    def gathered(self, right: Sequence[bool]) -> Any:
        """Return what is said of each sample, all processes together, as a boolean tensor (groups, generations)."""
        return self._gather(right).view(-1, self._size).bool()

    def counts(self, *own: int) -> list[list[int]]:
        """Return some counts of this process, and of every other, in the order of the processes."""
        found: list[list[int]] = self._gather(own).view(-1, len(own)).tolist()
        return found

    def replace(self, place: int, ids: list[int]) -> None:
        """Put another answer into a sample's place.

        Its log-probabilities are those of another prompt; TRL reads None as not known and does not weight by them.
        """
        self.ids[place] = ids
        if self.logprobs is not None:
            self.logprobs[place] = [None] * len(ids)

    def _gather(self, values: Sequence[int]) -> Any:
        import torch

        accelerator = self.trainer.accelerator
        return accelerator.gather(torch.tensor(values, dtype=torch.long, device=accelerator.device))
