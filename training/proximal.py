"""Training in a trust region: what the policy some steps ago thought of the tokens, without a second model.

At a sync the batches of the next steps are read ahead and scored once, before any of them is trained on. The lessons of
the first step need no such scoring: their scores are the training's own, since nothing has changed yet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from .adapter import sharded
from .batches import AlikeBatches, Rounds, step_size
from .checks import IGNORED
from .ends import ends

Batch = dict[str, Any]
"""`input_ids`, `attention_mask` and `labels`, each (batch, tokens)."""
Row = tuple[int, ...]


class TrustRegion(NamedTuple):
    """How far the student may go before it is compared with itself anew."""

    loss: Callable[[Any, Any, Any, float], Any]
    """`tpsft.tpsft_loss`."""
    epsilon: float
    sync_every: int
    """Optimizer steps."""
    passes: int
    """How often the lessons of such a stretch of steps are gone through."""


class OldPolicy:
    """The log-probabilities of lessons' supervised tokens under the policy of the last sync."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._scores: dict[Row, Any] = {}

    def sync(self, ahead: Sequence[Batch], first: int, score: Callable[[Batch], Any], *, each: bool = False) -> None:
        """Forget, and score the lessons to come, but those of the first step.

        Args:
            ahead: The batches until the next sync.
            first: How many of them make the first step.
            score: Gives the supervised tokens' log-probabilities, (tokens), of a batch; called without gradient.
            each: Score every batch behind the first step: where weights are split over processes, all of them must run
                the model as often, and which lessons come again is not the same in each.
        """
        import torch

        self._scores = {}
        known = {row for batch in ahead[:first] for row in rows_of(batch)}
        for batch in ahead[first:]:
            rows = rows_of(batch)
            if each or not known.issuperset(rows):
                known.update(rows)
                with torch.no_grad():
                    self._keep(rows, batch, score(batch))

    def of(self, batch: Batch, now: Any) -> Any:
        """Return the old log-probabilities of a batch's supervised tokens, (tokens).

        Args:
            batch: One of those that were read ahead.
            now: The present ones, which are the old ones of lessons that were not scored ahead.
        """
        import torch

        rows = rows_of(batch)
        if any(row not in self._scores for row in rows):
            self._keep(rows, batch, now.detach())
        return torch.cat([self._scores[row] for row in rows])

    def _keep(self, rows: Sequence[Row], batch: Batch, scores: Any) -> None:
        counts = (batch["labels"][:, 1:] != IGNORED).sum(dim=1).tolist()
        for row, score in zip(rows, scores.split(counts), strict=True):
            self._scores.setdefault(row, score)


def rows_of(batch: Batch) -> list[Row]:
    """Return the token ids of each row, by which a lesson is known, without padding."""
    attended = batch["attention_mask"].bool()
    return [tuple(row[mask].tolist()) for row, mask in zip(batch["input_ids"], attended, strict=True)]


@dataclass
class Record:
    """What a training in a trust region tells of itself; on this process."""

    tokens: int = 0
    clipped: int = 0
    nll: list[float] = field(default_factory=list)

    def add(self, new: Any, old: Any, epsilon: float) -> None:
        """Count a batch.

        Args:
            new: Log-probabilities, (tokens).
            old: Those of the policy before, (tokens).
            epsilon: The bound of their ratio is 1 + epsilon.
        """
        self.tokens += len(new)
        self.clipped += int(((new - old).exp() > 1 + epsilon).sum())
        self.nll.append(-float(new.mean()))

    def metrics(self) -> dict[str, float]:
        """Return the share of tokens that took no gradient, and the mean NLL in the first and last tenth of batches."""
        nll = ends(self.nll)
        return {"clipped": self.clipped / max(1, self.tokens), "first_nll": nll.first, "last_nll": nll.last}


def within(region: TrustRegion) -> Callable[[Any], Any]:
    """Return what makes of the trainer of `loss.without_triton` one that stays in a trust region."""

    def subclass(trainer_class: Any) -> Any:
        class Within(trainer_class):  # type: ignore[misc]
            def __init__(self, **given: Any) -> None:
                super().__init__(**given)
                self.ahead: deque[Batch] = deque()
                self.old, self.record = OldPolicy(), Record()

            def _get_train_sampler(self, train_dataset: Any = None) -> Any:
                return rounds(self, region)

            def get_batch_samples(self, epoch_iterator: Iterator[Batch], num_batches: int, device: Any) -> Any:
                if not self.ahead:
                    self.ahead.extend(islice(epoch_iterator, region.sync_every * num_batches))
                    self.old.sync(tuple(self.ahead), num_batches, self._score, each=sharded(self))
                return super().get_batch_samples(_taken(self.ahead), num_batches, device)

            def _score(self, batch: Batch) -> Any:
                return self.supervised_log_probs(self.model, batch)

            def compute_loss(
                self, model: Any, inputs: Batch, return_outputs: bool = False, num_items_in_batch: Any = None
            ) -> Any:
                new = self.supervised_log_probs(model, inputs)
                old = self.old.of(inputs, new)
                self.record.add(new.detach(), old, region.epsilon)
                self.supervised_tokens += len(new)
                mean = region.loss(new[None], old[None], new.new_ones(1, len(new)), region.epsilon)
                return mean * _share(self, len(new), num_items_in_batch)

        return Within

    return subclass


def rounds(trainer: Any, region: TrustRegion) -> Rounds:
    """Return the order of all the steps that a trainer is to take, as one pass: no stretch of steps is cut short."""
    args, rows = trainer.args, trainer.train_dataset["input_ids"]
    size = args.per_device_train_batch_size
    batches_a_step = args.gradient_accumulation_steps * args.world_size
    steps = args.max_steps
    visits = steps * batches_a_step * size / len(rows) if steps > 0 else args.num_train_epochs
    args.num_train_epochs = 1
    stretch = max(1, region.sync_every // region.passes) * batches_a_step
    alike = AlikeBatches(rows, step_size(args), args.seed)
    return Rounds(alike, size, visits, region.passes, stretch)


def _taken(queue: deque[Batch]) -> Iterator[Batch]:
    while queue:
        yield queue.popleft()


def _share(trainer: Any, tokens: int, num_items_in_batch: Any) -> Any:
    """Return what the mean over a batch counts for in a step: its share of the step's supervised tokens.

    Where the tokens of all processes were counted, this undoes the mean of their gradients.
    """
    if num_items_in_batch is None:
        return 1.0
    averaged = trainer.accelerator.num_processes if trainer.args.average_tokens_across_devices else 1
    return averaged * tokens / num_items_in_batch
