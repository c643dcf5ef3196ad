"""Distillation from a teacher with another tokenizer: who is asked how, and that the loss is of like with like."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tutelage.checkpoints import load_model, load_tokenizer
from tutelage.errors import InputError, RunError
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.tiny import make_model
from tutelage.training.distill import DistillStage
from tutelage.training.gold import asking, teacher_prompts

TEXTS = [f"What is {n} + {m}? {n} + {m} = {n + m}. Answer: {n + m}" for n in range(12) for m in range(12)]
TEXTS += ["system\nAdd.", "user\n", "assistant\n"]
"""No other bytes are tokens, so that an untaught student cannot say what is no text."""
TEMPLATE = (
    "{% for message in messages %}{{ '[START]' + message['role'] + '\n' + message['content'] + '[END]' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '[START]assistant\n' }}{% endif %}"
)
FAST: dict[str, Any] = {"warmup_steps": 0, "batch_size": 6, "max_new_tokens": 8, "tokenizers": "gold"}


def byte_level(size: int, start: str, end: str) -> Any:
    """A byte-level BPE tokenizer with its own names of the special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=size, special_tokens=["<pad>", start, end]))
    template = TEMPLATE.replace("[START]", start).replace("[END]", end)
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", bos_token=start, eos_token=end, chat_template=template
    )


def saved(folder: Path, tokenizer: Any, seed: int) -> Path:
    torch.manual_seed(seed)
    make_model(tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A student, a teacher with another tokenizer and chat template, and two whose tokens are single bytes.

    What the latter say can be read in one way only, whatever they sample.
    """
    folder = tmp_path_factory.mktemp("models")
    ours, theirs = byte_level(60, "<|im_start|>", "<|im_end|>"), byte_level(90, "<s>", "</s>")
    letters = byte_level(1, "<|im_start|>", "<|im_end|>")
    return {
        "student": saved(folder / "student", ours, 1),
        "other": saved(folder / "other", theirs, 2),
        "speller": saved(folder / "speller", letters, 1),
        "alike": saved(folder / "alike", letters, 2),
    }


@pytest.fixture
def job(models: dict[str, Path], tmp_path: Path) -> StageJob:
    lessons = tuple(
        Lesson(problem_id=f"p{n}", cycle=1, question=f"What is {n} + 1?", text="unused", origin="t", system="Add.")
        for n in range(6)
    )
    return StageJob(1, models["student"], None, tmp_path / "out", lessons, seed=3, device="cpu", precision="float32")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """What the student's batches are, and what texts the teacher is given."""
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    from trl.experimental.gold import gold_trainer

    found: dict[str, list[Any]] = {"batches": [], "prompts": [], "answers": []}
    compute, build = gold_trainer.GOLDTrainer.compute_loss, gold_trainer.build_teacher_inputs_from_texts

    def record(self: Any, model: Any, inputs: dict[str, Any], *given: Any, **named: Any) -> Any:
        found["batches"].append(inputs)
        return compute(self, model, inputs, *given, **named)

    def listen(tokenizer: Any, prompts: list[str], answers: list[str], **named: Any) -> Any:
        found["prompts"] += prompts
        found["answers"] += answers
        return build(tokenizer, prompts, answers, **named)

    monkeypatch.setattr(gold_trainer.GOLDTrainer, "compute_loss", record)
    monkeypatch.setattr(gold_trainer, "build_teacher_inputs_from_texts", listen)
    return found


def test_each_side_is_asked_in_its_own_chat_template(
    job: StageJob, models: dict[str, Path], seen: dict[str, list[Any]]
) -> None:
    DistillStage(teacher=str(models["other"]), max_steps=1, **FAST).run(job)
    asked = {f"<s>system\nAdd.</s><s>user\nWhat is {n} + 1?</s><s>assistant\n" for n in range(6)}
    assert set(seen["prompts"]) == asked
    assert not any("<|im_end|>" in answer for answer in seen["answers"])
    tokenizer = load_tokenizer(job.base)
    batch = seen["batches"][0]
    rows = [row[mask.bool()] for row, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True)]
    told = [tokenizer.decode(row, skip_special_tokens=False) for row in rows]
    assert len(told) == 6
    for text in told:
        assert text.startswith("<|im_start|>system\nAdd.<|im_end|><|im_start|>user\nWhat is ")
        assert "?<|im_end|><|im_start|>assistant\n" in text


@pytest.mark.parametrize("parts", [1, 2])
def test_with_one_tokenizer_the_loss_is_the_reverse_kl(
    job: StageJob, models: dict[str, Path], seen: dict[str, list[Any]], parts: int
) -> None:
    """So tokens are compared at their own places, the end of the turn among them."""
    options = {**FAST, "max_new_tokens": 40, "batch_size": 6 // parts, "gradient_accumulation": parts}
    spelling = replace(job, base=models["speller"])
    report = DistillStage(teacher=str(models["alike"]), max_steps=1, **options).run(spelling)
    student, teacher = (
        load_model(models[name], None, dtype="float32", device="cpu", merge=True).eval()
        for name in ("speller", "alike")
    )
    rows, ended, tokens = [], 0, 0
    for batch in seen["batches"]:
        learnt = batch["labels"] != -100
        asked = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}
        with torch.inference_mode():
            p, q = (model(**asked).logits[:, :-1].log_softmax(-1) for model in (student, teacher))
        divergence = (p.exp() * (p - q)).sum(-1)
        rows += [float(row[mask].mean()) for row, mask in zip(divergence, learnt[:, 1:], strict=True)]
        ended += int((batch["labels"] == load_tokenizer(models["speller"]).eos_token_id).sum())
        tokens += int(learnt.sum())
    assert (len(seen["batches"]), len(rows)) == (parts, 6)
    assert ended
    assert report.loss == pytest.approx(sum(rows) / 6, rel=1e-3)
    assert report.tokens == tokens


def test_the_student_comes_nearer_to_a_teacher_with_another_tokenizer(job: StageJob, models: dict[str, Path]) -> None:
    stage = DistillStage(
        teacher=str(models["other"]), learning_rate=3e-3, max_steps=15, **{**FAST, "tokenizers": "auto"}
    )
    stage.check()
    report = stage.run(job)
    assert report.metrics["gold"] == 1.0
    assert report.metrics["last_divergence"] < 0.9 * report.metrics["first_divergence"]
    with pytest.raises(InputError, match=r"tokens have another id or none .* set tokenizers: gold"):
        DistillStage(teacher=str(models["other"]), **{**FAST, "tokenizers": "same"}).run(
            replace(job, out=job.out.with_name("same"))
        )


def test_a_token_that_begins_every_text_is_not_put_there_twice(models: dict[str, Path]) -> None:
    from tokenizers.processors import TemplateProcessing

    student, teacher = load_tokenizer(models["student"]), load_tokenizer(models["other"])
    asked = [[{"role": "user", "content": "What?"}]]
    plain = teacher_prompts(asked, student, teacher)
    teacher.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", teacher.bos_token_id)]
    )
    (prompt,) = teacher_prompts(asked, student, teacher).values()
    assert list(plain.values()) == [f"<s>{prompt}"]
    assert teacher(prompt)["input_ids"][:2].count(teacher.bos_token_id) == 1


def test_a_teacher_whose_template_refuses_the_questions_is_named(models: dict[str, Path]) -> None:
    student, teacher = load_tokenizer(models["student"]), load_tokenizer(models["other"])
    teacher.chat_template = "{{ raise_exception('no system messages') }}"
    with pytest.raises(InputError, match="chat template does not take the questions: no system messages"):
        teacher_prompts([[{"role": "system", "content": "x"}]], student, teacher)


def test_a_question_that_is_read_otherwise_is_an_error() -> None:
    class Trainer:
        def compute_loss(self, model: Any, inputs: dict[str, Any]) -> Any:
            return inputs

    trainer = asking({"a": "b"}, "<end>")(Trainer)()
    batch = {"labels": torch.tensor([[-100, 5]]), "original_completion_text": ["x<end>"]}
    told = trainer.compute_loss(None, {**batch, "original_prompt_text": ["a"]})
    assert (told["original_prompt_text"], told["original_completion_text"]) == (["b"], ["x"])
    assert trainer.supervised_tokens == 1
    with pytest.raises(RunError, match="read otherwise once an answer follows: 'c'"):
        trainer.compute_loss(None, {**batch, "original_prompt_text": ["c"]})
