"""What is checked around training: lessons are trained on as meant, and what is saved is what was learnt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..checkpoints import load_model
from ..errors import RunError
from ..schema import Lesson

IGNORED = -100
"""Label of tokens that the loss leaves out, in torch and transformers."""
TOLERANCE = 0.02
"""Largest difference of a logit between the model in memory and the one on disk; merging an adapter rounds a little."""


def check_lessons(lessons: Sequence[Lesson], minimum: int) -> None:
    """Require so many lessons.

    Raises:
        RunError: If there are fewer.
    """
    if len(lessons) < minimum:
        raise RunError(f"training needs at least {minimum} lessons, {len(lessons)} given; lower training.min_lessons")


def check_supervision(trainer: Any, tokenizer: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Check the trainer's own tokenised rows and batches: each has supervised tokens and learns to end its answer.

    Args:
        trainer: A TRL SFTTrainer before training.
        tokenizer: Its tokenizer; the `eos_token` ends an answer.
        rows: What the trainer was built from, with `problem_id`.

    Raises:
        RunError: On the first row that would be trained on wrongly.
    """
    data = trainer.train_dataset
    if len(data) < len(rows):
        left = Counter(row["problem_id"] for row in rows) - Counter(data["problem_id"])
        raise RunError(f"lesson {min(left)}: its question alone fills max_length; {_remedy(trainer, tokenizer, rows)}")
    if "labels" not in data.column_names:  # packing: rows are cut and joined, there is no row to look at
        raise RunError("the trainer's rows have no labels; the supervised part cannot be checked")
    for row, (problem_id, labels) in enumerate(zip(data["problem_id"], data["labels"], strict=True)):
        learnt = [label for label in labels if label != IGNORED]
        if not learnt:
            raise RunError(f"lesson {problem_id}: no token of its answer is trained on; is its text empty?")
        if tokenizer.eos_token_id not in learnt:
            raise RunError(
                f"lesson {problem_id}: the end of its answer ({tokenizer.eos_token}) is not trained on, "
                + _why_without_end(trainer, tokenizer, rows, row)
            )
    _check_collator(trainer)


def _why_without_end(trainer: Any, tokenizer: Any, rows: Sequence[dict[str, Any]], row: int) -> str:
    """Say why a row's end is not trained on, and what to do: only a row that is too long is cut off."""
    limit = trainer.args.max_length
    if limit is not None and _lengths(tokenizer, rows[row : row + 1])[0] > limit:
        return f"it is cut off; {_remedy(trainer, tokenizer, rows)}"
    return "it is masked; let the student's chat template end an answer with it, and nothing in `extra` mask it"


def _remedy(trainer: Any, tokenizer: Any, rows: Sequence[dict[str, Any]]) -> str:
    """Return by how much the stage's `max_length` is too short for the longest lesson, so that one change is enough."""
    limit, longest = trainer.args.max_length, max(_lengths(tokenizer, rows))
    enough = f" from {limit} to the {longest} tokens of the longest lesson" if limit and longest > limit else ""
    return f"raise the stage's max_length{enough}"


def _lengths(tokenizer: Any, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Return the tokens of each row's question and text."""
    talks = [[*row["prompt"], *row["completion"]] for row in rows]
    texts = [tokenizer.apply_chat_template(talk, tokenize=False) for talk in talks]
    return [len(tokens) for tokens in tokenizer(texts, add_special_tokens=False)["input_ids"]]


def _check_collator(trainer: Any) -> None:
    """Require that batching keeps every supervised token: a padding token equal to the end token would mask it."""
    some = [trainer.train_dataset[i] for i in range(min(2, len(trainer.train_dataset)))]
    rows = [{"input_ids": row["input_ids"], "labels": row["labels"]} for row in some]
    expected = sum(label != IGNORED for row in rows for label in row["labels"])
    found = int((trainer.data_collator(rows)["labels"] != IGNORED).sum())
    if found != expected:
        raise RunError(f"batching changes what is trained on: {found} supervised tokens instead of {expected}")


def check_saved(model: Any, tokenizer: Any, prompt: list[dict[str, str]], base: Path, checkpoint: Path) -> None:
    """Load the checkpoint from disk and require that it says what the model in memory says.

    A canary prompt is answered greedily in memory. The loaded model must have the same logits along the whole answer,
    and choose the same tokens wherever the choice is not a tie.

    Args:
        model: The trained model, unwrapped.
        tokenizer: Its tokenizer.
        prompt: The canary's messages.
        base: The base student's folder.
        checkpoint: What was saved.

    Raises:
        RunError: If they differ.
    """
    import torch

    model.eval()
    tokens = _canary(model, tokenizer, prompt)
    device = str(tokens.device)
    loaded = load_model(base, checkpoint, dtype="float32", device=device, merge=True).eval()
    with torch.inference_mode():
        ours, theirs = (m(input_ids=tokens).logits.float() for m in (model, loaded))
    gap = float((ours - theirs).abs().max())
    if not bool(ours.isfinite().all()):
        raise RunError("the trained weights give no finite numbers; lower learning_rate")
    best = ours.topk(2, dim=-1).values
    clear = (best[..., 0] - best[..., 1]) > 2 * TOLERANCE
    if not gap <= TOLERANCE or bool(((ours.argmax(-1) != theirs.argmax(-1)) & clear).any()):
        raise RunError(f"{checkpoint.name}: what was saved is not what was trained (logits differ by {gap:.3g})")


def _canary(model: Any, tokenizer: Any, prompt: list[dict[str, str]], length: int = 16) -> Any:
    """Return prompt and greedy answer as token ids, (1, prompt + answer)."""
    import torch

    text = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
    batch = tokenizer(text, return_tensors="pt", add_special_tokens=False)
    device = next(model.parameters()).device
    with torch.inference_mode():
        return model.generate(
            input_ids=batch["input_ids"].to(device),
            attention_mask=batch["attention_mask"].to(device),
            do_sample=False,
            max_new_tokens=length,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
