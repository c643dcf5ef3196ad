"""A student of a quarter of a million parameters, built in code: small enough to teach on two CPU cores in seconds.

It reads and writes characters and some whole words. Before it is handed out it is trained, once and for less than a
minute, on text made here, so that it is to a task what a real pretrained model is: it reads a question and repeats
what matters of it, and it knows the sums of two digits that are not below zero; but it has never said `Answer:`, and
below zero it is lost. What a run teaches it is the form of an answer at once, and the rest slowly.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .checkpoints import quiet

VERSION = 1
"""Raised with every change to what is built: names its folder in a cache, so that an old one is not taken for it."""

PAD, START, END, UNKNOWN = "<|pad|>", "<|im_start|>", "<|im_end|>", "<|unk|>"
CHARACTERS = string.digits + string.ascii_letters + string.punctuation + " \n"

WORDS = (
    "a an and answer Answer any are arithmetic as at be by calculate each end End equation evaluate expression final "
    "find following for from get give How how in is it just last line many more most not number numbers of on one only "
    "out problem question reply result say show solve State state step steps sum that the then there this to two "
    "using value what What with word words work Work write you your"
)
"""Words that are one token after a space: they shorten the usual question to a third."""

CLOSINGS = [word for word in WORDS.split() if word.istitle() and word != "Answer"]
"""What the untaught student says before it repeats a result: never the word that a task asks for."""

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'][0] + message['content'] + '<|im_end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>a' }}{% endif %}"
)
"""One letter names the role; a rendered prompt is always a prefix of the rendered conversation."""

WIDTH, LAYERS, HEADS, HIDDEN, CONTEXT = 96, 2, 4, 256, 512
IGNORED = -100
STEPS, BATCH, RATE = 320, 48, 3e-3
"""Pretraining: optimizer steps, texts a step, peak learning rate."""

Text = list[tuple[str, bool]]
"""A text in pieces, each with whether it is learnt or only read."""


def build_tiny_student(folder: Path, seed: int = 0, *, pretrained: bool = True) -> Path:
    """Write the tiny student to a folder in the format of Hugging Face.

    Args:
        folder: Made if it does not exist.
        seed: Seed of the first weights and of the text it is pretrained on.
        pretrained: False leaves the weights random: enough to test mechanics with, and made at once.

    Returns:
        The folder, with config.json, model.safetensors and the tokenizer's files.
    """
    with reproducible(seed):
        tokenizer = make_tokenizer()
        model = make_model(tokenizer)
        if pretrained:
            rng = random.Random(seed)
            pretrain(model, tokenizer, (_texts(rng) for _ in range(STEPS)), STEPS, RATE)
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """Seed torch, and use one thread: the number of threads changes sums, and two hardly help matrices this small."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def make_tokenizer(more_words: str = "") -> Any:
    """Return the tokenizer: printable ASCII by character and `WORDS` whole; all else becomes one unknown token.

    Args:
        more_words: Words that are one token too, for students of a narrower field.
    """
    from tokenizers import Tokenizer
    from tokenizers.decoders import Fuse
    from tokenizers.models import Unigram
    from transformers import PreTrainedTokenizerFast

    specials = [(token, 0.0) for token in (PAD, START, END, UNKNOWN)]
    characters = [(character, -10.0) for character in CHARACTERS]
    whole = [*WORDS.split(), *more_words.split()]
    words = [(w if w[0].isupper() else f" {w}", -1.0) for w in whole]
    words += [
        (f" {w}", -1.0) for w in whole if w[0].isupper()
    ]  # a piece beats its characters, the longer one its parts
    core = Tokenizer(Unigram([*specials, *characters, *words], unk_id=3))
    core.decoder = Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token=PAD,
        bos_token=START,
        eos_token=END,
        unk_token=UNKNOWN,
        padding_side="left",
        model_max_length=CONTEXT,
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def make_model(tokenizer: Any) -> Any:
    """Return a Llama with random weights in float32 for this tokenizer."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        initializer_range=0.05,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return LlamaForCausalLM(config)


def is_known(a: int, sign: str, b: int) -> bool:
    """Tell whether a sum of two digits belongs to what the student knows before it is taught: not below zero."""
    return sign == "+" or a >= b


def _sum(rng: random.Random) -> tuple[int, str, int]:
    return rng.randrange(10), rng.choice("+-"), rng.randrange(10)


def random_words(rng: random.Random, count: int) -> str:
    """Return known words in any order, one in eight of them invented."""
    made = ("".join(rng.choices(string.ascii_letters, k=rng.randint(1, 6))) for _ in range(count))
    return " ".join(word if rng.random() < 0.125 else rng.choice(WORDS.split()) for word in made)


def _asked(rng: random.Random) -> Text:
    """Return a question in known and invented words that ends in a sum, and its answer: pieces, and which are learnt.

    The answer repeats the sum, gives the result, and gives it again after a word that says nothing; of a sum that the
    student is not to know it only repeats the question.
    """
    a, sign, b = _sum(rng)
    system = f"{START}s{random_words(rng, rng.randint(2, 10))}{END}" if rng.random() < 0.5 else ""
    prompt = f"{system}{START}u{random_words(rng, rng.randint(1, 9))}: {a} {sign} {b} ={END}{START}a"
    c = a + b if sign == "+" else a - b
    result = f" {c}. {rng.choice(CLOSINGS)}: {c}{END}" if is_known(a, sign, b) else ""
    return [(prompt, False), (f"{a} {sign} {b} ={result}", True)]


def _recited(rng: random.Random, count: int) -> Text:
    """Return a turn of sums that the student is to know; it learns the results."""
    pieces = [(START + "a", False)]
    while len(pieces) <= 2 * count:
        a, sign, b = _sum(rng)
        if is_known(a, sign, b):
            pieces += [(f"{a} {sign} {b} =", False), (f" {a + b if sign == '+' else a - b}. ", True)]
    return pieces


def _texts(rng: random.Random) -> list[Text]:
    """Return the texts of a step, half of either kind."""
    return [_recited(rng, 5) if i < BATCH // 2 else _asked(rng) for i in range(BATCH)]


def _batch(tokenizer: Any, texts: list[Text]) -> dict[str, Any]:
    """Return input_ids, attention_mask and labels of texts, each `(texts, length)`."""
    import torch

    ids, labels = _encode(tokenizer, texts)
    length = max(map(len, ids))
    return {
        "input_ids": torch.tensor([row + [0] * (length - len(row)) for row in ids]),
        "attention_mask": torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in ids]),
        "labels": torch.tensor([row + [IGNORED] * (length - len(row)) for row in labels]),
    }


def _encode(tokenizer: Any, rows: list[Text]) -> tuple[list[list[int]], list[list[int]]]:
    """Return token ids and labels of texts in pieces; one call for all pieces, since a call costs more than a piece."""
    encoded = iter(tokenizer([text for row in rows for text, _ in row])["input_ids"])
    pieces = [[(next(encoded), learnt) for _, learnt in row] for row in rows]
    ids = [[token for tokens, _ in row for token in tokens] for row in pieces]
    labels = [[token if learnt else IGNORED for tokens, learnt in row for token in tokens] for row in pieces]
    return ids, labels


def pretrain(model: Any, tokenizer: Any, batches: Iterable[list[Text]], steps: int, rate: float) -> None:
    """Train all weights on texts.

    Args:
        model: From `make_model`.
        tokenizer: From `make_tokenizer`.
        batches: The texts of each step.
        steps: How many batches there are.
        rate: The peak of the learning rate, in one cycle.
    """
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.1)
    model.train()
    for texts in batches:
        model(**_batch(tokenizer, texts), use_cache=False).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()


def share_recited(model: Any, tokenizer: Any, texts: list[Text]) -> float:
    """Return the share of texts of which the model predicts every learnt piece, and so says it by itself."""
    import torch

    batch = _batch(tokenizer, texts)
    labels = batch.pop("labels")[:, 1:]
    with torch.inference_mode():
        predicted = model.eval()(**batch, use_cache=False).logits[:, :-1].argmax(-1)
    return float(((predicted == labels) | (labels == IGNORED)).all(-1).float().mean())
