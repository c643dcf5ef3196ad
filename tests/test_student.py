"""The engine: left-padded batches in any order give what one prompt alone gives, with its mean log-probability."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest
import torch

from tutelage.agents import decoding
from tutelage.agents.resolve import WHEEL_STUDENT, made_once, resolve_student
from tutelage.agents.student import TransformersEngine
from tutelage.checkpoints import load_model, load_tokenizer
from tutelage.errors import InputError
from tutelage.model_thread import on_model_thread
from tutelage.seams import Message

QUESTIONS = ["1 + 1 =", "State the sum: 2 + 3 =", "9 - 4 =", "What is 1 + 2 + 3 + 4 + 5 + 6?"]


def ask(question: str, system: str | None = None) -> list[Message]:
    told: list[Message] = [] if system is None else [{"role": "system", "content": system}]
    return [*told, {"role": "user", "content": question}]


@pytest.mark.parametrize("system", [None, "Work step by step."])
def test_a_batch_gives_what_each_prompt_gives_alone(base: Path, system: str | None) -> None:
    """Alone nothing is padded and no beginning is shared."""
    engine = TransformersEngine(base, precision="float32", max_new_tokens=12)
    together = engine.generate("base", [ask(q, system) for q in QUESTIONS])
    alone = [engine.generate("base", [ask(q, system)])[0] for q in QUESTIONS]
    assert [[g.text for g in some] for some in together] == [[g.text for g in some] for some in alone]
    for (one,), (other,) in zip(together, alone, strict=True):
        assert one.logprob == pytest.approx(other.logprob, abs=1e-4)
        assert (one.tokens, one.stopped) == (other.tokens, other.stopped)


def test_the_log_probability_is_that_of_a_forward_pass(base: Path) -> None:
    engine = TransformersEngine(base, precision="float32", max_new_tokens=8)
    (made,) = engine.generate("base", [ask("3 + 4 =")])[0]
    model, tokenizer = load_model(base, None, dtype="float32", device="cpu", merge=True), load_tokenizer(base)
    prompt = tokenizer.apply_chat_template(ask("3 + 4 ="), add_generation_prompt=True, return_dict=True)["input_ids"]
    ids = torch.tensor([list(prompt)])
    total = []
    with torch.inference_mode():
        for _ in range(made.tokens):
            scores = model(input_ids=ids).logits[0, -1].log_softmax(-1)
            total.append(float(scores.max()))
            ids = torch.cat([ids, scores.argmax()[None, None]], dim=1)
    assert made.logprob == pytest.approx(sum(total) / len(total), abs=1e-4)


def test_the_likelihood_of_a_text_is_that_of_each_of_its_tokens(base: Path) -> None:
    """Against a forward pass of one row without padding; in batches whose rows are of unlike length."""
    engine = TransformersEngine(base, precision="float32", batch_size=2)
    answers = [
        (ask(q), text) for q, text in zip(QUESTIONS, ("2", "2 + 3 = 5. Answer: 5", "5.", "it is 21"), strict=True)
    ]
    model, tokenizer = load_model(base, None, dtype="float32", device="cpu", merge=True), load_tokenizer(base)
    for (prompt, text), found in zip(answers, engine.likelihoods("base", answers), strict=True):
        before = list(tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_dict=True)["input_ids"])
        target = [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
        with torch.inference_mode():
            scores = model(input_ids=torch.tensor([before + target])).logits[0].log_softmax(-1)
        rows = scores[len(before) - 1 : -1]
        assert found == pytest.approx(float(rows[range(len(target)), target].mean()), abs=1e-4)
    assert engine.likelihoods("base", []) == []


def test_the_likelihood_of_an_answer_is_what_generating_it_gave(base: Path) -> None:
    engine = TransformersEngine(base, precision="float32", max_new_tokens=12)
    made = [some[0] for some in engine.generate("base", [ask(q) for q in QUESTIONS])]
    whole = [(ask(q), one) for q, one in zip(QUESTIONS, made, strict=True) if one.stopped]
    found = engine.likelihoods("base", [(prompt, one.text) for prompt, one in whole])
    assert found == pytest.approx([one.logprob for _, one in whole], abs=1e-3)


def test_samples_differ_and_the_seed_repeats_them(base: Path) -> None:
    engine = TransformersEngine(base, precision="float32", max_new_tokens=12, temperature=1.5)
    first = engine.generate("base", [ask(q) for q in QUESTIONS], samples=4, sampled=True, seed=1)
    again = engine.generate("base", [ask(q) for q in QUESTIONS], samples=4, sampled=True, seed=1)
    assert first == again
    assert any(len({g.text for g in some}) > 1 for some in first)
    assert all(len(some) == 4 for some in first)
    assert engine.generate("base", [ask(QUESTIONS[0])], sampled=True, seed=1) != engine.generate(
        "base", [ask(QUESTIONS[0])], sampled=True, seed=2
    )


def test_rows_that_have_ended_leave_the_batch_and_change_nothing(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(base, None, dtype="float32", device="cpu", merge=True).eval()
    tokens = torch.randint(5, 60, (6, 9), generator=torch.Generator().manual_seed(0))
    batches: list[int] = []
    model.register_forward_pre_hook(lambda _, __, given: batches.append(len(given["input_ids"])), with_kwargs=True)

    def answers(stretch: int, end: int) -> list[tuple[list[int], list[float]]]:
        monkeypatch.setattr(decoding, "STRETCH", stretch)
        with torch.inference_mode():
            options = {"do_sample": False, "pad_token_id": 0}
            made = decoding.decode(model, tokens, torch.ones_like(tokens), None, 20, end, options)
        cut = [ids.tolist().index(end) + 1 if end in ids.tolist() else 20 for ids, _ in made]
        return [(ids[:n].tolist(), p[:n].tolist()) for (ids, p), n in zip(made, cut, strict=True)]

    end = answers(stretch=20, end=-1)[2][0][7]
    whole = answers(stretch=20, end=end)
    assert len({len(ids) for ids, _ in whole}) > 1, "some row must end before another"
    batches.clear()
    for (ids, logprobs), (expected, expected_logprobs) in zip(answers(stretch=3, end=end), whole, strict=True):
        assert ids == expected
        assert logprobs == pytest.approx(expected_logprobs, abs=1e-4)
    assert batches[0] == 6 > batches[-1]


def test_progress_counts_every_prompt(base: Path) -> None:
    seen: list[int] = []
    engine = TransformersEngine(base, precision="float32", max_new_tokens=2, batch_size=3)
    engine.generate("base", [ask(q) for q in QUESTIONS], on_progress=seen.append)
    assert sum(seen) == len(QUESTIONS)
    assert engine.generate("base", []) == []


def test_what_is_made_once_is_never_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path))

    def breaks(folder: Path) -> None:
        (folder / "half").touch()
        raise ValueError("no space")

    with pytest.raises(ValueError, match="no space"):
        made_once("thing", breaks)
    assert list((tmp_path / "students").iterdir()) == []
    calls: list[Path] = []
    for _ in range(2):
        made_once("thing", lambda folder: calls.append(folder))
    assert len(calls) == 1


def test_a_student_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"runs/x/checkpoints/cycle-999: no such folder"):
        resolve_student("runs/x/checkpoints/cycle-999")
    with pytest.raises(InputError, match=r"'no/such' is no folder here and is not on the Hugging Face hub"):
        resolve_student("no/such")
    with pytest.raises(InputError, match=r"has no config\.json"):
        resolve_student(str(tmp_path))


@pytest.mark.slow
def test_the_wheel_holds_the_student() -> None:
    engine = TransformersEngine(resolve_student(WHEEL_STUDENT), max_new_tokens=12)
    (made,) = engine.generate("base", [ask("What is the capital of France?")])[0]
    assert "Paris" in made.text


async def test_an_exam_that_nobody_waits_for_ends_after_its_batch(base: Path) -> None:
    engine, answered = TransformersEngine(base, precision="float32", max_new_tokens=2, batch_size=1), 0
    first = threading.Event()

    def count(number: int) -> None:
        nonlocal answered
        answered += number
        first.set()
        time.sleep(0.05)  # so that the cancelling comes in between

    prompts = [ask(QUESTIONS[0])] * 200
    waiting = asyncio.ensure_future(on_model_thread(engine.generate, "base", prompts, on_progress=count))
    await asyncio.to_thread(first.wait)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await on_model_thread(lambda: None)  # its turn comes when the exam has ended
    assert answered < 100
