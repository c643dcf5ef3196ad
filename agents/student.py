"""The student: runs its weights with Hugging Face transformers and answers prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..checkpoints import load_model, load_tokenizer
from ..errors import InputError
from ..hardware import pick_device, pick_precision
from ..model_thread import leave_if_cancelled
from ..prefix import prefix_cache, takes_prefix
from ..schema import BASE
from ..seams import Generation, Message
from .decoding import decode
from .likelihood import mean_logprobs

if TYPE_CHECKING:
    import torch


class _Row(NamedTuple):
    """One prompt in the order in which it is generated."""

    position: int
    tokens: list[int]


class TransformersEngine:
    """Generates with transformers: left-padded batches, the longest prompts first."""

    def __init__(
        self,
        base: Path,
        device: str = "auto",
        precision: str = "auto",
        batch_size: int = 64,
        max_new_tokens: int = 256,
        temperature: float = 0.7,
    ) -> None:
        """Remember where the weights are; they are loaded at the first question.

        Args:
            base: The base student's folder.
            device: `auto`, or a torch device.
            precision: `auto`, `float32` or `bfloat16`.
            batch_size: Prompts generated at once.
            max_new_tokens: Length limit of an answer.
            temperature: Of sampling.
        """
        self.base = base
        self.device = pick_device(device)
        self.precision = pick_precision(precision, self.device)
        self.batch_size = batch_size
        self.max_new_tokens = max_new_tokens
        self.temperature = temperature
        self._loaded: tuple[str, Any] | None = None
        self._tokenizer: Any = None

    def generate(
        self,
        checkpoint: str,
        prompts: Sequence[Sequence[Message]],
        *,
        samples: int = 1,
        sampled: bool = False,
        seed: int = 0,
        max_new_tokens: int | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> list[list[Generation]]:
        """Answer each prompt `samples` times; see `tutelage.seams.Engine`."""
        import torch

        if not prompts:
            return []
        model = self._model(checkpoint)
        answers: list[list[Generation]] = [[] for _ in prompts]
        torch.manual_seed(seed)
        for batch in self._batches(prompts):
            leave_if_cancelled()
            made = self._generate_batch(model, batch, samples, sampled, max_new_tokens or self.max_new_tokens)
            for i, row in enumerate(batch):
                answers[row.position] = made[i * samples : (i + 1) * samples]
            if on_progress:
                on_progress(len(batch))
        return answers

    def likelihoods(self, checkpoint: str, answers: Sequence[tuple[Sequence[Message], str]]) -> list[float]:
        """Return how likely each text is as the answer to its prompt; see `tutelage.seams.Engine`."""
        if not answers:
            return []
        tokenizer = self._load_tokenizer()
        prompts = [self._render(prompt) for prompt, _ in answers]
        texts = [text.strip() + tokenizer.eos_token for _, text in answers]
        given, asked = (tokenizer(some, add_special_tokens=False)["input_ids"] for some in (prompts, texts))
        return mean_logprobs(self._model(checkpoint), tokenizer, given, asked, self.batch_size)

    def check(self) -> None:
        """Raise InputError if the student has no tokenizer or no chat template."""
        if not getattr(load_tokenizer(self.base), "chat_template", None):
            raise InputError(f"student.model: {self.base} has no chat template; take an instruct model, or add one")

    def count_tokens(self, text: str) -> int:
        """Return how many tokens the student needs to write a text, its end-of-turn token included."""
        return len(self._load_tokenizer()(text, add_special_tokens=False)["input_ids"]) + 1

    def release(self) -> None:
        """Drop the weights, and give the device's memory back."""
        import gc

        import torch

        self._loaded = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _model(self, checkpoint: str) -> Any:
        if self._loaded is None or self._loaded[0] != checkpoint:
            self._loaded = None  # before loading the next: two models need not fit
            folder = None if checkpoint == BASE else Path(checkpoint)
            model = load_model(self.base, folder, dtype=self.precision, device=self.device, merge=True)
            self._loaded = (checkpoint, model.eval())
        return self._loaded[1]

    def _load_tokenizer(self) -> Any:
        if self._tokenizer is None:
            self._tokenizer = load_tokenizer(self.base)
        return self._tokenizer

    def _render(self, prompt: Sequence[Message]) -> str:
        rendered = self._load_tokenizer().apply_chat_template(list(prompt), tokenize=False, add_generation_prompt=True)
        return str(rendered)

    def _batches(self, prompts: Sequence[Sequence[Message]]) -> list[list[_Row]]:
        """Cut the prompts into batches of like length, the longest first, so that memory runs out at once if at all."""
        tokenizer = self._load_tokenizer()
        encoded = tokenizer([self._render(prompt) for prompt in prompts], add_special_tokens=False)["input_ids"]
        rows = [_Row(position, tokens) for position, tokens in enumerate(encoded)]
        rows.sort(key=lambda row: (-len(row.tokens), row.position))
        return [rows[i : i + self.batch_size] for i in range(0, len(rows), self.batch_size)]

    def _generate_batch(
        self, model: Any, batch: Sequence[_Row], samples: int, sampled: bool, limit: int
    ) -> list[Generation]:
        """Return `samples` generations for each row, in the rows' order."""
        import torch

        tokens, attended, cache = self._prepare(model, [row.tokens for row in batch for _ in range(samples)])
        sampling: dict[str, Any] = {"do_sample": False}
        if sampled:
            sampling = {"do_sample": True, "temperature": self.temperature, "top_k": 0, "top_p": 1.0}
        options = {**sampling, "pad_token_id": self._tokenizer.pad_token_id}
        with torch.inference_mode():
            made = decode(model, tokens, attended, cache, limit, self._tokenizer.eos_token_id, options)
        return [self._generation(*row) for row in made]

    def _prepare(self, model: Any, rows: Sequence[list[int]]) -> tuple[torch.Tensor, torch.Tensor, Any]:
        """Return token ids and mask, (batch, tokens), and what the model remembers of the tokens all rows begin with.

        Padding comes between the shared beginning and the rest of a row.
        """
        import torch

        same = takewhile(lambda tokens: len(set(tokens)) == 1, zip(*rows, strict=False))
        shared = sum(1 for _ in same) if len(rows) > 1 and takes_prefix(model) else 0
        shared = min(shared, min(map(len, rows)) - 1)  # each row keeps a token to go on from
        rest = self._tokenizer.pad({"input_ids": [row[shared:] for row in rows]}, return_tensors="pt").to(self.device)
        prefix = torch.tensor([rows[0][:shared]], device=self.device, dtype=torch.long)
        with torch.inference_mode():
            cache = prefix_cache(model, prefix, len(rows))
        tokens = torch.cat([prefix.expand(len(rows), -1), rest["input_ids"]], dim=1)
        attended = torch.cat([torch.ones_like(prefix).expand(len(rows), -1), rest["attention_mask"]], dim=1)
        return tokens, attended, cache

    def _generation(self, tokens: torch.Tensor, logprobs: torch.Tensor) -> Generation:
        """Cut one row at its end-of-turn token, which still counts."""
        ends = (tokens == self._tokenizer.eos_token_id).nonzero()
        stopped = len(ends) > 0
        count = int(ends[0]) + 1 if stopped else len(tokens)
        text = self._tokenizer.decode(tokens[:count], skip_special_tokens=True).strip()
        mean = float(logprobs[:count].mean()) if count else 0.0
        return Generation(text, mean, count, stopped)
