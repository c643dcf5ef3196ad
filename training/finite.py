"""A loss that is not a finite number ends training at its step, before the optimizer has spoilt the weights."""

from __future__ import annotations

from typing import Any

from ..errors import RunError

NAMED = 4
"""Lessons of a batch that are named at most."""


def stops_at_nan(trainer_class: Any) -> Any:
    """Return a subclass of a transformers trainer that raises RunError at a loss that is no finite number.

    transformers puts an average in the place of such a loss where it logs (`logging_nan_inf_filter`), so the curve
    would not show it.
    """

    class StopsAtNaN(trainer_class):  # type: ignore[misc]
        def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
            loss = super().training_step(model, inputs, num_items_in_batch)
            if not bool(loss.isfinite().all()):
                step, named = self.state.global_step + 1, _named(lessons_of(self, inputs))
                raise RunError(f"step {step}: the loss is {float(loss.sum()):g}{named}; lower learning_rate")
            return loss

    return StopsAtNaN


def lessons_of(trainer: Any, inputs: Any) -> list[str]:
    """Return the problem ids of the lessons in a batch, sorted; none where the batch does not tell.

    Args:
        trainer: A transformers trainer whose rows have a `problem_id`.
        inputs: Rows, or padded `input_ids`, (batch, tokens), which are looked up among the trainer's rows.
    """
    if isinstance(inputs, list):
        found = [str(row["problem_id"]) for row in inputs if "problem_id" in row]
    else:
        data = trainer.train_dataset
        if "input_ids" not in inputs or not {"input_ids", "problem_id"} <= set(data.column_names):
            return []
        known = dict(zip(map(tuple, data["input_ids"]), data["problem_id"], strict=True))
        batch = zip(inputs["input_ids"].tolist(), inputs["attention_mask"].tolist(), strict=True)
        rows = [tuple(t for t, seen in zip(tokens, mask, strict=True) if seen) for tokens, mask in batch]
        found = [str(known[row]) for row in rows if row in known]
    return sorted(set(found))


def _named(lessons: list[str]) -> str:
    if not lessons:
        return ""
    more = f" and {len(lessons) - NAMED} more" if len(lessons) > NAMED else ""
    return f" on lessons {', '.join(lessons[:NAMED])}{more}"
