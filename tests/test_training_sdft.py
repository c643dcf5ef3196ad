"""Self-distillation: the student that has read the rationale teaches the one that has not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tutelage.checkpoints import load_model, load_tokenizer, read_note
from tutelage.errors import InputError, RunError
from tutelage.plugins import Plugin, build
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.training.sdft import SDFTStage
from tutelage.training.self_teacher import TEACHER, adapter_teacher
from tutelage.training.sft import SFTStage

FAST: dict[str, Any] = {"warmup_steps": 0, "batch_size": 6, "max_new_tokens": 8, "skip_first": 1}
LESSONS = tuple(
    Lesson(problem_id=f"p{n}", cycle=1, question=f"{n} + 1 =", text=f"{n} + 1 = {n + 1}.", origin="t") for n in range(6)
)


def hinted(one: Lesson) -> str:
    return SDFTStage().template.format(question=one.question, rationale=one.text)


@pytest.fixture
def job(base: Path, tmp_path: Path) -> StageJob:
    return StageJob(1, base, None, tmp_path / "out", LESSONS, seed=3, device="cpu", precision="float32")


def gap_to_the_hinted(job: StageJob, checkpoint: Path) -> float:
    """Mean KL(start that has read the text || student) over the tokens of the lessons' texts."""
    tokenizer = load_tokenizer(job.base)
    start, student = (
        load_model(job.base, folder, dtype="float32", device="cpu", merge=True).eval()
        for folder in (job.start, checkpoint)
    )
    total, count = 0.0, 0
    for one in job.lessons:
        text = tokenizer(one.text)["input_ids"]
        logs = []
        for model, asked in ((start, hinted(one)), (student, one.question)):
            before = tokenizer(f"<|im_start|>u{asked}<|im_end|><|im_start|>a")["input_ids"]
            with torch.inference_mode():
                logits = model(input_ids=torch.tensor([before + text])).logits[0]
            logs.append(logits.log_softmax(-1)[len(before) - 1 : -1])
        total += float((logs[0].exp() * (logs[0] - logs[1])).sum())
        count += len(text)
    return total / count


@pytest.fixture(scope="module")
def reader(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student that says a solution it is shown, and something else where it is shown none."""
    shown = [one.model_copy(update={"question": hinted(one)}) for one in LESSONS]
    blind = [one.model_copy(update={"text": "What?"}) for one in LESSONS]
    out = tmp_path_factory.mktemp("reader") / "out"
    job = StageJob(1, base, None, out, (*shown, *blind), seed=3, device="cpu", precision="float32")
    SFTStage(mode="full", learning_rate=4e-3, batch_size=12, max_steps=30, warmup_steps=0).run(job)
    return out


@pytest.mark.parametrize(("mode", "teacher", "rate"), [("lora", "start", 1e-2), ("full", "ema", 2e-3)])
def test_the_answer_moves_to_that_of_the_student_who_has_read_the_text(
    job: StageJob, reader: Path, mode: Any, teacher: Any, rate: float
) -> None:
    taught = replace(job, start=reader)
    stage = SDFTStage(mode=mode, teacher=teacher, learning_rate=rate, max_steps=12, **{**FAST, "skip_first": 0})
    stage.check()
    report = stage.run(taught)
    assert report.steps == 12
    assert report.metrics["last_divergence"] < 0.5 * report.metrics["first_divergence"]
    assert gap_to_the_hinted(taught, job.out) < 0.5 * gap_to_the_hinted(taught, reader)
    assert 0 < report.tokens <= 12 * 6 * 8


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What TRL's trainer is given in each step, answers included."""
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    from trl.experimental.sdft import SDFTTrainer

    seen: list[dict[str, Any]] = []
    compute = SDFTTrainer.compute_loss

    def record(self: Any, model: Any, inputs: dict[str, Any], *given: Any, **named: Any) -> Any:
        seen.append(inputs)
        return compute(self, model, inputs, *given, **named)

    monkeypatch.setattr(SDFTTrainer, "compute_loss", record)
    return seen


def plain_loss(job: StageJob, batch: dict[str, Any], beta: float, skipped: int, top_k: int | None = None) -> float:
    """The loss of one answer, where student and teacher have the weights of the job's start."""
    model = load_model(job.base, job.start, dtype="float32", device="cpu", merge=True).eval()
    (one,) = job.lessons
    asked = f"<|im_start|>u{hinted(one)}<|im_end|><|im_start|>a"
    shown = torch.tensor([load_tokenizer(job.base)(asked)["input_ids"]])
    answer = batch["completion_ids"]
    with torch.inference_mode():
        student, teacher = (
            model(input_ids=torch.cat([before, answer], dim=1)).logits[0, -answer.shape[1] - 1 : -1].log_softmax(-1)
            for before in (batch["prompt_ids"], shown)
        )
    if top_k is not None:  # the student's likeliest, and all others as one
        likeliest = student.topk(top_k).indices
        chosen = (log.gather(-1, likeliest) for log in (student, teacher))
        student, teacher = (torch.cat([log, (1 - log.exp().sum(-1, keepdim=True)).log()], -1) for log in chosen)
    p, q = (student, teacher) if beta else (teacher, student)
    return float((p.exp() * (p - q)).sum(-1)[skipped:].mean())


@pytest.mark.parametrize(("beta", "top_k"), [(0.0, None), (1.0, None), (0.0, 100)])
def test_the_first_loss_is_that_of_a_plain_computation(
    job: StageJob, batches: list[dict[str, Any]], beta: float, top_k: int | None
) -> None:
    one = replace(job, lessons=job.lessons[:1])
    report = SDFTStage(beta=beta, top_k=top_k, max_steps=1, **{**FAST, "skip_first": 2}).run(one)
    exact = plain_loss(one, batches[0], beta, skipped=2, top_k=top_k)
    assert exact > 1e-3
    assert report.loss == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize(("mode", "teacher"), [("lora", "start"), ("lora", "ema"), ("full", "start")])
def test_the_teacher_is_the_start_also_where_that_is_an_adapter(
    job: StageJob, batches: list[dict[str, Any]], mode: Any, teacher: Any
) -> None:
    SFTStage(learning_rate=1e-2, max_steps=3, warmup_steps=0, rank=4).run(job)
    later = replace(job, start=job.out, out=job.out.with_name("later"), lessons=job.lessons[:1])
    report = SDFTStage(mode=mode, teacher=teacher, max_steps=2, **FAST).run(later)
    exact = plain_loss(later, batches[0], 0.0, skipped=1)
    assert report.metrics["first_divergence"] == pytest.approx(exact, rel=1e-2)
    assert exact != pytest.approx(plain_loss(replace(later, start=None), batches[0], 0.0, skipped=1), rel=0.1)
    assert read_note(later.out).kind == ("adapter" if mode == "lora" else "full")
    assert not (later.out / TEACHER).exists()


@pytest.mark.parametrize("rate", [0.0, 0.25])
def test_the_teaching_adapter_begins_as_the_student_s_and_goes_after_it(base: Path, rate: float) -> None:
    from peft import LoraConfig, get_peft_model

    plain = load_model(base, None, dtype="float32", device="cpu", merge=True)
    model = get_peft_model(plain, LoraConfig(r=2, target_modules=["up_proj"], init_lora_weights=False))
    teacher = adapter_teacher(model, rate)
    teacher.on_train_begin(None, None, None)
    name = next(name for name, _ in model.named_parameters() if ".default." in name)
    student, other = model.get_parameter(name), model.get_parameter(name.replace(".default.", f".{TEACHER}."))
    before = student.detach().clone()
    assert torch.equal(other, before)
    assert (student.requires_grad, other.requires_grad) == (True, False)
    student.data += 4.0
    teacher.on_step_end(None, None, None)
    torch.testing.assert_close(other.detach(), before + 4.0 * rate)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"template": "{question}"}, "template: lacks {rationale}"),
        ({"template": "{question} {rationale} {hint}"}, "braces hold 'hint'"),
        ({"skip_first": 256}, "leaves nothing of max_new_tokens"),
        ({"skip_first": -1}, "skip_first"),
        ({"beta": 1.5}, "beta: must be "),
        ({"teacher": "base"}, "teacher: must be 'start' or 'ema'"),
        ({"extra": {"teacher_sync_steps": 3}}, "the teacher follows each step; use update_rate"),
        ({"extra": {"distillation_topk": 3}}, "option of the stage's own"),
    ],
)
def test_wrong_options_are_named_without_a_model(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SDFTStage(**options).check()


def test_a_text_that_the_teacher_cannot_read_is_an_error(job: StageJob) -> None:
    long = LESSONS[0].model_copy(update={"text": "0 + 1 = 1. " * 60})
    with pytest.raises(RunError, match=r"lesson p0: its \d+ tokens are more than the student's context of 512"):
        SDFTStage(max_steps=1, **FAST).run(replace(job, lessons=(*LESSONS, long)))


def test_it_is_installed_under_its_name() -> None:
    build("stages", Plugin(name="sdft")).check()
