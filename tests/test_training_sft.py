import json
import threading
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from tutelage.checkpoints import load_model, load_tokenizer, read_note
from tutelage.errors import InputError, RunError
from tutelage.plugins import Plugin
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.training import sft
from tutelage.training.checks import check_lessons
from tutelage.training.session import Interpolation
from tutelage.training.sft import SFTStage, resample
from tutelage.training.worker import run_stage

SYSTEM = "End with 'Answer:'."


def lesson(number: int, **given: object) -> Lesson:
    values = {"problem_id": f"p{number}", "cycle": 1, "question": f"{number} + 1 =", "origin": "t", "system": SYSTEM}
    return Lesson.model_validate({**values, "text": f"{number} + 1 = {number + 1}. Answer: {number + 1}", **given})


@pytest.fixture
def job(base: Path, tmp_path: Path) -> StageJob:
    lessons = tuple(lesson(n) for n in range(6))
    return StageJob(1, base, None, tmp_path / "out", lessons, seed=3, device="cpu", precision="float32")


def reference_loss(base: Path, lessons: tuple[Lesson, ...]) -> tuple[float, int]:
    """Mean loss per answer token, and their number, in a few lines of torch."""
    model = load_model(base, None, dtype="float32", device="cpu", merge=True).eval()
    tokenizer = load_tokenizer(base)
    total, count = 0.0, 0
    for one in lessons:
        prompt = f"<|im_start|>s{SYSTEM}<|im_end|><|im_start|>u{one.question}<|im_end|><|im_start|>a"
        before, answer = (tokenizer(text)["input_ids"] for text in (prompt, f"{one.text}<|im_end|>"))
        logits = model(input_ids=torch.tensor([before + answer])).logits[0]
        chosen = logits.log_softmax(-1)[len(before) - 1 : -1].gather(1, torch.tensor(answer)[:, None])
        total, count = total - chosen.sum().item(), count + len(answer)
    return total / count, count


def test_the_first_step_has_the_loss_of_a_plain_computation(job: StageJob) -> None:
    stage = SFTStage(mode="full", learning_rate=1e-3, batch_size=6, max_steps=1)
    stage.check()
    report = stage.run(job)
    expected, tokens = reference_loss(job.base, job.lessons)
    assert report.metrics["first_loss"] == pytest.approx(expected, abs=1e-3)
    assert (report.steps, report.tokens) == (1, tokens)


def test_gradient_accumulation_is_the_same_step(job: StageJob) -> None:
    whole = SFTStage(mode="full", batch_size=6, max_steps=1, warmup_steps=0).run(job)
    parts = replace(job, out=job.out.with_name("parts"))
    cut = SFTStage(mode="full", batch_size=2, gradient_accumulation=3, max_steps=1, warmup_steps=0).run(parts)
    assert cut.metrics["first_loss"] == pytest.approx(whole.metrics["first_loss"], abs=1e-4)
    assert cut.tokens == whole.tokens


def test_casting_frozen_weights_once_gives_the_same_adapter(job: StageJob, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = SFTStage(batch_size=3, epochs=2)
    half = replace(job, precision="bfloat16")
    stage.run(half)
    monkeypatch.setattr(sft, "cast_once", lambda trainer: nullcontext())
    stage.run(replace(half, out=job.out.with_name("cast-each-step")))
    once, each = (
        load_file(folder / "adapter_model.safetensors") for folder in (job.out, job.out.with_name("cast-each-step"))
    )
    assert once.keys() == each.keys()
    assert all(torch.equal(once[name], each[name]) for name in once)


def test_training_in_this_process_ends_when_it_is_told_to(job: StageJob) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(RunError, match="told to stop"):
        run_stage(Plugin(name="sft", options={"mode": "full", "epochs": 50}), job, mode="inline", stop=stop)
    assert not job.out.exists()


def test_training_learns_and_the_same_seed_gives_the_same_curve(job: StageJob) -> None:
    stage = SFTStage(mode="full", learning_rate=3e-3, batch_size=3, epochs=6, warmup_steps=0)
    first = stage.run(job)
    second = stage.run(replace(job, out=job.out.with_name("again")))
    other = stage.run(replace(job, out=job.out.with_name("other"), seed=4))
    assert first.loss < 0.8 * first.metrics["first_loss"]
    assert first.loss == second.loss != other.loss
    assert first.steps == 12
    assert read_note(job.out).kind == "full"


def test_the_tokens_decide_how_long_training_takes(job: StageJob) -> None:
    a_pass = SFTStage(mode="full", batch_size=1).run(job).tokens
    thrice = replace(job, out=job.out.with_name("thrice"))
    report = SFTStage(mode="full", batch_size=1, max_tokens=3 * a_pass).run(thrice)
    assert (report.tokens, report.steps) == (3 * a_pass, 18)
    longer = replace(thrice, lessons=(*job.lessons, lesson(9, text="9 + 1 = 10. " * 3 + "Answer: 10")))
    report = SFTStage(mode="full", batch_size=1, max_tokens=3 * a_pass).run(longer)
    assert report.tokens == pytest.approx(3 * a_pass, abs=45)
    with pytest.raises(InputError, match="leave one out"):
        SFTStage(max_steps=3, max_tokens=100).check()


def test_an_adapter_is_continued_and_then_merged_into_full_weights(job: StageJob) -> None:
    first = SFTStage(max_steps=2, rank=4, alpha=8)
    first.run(job)
    assert read_note(job.out).kind == "adapter"
    second = replace(job, start=job.out, out=job.out.with_name("second"))
    SFTStage(max_steps=2, rank=32).run(second)
    assert json.loads((second.out / "adapter_config.json").read_text())["r"] == 4
    third = replace(job, start=second.out, out=job.out.with_name("third"))
    SFTStage(mode="full", max_steps=1, learning_rate=0.0).run(third)
    assert read_note(third.out).stages == ("sft", "sft", "sft")
    merged, full = (
        load_model(job.base, folder, dtype="float32", device="cpu", merge=True) for folder in (second.out, third.out)
    )
    for ours, theirs in zip(merged.parameters(), full.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_an_adapter_over_full_weights_is_saved_as_full_weights(job: StageJob) -> None:
    SFTStage(mode="full", max_steps=1).run(job)
    later = replace(job, start=job.out, out=job.out.with_name("later"))
    SFTStage(mode="lora", max_steps=2, learning_rate=1e-2, warmup_steps=0).run(later)
    assert read_note(later.out).kind == "full"
    before, after = (
        load_model(job.base, folder, dtype="float32", device="cpu", merge=True) for folder in (job.out, later.out)
    )
    assert not torch.equal(before.model.layers[0].mlp.up_proj.weight, after.model.layers[0].mlp.up_proj.weight)
    assert torch.equal(before.model.norm.weight, after.model.norm.weight)


def test_bfloat16_trains_float32_weights(job: StageJob) -> None:
    SFTStage(mode="full", max_steps=1).run(replace(job, precision="bfloat16"))
    model = load_model(job.base, job.out, dtype="float32", device="cpu", merge=True)
    weight = model.model.layers[0].mlp.up_proj.weight
    assert not torch.equal(weight, weight.to(torch.bfloat16).float())


@pytest.mark.parametrize("length", [20, 60])
def test_a_lesson_that_does_not_fit_is_an_error(job: StageJob, length: int) -> None:
    long = replace(job, lessons=(*job.lessons, lesson(7, text="1 + 1 = 2. " * 8)))
    with pytest.raises(RunError, match=r"lesson p\d: .*max_length"):
        SFTStage(max_steps=1, max_length=length).run(long)


def test_an_empty_text_is_an_error(job: StageJob) -> None:
    with pytest.raises(RunError, match="lesson p9: its text is empty"):
        SFTStage(max_steps=1).run(replace(job, lessons=(lesson(9, text=" "),)))


def test_a_checkpoint_that_is_not_what_was_trained_is_an_error(job: StageJob, monkeypatch: pytest.MonkeyPatch) -> None:
    def save_the_base(model: object, folder: Path, **given: object) -> None:
        from tutelage.checkpoints import save_checkpoint

        untrained = load_model(job.base, None, dtype="float32", device="cpu", merge=True)
        save_checkpoint(untrained, folder, **given)  # type: ignore[arg-type]

    monkeypatch.setattr("tutelage.training.session.save_checkpoint", save_the_base)
    with pytest.raises(RunError, match="what was saved is not what was trained"):
        SFTStage(mode="full", max_steps=2, learning_rate=1e-2, warmup_steps=0).run(job)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"extra": {"los_type": "dft"}}, "did you mean 'loss_type'"),
        ({"extra": {"report_to": ["wandb"]}}, "'report_to' has an option of the stage's own"),
        ({"extra": {"run_name": "mine"}}, "'run_name' is decided by"),
        ({"report_to": ["tensorbord"]}, "report_to: no tracker 'tensorbord'; did you mean 'tensorboard'?"),
        ({"extra": {"per_device_train_batch_size": 3}}, "option of the stage's own"),
        ({"extra": {"packing": True}}, "packing"),
        ({"scheduler": "cosin"}, "scheduler: there is no 'cosin'; did you mean 'cosine'"),
        ({"mode": "qlora"}, "mode: must be 'lora' or 'full', not 'qlora'"),
        ({"rank": 0}, "rank: must be at least 1, not 0"),
        ({"batch_size": 0}, "batch_size"),
        ({"max_steps": 0}, "max_steps"),
        ({"drift": -1.0}, "drift"),
        ({"interpolate": 0.0}, "interpolate"),
    ],
)
def test_wrong_options_are_named_without_a_model(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        SFTStage(**options).check()
    assert "\n" not in str(caught.value)


def test_extra_arguments_reach_trl(job: StageJob) -> None:
    plain = SFTStage(mode="full", max_steps=1, batch_size=6).run(job)
    tuned = SFTStage(mode="full", max_steps=1, batch_size=6, extra={"loss_type": "dft"})
    tuned.check()
    assert tuned.run(replace(job, out=job.out.with_name("dft"))).loss < 0.5 * plain.loss


@settings(deadline=None)
@given(st.lists(st.floats(0, 4), min_size=1, max_size=30).filter(lambda w: sum(w) > 0.1), st.integers(0, 99))
def test_lessons_are_drawn_in_proportion_to_their_weight(weights: list[float], seed: int) -> None:
    lessons = [lesson(n, weight=w) for n, w in enumerate(weights)]
    drawn = resample(lessons, seed)
    for one in lessons:
        share = len(lessons) * one.weight / sum(weights)
        assert abs(sum(d.problem_id == one.problem_id for d in drawn) - share) < 1 + 1e-6
    assert len(drawn) == len(lessons)
    assert drawn == resample(lessons, seed)


def test_equal_weights_change_nothing() -> None:
    lessons = [lesson(n, weight=0.3) for n in range(5)]
    assert resample(lessons, 0) == lessons
    with pytest.raises(RunError, match="weights"):
        resample([lesson(0, weight=0.0)], 0)


def test_too_few_lessons() -> None:
    with pytest.raises(RunError, match="at least 8 lessons, 1 given"):
        check_lessons([lesson(0)], 8)


def test_nothing_is_printed(job: StageJob, capfd: pytest.CaptureFixture[str]) -> None:
    SFTStage(max_steps=1).run(job)
    assert capfd.readouterr().out == ""


def test_the_stage_is_installed_under_its_name() -> None:
    from tutelage.plugins import Plugin, build

    stage = build("stages", Plugin(name="sft", options={"max_steps": 3, "mode": "full"}))
    assert isinstance(stage, sft.SFTStage)
    with pytest.raises(InputError, match="did you mean 'learning_rate'"):
        build("stages", Plugin(name="sft", options={"learning_rat": 1}))


def test_interpolation_goes_part_of_the_way() -> None:
    model = torch.nn.Linear(2, 2)
    before = model.weight.detach().clone()
    part_way = Interpolation(model, 0.25)
    model.weight.data += 4.0
    part_way.apply(model)
    torch.testing.assert_close(model.weight.data, before + 1.0)
    with pytest.raises(InputError, match="interpolate"):
        SFTStage(interpolate=0.0).check()


def test_nothing_is_reported_to_the_makers_of_the_trainer(job: StageJob, monkeypatch: pytest.MonkeyPatch) -> None:
    from trl.trainer import base_trainer

    def told(*_: object, **__: object) -> None:
        raise AssertionError("telemetry")

    monkeypatch.setattr(base_trainer, "send_telemetry", told)
    monkeypatch.delenv("CI", raising=False)  # TRL tells nothing from there
    SFTStage(max_steps=1).run(job)


def test_a_loss_without_bounds_is_named_as_such(job: StageJob) -> None:
    with pytest.raises(RunError, match="lower learning_rate"):
        SFTStage(mode="full", learning_rate=1e30, max_grad_norm=1e30, warmup_steps=0, epochs=4).run(job)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_loss_is_that_of_trl(job: StageJob, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    half = replace(job, precision=precision)
    ours = SFTStage(batch_size=3, epochs=2).run(half)
    monkeypatch.setattr("tutelage.training.loss.has_plain_head", lambda model: False)
    theirs = SFTStage(batch_size=3, epochs=2).run(replace(half, out=job.out.with_name("theirs")))
    assert ours.metrics["first_loss"] == pytest.approx(theirs.metrics["first_loss"], rel=1e-3)
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-2)
