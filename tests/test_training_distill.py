"""On-policy distillation: the loss, the teacher's vocabulary, and the student coming nearer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tutelage.checkpoints import load_model, read_note
from tutelage.errors import InputError, RunError
from tutelage.plugins import Plugin, build
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.tiny import build_tiny_student, make_model, make_tokenizer
from tutelage.training import divergence
from tutelage.training.distill import DistillStage
from tutelage.training.grpo import GRPOStage
from tutelage.training.sdft import SDFTStage
from tutelage.training.sft import SFTStage
from tutelage.training.vocabularies import compare, cut_to, width_of
from tutelage.training.white_box import BASE

FAST: dict[str, Any] = {"warmup_steps": 0, "batch_size": 6, "max_new_tokens": 8}


@pytest.fixture
def job(base: Path, tmp_path: Path) -> StageJob:
    lessons = tuple(
        Lesson(problem_id=f"p{n}", cycle=1, question=f"{n} + 1 =", text="unused", origin="t") for n in range(6)
    )
    return StageJob(1, base, None, tmp_path / "out", lessons, seed=3, device="cpu", precision="float32")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another tiny model with the same tokens."""
    return build_tiny_student(tmp_path_factory.mktemp("teacher"), seed=5, pretrained=False)


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What TRL's trainer is given in each step, answers included."""
    from trl import DistillationTrainer

    seen: list[dict[str, Any]] = []
    compute = DistillationTrainer.compute_loss

    def record(self: Any, model: Any, inputs: dict[str, Any], *given: Any, **named: Any) -> Any:
        seen.append(inputs)
        return compute(self, model, inputs, *given, **named)

    monkeypatch.setattr(DistillationTrainer, "compute_loss", record)
    return seen


def reverse_kl(student: Any, teacher: Any, batch: dict[str, Any], width: int | None = None) -> float:
    """Mean KL(student || teacher) over the answers' tokens."""
    asked, answer = batch["prompt_ids"], batch["completion_ids"]
    attended = torch.cat([batch["prompt_mask"], batch["completion_mask"]], 1)
    with torch.inference_mode():
        p, q = (
            model.eval()(input_ids=torch.cat([asked, answer], 1), attention_mask=attended)
            .logits[:, -answer.shape[1] - 1 : -1, :width]
            .log_softmax(-1)
            for model in (student, teacher)
        )
    return float((p.exp() * (p - q)).sum(-1)[batch["completion_mask"].bool()].mean())


def model_of(base: Path, checkpoint: Path | None = None) -> Any:
    return load_model(base, checkpoint, dtype="float32", device="cpu", merge=True)


@pytest.mark.parametrize("mode", ["lora", "full"])
def test_the_student_comes_nearer_to_the_teacher(
    job: StageJob, teacher: Path, batches: list[dict[str, Any]], mode: Any
) -> None:
    stage = DistillStage(teacher=str(teacher), mode=mode, learning_rate=3e-3, max_steps=12, **FAST)
    stage.check()
    report = stage.run(job)
    first = reverse_kl(model_of(job.base), model_of(teacher), batches[0])
    assert report.metrics["first_divergence"] == pytest.approx(first, rel=1e-3)
    assert report.metrics["last_divergence"] < 0.9 * first
    assert reverse_kl(model_of(job.base, job.out), model_of(teacher), batches[0]) < 0.9 * first
    assert report.tokens == sum(int(batch["completion_mask"].sum()) for batch in batches)


def test_the_divergence_is_the_reverse_kl_whatever_is_trained_on(
    job: StageJob, teacher: Path, batches: list[dict[str, Any]]
) -> None:
    stage = DistillStage(
        teacher=str(teacher),
        beta=0.0,
        temperature=2.0,
        max_steps=3,
        gradient_accumulation=2,
        **{**FAST, "batch_size": 3},
    )
    report = stage.run(job)
    first = [reverse_kl(model_of(job.base), model_of(teacher), batch) for batch in batches[:4:2]]  # each scored twice
    tokens = [int(batch["completion_mask"].sum()) for batch in batches[:4:2]]
    mean = sum(kl * count for kl, count in zip(first, tokens, strict=True)) / sum(tokens)
    assert report.metrics["first_divergence"] == pytest.approx(mean, rel=1e-3)
    assert len(batches) == 2 * 3 + 2 * 2  # the first and the last step once more
    learnt = [*batches[:4:2], *batches[4:6], *batches[6::2]]
    assert report.tokens == sum(int(batch["completion_mask"].sum()) for batch in learnt)
    assert report.loss != pytest.approx(report.metrics["last_divergence"], rel=1e-2)


def test_the_base_student_gives_back_what_was_forgotten(job: StageJob) -> None:
    lessons = tuple(one.model_copy(update={"text": "What?"}) for one in job.lessons)
    SFTStage(learning_rate=1e-2, max_steps=5, warmup_steps=0).run(replace(job, lessons=lessons))
    later = replace(job, start=job.out, out=job.out.with_name("later"))
    report = DistillStage(learning_rate=1e-2, max_steps=12, **FAST).run(later)
    assert report.metrics["last_divergence"] < 0.5 * report.metrics["first_divergence"]
    assert read_note(later.out).stages == ("sft", "distill")


def test_where_the_student_still_is_the_base_student_nothing_is_to_be_given_back(job: StageJob) -> None:
    report = DistillStage().run(job)
    assert (report.steps, report.note) == (0, "the student still is the base student: it has forgotten nothing")
    ours, theirs = model_of(job.base, job.out).state_dict(), model_of(job.base).state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def saved(folder: Path, tokenizer: Any, pad_to: int = 0) -> Path:
    """A tiny model for a tokenizer, its head padded."""
    torch.manual_seed(5)
    model = make_model(tokenizer)
    if pad_to:
        model.resize_token_embeddings(len(tokenizer) + pad_to, mean_resizing=False)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_a_teacher_with_a_padded_head_is_cut_to_the_tokens_there_are(
    job: StageJob, tmp_path: Path, batches: list[dict[str, Any]]
) -> None:
    wide = saved(tmp_path / "wide", make_tokenizer(), pad_to=7)
    report = DistillStage(teacher=str(wide), max_steps=1, **FAST).run(job)
    width = len(make_tokenizer())
    expected = reverse_kl(model_of(job.base), model_of(wide), batches[0], width)
    assert report.metrics["first_divergence"] == pytest.approx(expected, rel=1e-3)


def test_a_teacher_with_other_tokens_is_refused_and_the_remedy_named(job: StageJob, tmp_path: Path) -> None:
    other = saved(tmp_path / "other", make_tokenizer("zebra"))
    with pytest.raises(InputError, match=r"vocabulary is not the student's: .* set tokenizers: gold") as caught:
        DistillStage(teacher=str(other), max_steps=1, **FAST).run(job)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="gold aligns byte-level tokenizers, and the student's is none"):
        DistillStage(teacher=str(other), tokenizers="auto", max_steps=1, **FAST).run(job)
    with pytest.raises(InputError, match="teacher: 'no/such-model' is no folder here"):
        DistillStage(teacher="no/such-model", max_steps=1, **FAST).run(job)
    assert not job.out.exists()
    with pytest.raises(InputError, match=r"vocabulary is not the student's: .* set tokenizers: gold"):
        DistillStage(teacher=str(other)).check_teacher(job.base)
    for taught in (BASE, str(job.base)):
        DistillStage(teacher=taught).check_teacher(job.base)


@pytest.mark.parametrize("stage", [DistillStage, SDFTStage, GRPOStage])
def test_an_answer_that_would_go_beyond_the_context_is_an_error(job: StageJob, stage: Any) -> None:
    task: dict[str, object] = {"name": "tutelage.testing:FakeTask", "options": {}}
    lessons = (job.lessons[0].model_copy(update={"answer": "1"}),)
    options = {"teacher": str(job.base)} if stage is DistillStage else {}
    with pytest.raises(RunError, match=r"^lesson p0: its \d+ tokens and the 510 of an answer .* context of 512; lower"):
        stage(max_new_tokens=510, **options).run(replace(job, task=task, lessons=lessons))


def test_vocabularies_of_one_size_are_compared_by_token() -> None:
    plain, same, swapped = make_tokenizer("zebra"), make_tokenizer("zebra"), make_tokenizer("okapi")
    assert compare(plain, same, 5, 5).mismatch is None
    assert len(plain) == len(swapped)
    found = compare(plain, swapped, 5, 5)
    assert (found.differing, found.known) == ((" zebra",), len(plain))
    assert str(found.mismatch) == f"1 of the student's {len(plain)} tokens have another id or none (' zebra')"
    assert compare(plain, same, 5, 9).mismatch is None
    assert compare(plain, same, 9, 5).mismatch == "it scores 5 ids, the student 9"
    same.eos_token = "<|pad|>"
    assert "ends a turn with '<|pad|>', the student with '<|im_end|>'" in str(compare(plain, same, 5, 5).mismatch)


def test_a_head_is_cut_and_never_widened(base: Path) -> None:
    model = model_of(base)
    width = width_of(model)
    cut_to(model, width + 3)
    assert width_of(model) == width
    cut_to(model, width - 3)
    assert (width_of(model), model.config.vocab_size) == (width - 3, width - 3)


def test_the_first_and_the_last_steps_are_a_tenth_each() -> None:
    values = {step: float(step) for step in range(30) if step < 3 or step >= 27}
    assert divergence.first_and_last(values) == {"first_divergence": 1.0, "last_divergence": 28.0}
    assert divergence.first_and_last({0: 2.0}) == {"first_divergence": 2.0, "last_divergence": 2.0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beta": 2.0}, "beta: must be "),
        ({"tokenizers": "other"}, "tokenizers: must be 'same'"),
        ({"extra": {"lmbda": 0.5}}, "no argument of DistillationConfig"),
        ({"extra": {"lmbda": 0.5}, "tokenizers": "gold"}, "option of the stage's own"),
        ({"extra": {"top_p": 0.5}, "tokenizers": "auto"}, "option of the stage's own"),
    ],
)
def test_wrong_options_are_named_without_a_model(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        DistillStage(**options).check()


def test_it_is_installed_under_its_name() -> None:
    build("stages", Plugin(name="distill")).check()
    build("stages", Plugin(name="distill", options={"tokenizers": "gold"})).check()


@pytest.mark.parametrize(("file", "told"), [("adapter_config.json", "holds an adapter alone"), ("x", "holds no model")])
def test_a_teacher_without_whole_weights_is_refused(tmp_path: Path, file: str, told: str) -> None:
    (tmp_path / file).write_text("{}")
    with pytest.raises(InputError, match=told):
        DistillStage(teacher=str(tmp_path)).check_teacher(tmp_path)
