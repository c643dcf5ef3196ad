"""How far a taught student has moved from the base student on prompts that it was not taught."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tutelage.agents.student import TransformersEngine
from tutelage.checkpoints import load_model, load_tokenizer
from tutelage.schema import BASE

BATCH = 16


def kl_to_base(base: Path, checkpoint: Path, prompts: Sequence[list[dict[str, str]]], max_new_tokens: int) -> float:
    """Return the mean KL(base || student) of a token, in nats, along the base student's own greedy answers.

    Args:
        base: The base student's folder.
        checkpoint: The taught student.
        prompts: Messages.
        max_new_tokens: Of an answer.
    """
    import torch

    engine = TransformersEngine(base, "cpu", "float32", max_new_tokens=max_new_tokens)
    answers = [made[0].text for made in engine.generate(BASE, list(prompts))]
    engine.release()
    tokenizer = load_tokenizer(base)
    models = [load_model(base, one, dtype="float32", device="cpu", merge=True).eval() for one in (None, checkpoint)]
    total, tokens = 0.0, 0
    for start in range(0, len(answers), BATCH):
        some = slice(start, start + BATCH)
        ids, attended, answered = _encoded(tokenizer, prompts[some], answers[some])
        with torch.no_grad():
            old, new = (model(input_ids=ids, attention_mask=attended).logits.log_softmax(-1) for model in models)
        of_token = (old.exp() * (old - new)).sum(-1)
        total, tokens = total + float(of_token[answered].sum()), tokens + int(answered.sum())
    return total / tokens


def _encoded(tokenizer: Any, prompts: Sequence[Any], answers: Sequence[str]) -> tuple[Any, Any, Any]:
    """Return token ids, what is attended to, and the positions that predict an answer's tokens and its end."""
    import torch

    rows = []
    for prompt, answer in zip(prompts, answers, strict=True):
        asked = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
        texts = (asked, answer + tokenizer.eos_token)
        rows.append([tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts])
    width = max(len(asked) + len(answer) for asked, answer in rows)
    ids = torch.full((len(rows), width), tokenizer.pad_token_id)
    attended, answered = (
        torch.zeros(len(rows), width, dtype=torch.long),
        torch.zeros(len(rows), width, dtype=torch.bool),
    )
    for row, (asked, answer) in enumerate(rows):
        end = len(asked) + len(answer)
        ids[row, :end], attended[row, :end] = torch.tensor(asked + answer), 1
        answered[row, len(asked) - 1 : end - 1] = True
    return ids, attended, answered
