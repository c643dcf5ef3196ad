"""What a student can take: how many tokens at once, and which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..checkpoints import load_model_config
from ..errors import InputError, RunError
from .template import check_template


@dataclass(frozen=True)
class Limits:
    """A student's context and vocabulary."""

    context: int | None
    """Tokens of a conversation at most; None where the architecture has no limit."""
    vocabulary: int
    """Rows of the embedding matrix: every token id is below."""


def limits_of(config: Any) -> Limits:
    """Return what a model's configuration says of them."""
    text = config.get_text_config()
    return Limits(getattr(text, "max_position_embeddings", None), int(text.vocab_size))


def read_limits(base: Path) -> Limits:
    """Return the limits of the student in a folder; no weights are read.

    Raises:
        InputError: If transformers does not know the configuration.
    """
    return limits_of(load_model_config(base))


def check_vocabulary(tokenizer: Any, limits: Limits) -> None:
    """Refuse a tokenizer that is not the model's: one with token ids that the embedding matrix does not have.

    Tokens that were added but stand in no text, such as those of images, may lie beyond it.

    Raises:
        InputError: Naming such a token.
    """
    added = set(tokenizer.get_added_vocab()) - {tokenizer.eos_token, tokenizer.pad_token}
    beyond = {name: i for name, i in tokenizer.get_vocab().items() if i >= limits.vocabulary and name not in added}
    if beyond:
        name, number = min(beyond.items(), key=lambda item: item[1])
        raise InputError(
            f"the tokenizer has {len(beyond)} tokens beyond the student's vocabulary of {limits.vocabulary}, such as "
            f"{name!r} ({number}); give the student the tokenizer that it was trained with"
        )


def check_rows(tokenizer: Any, limits: Limits, rows: Sequence[Mapping[str, Any]], room: int = 0) -> None:
    """Require of TRL's rows that the template keeps them whole and the student can read all of them.

    Args:
        tokenizer: The student's.
        limits: The student's.
        rows: With `prompt` and perhaps `completion` or `chosen`, as messages; named by their `problem_id`.
        room: Tokens that the student may write behind each.

    Raises:
        InputError: If the template loses the answer.
        RunError: If a row is longer than the context, or has a token that the student does not know.
    """
    texts = [_rendered(tokenizer, row) for row in rows]
    for row, tokens in zip(rows, tokenizer(texts, add_special_tokens=False)["input_ids"], strict=True):
        who = f"lesson {row.get('problem_id', '')}"
        if limits.context is not None and len(tokens) > limits.context:
            raise RunError(
                f"{who}: its {len(tokens)} tokens are more than the student's context of {limits.context}; leave the "
                "problem out, lower student.max_new_tokens or take a student with a longer context"
            )
        if limits.context is not None and len(tokens) + room > limits.context:
            raise RunError(
                f"{who}: its {len(tokens)} tokens and the {room} of an answer are more than the student's context of "
                f"{limits.context}; lower the stage's max_new_tokens"
            )
        if tokens and max(tokens) >= limits.vocabulary:
            raise RunError(
                f"{who}: token {max(tokens)} is beyond the student's vocabulary of {limits.vocabulary}; give the "
                "student the tokenizer that it was trained with"
            )


def _rendered(tokenizer: Any, row: Mapping[str, Any]) -> str:
    answer = row.get("completion") or row.get("chosen")
    if answer:
        return check_template(tokenizer, row["prompt"], answer[0]["content"])
    return str(tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True))
