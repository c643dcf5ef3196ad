"""Bad input ends a training stage with one line; the student stays what it was, and a resume goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import tutelage
from tutelage.checkpoints import load_tokenizer
from tutelage.errors import InputError, RunError
from tutelage.plugins import Plugin
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.testing import FakeEngine, fake_config
from tutelage.tiny import CHAT_TEMPLATE, make_tokenizer
from tutelage.training import session
from tutelage.training.limits import Limits, check_rows, check_vocabulary, read_limits
from tutelage.training.sft import SFTStage
from tutelage.training.template import check_template
from tutelage.training.worker import run_stage

Run = Callable[..., tuple[int, str, str]]

TURNS = "{% for message in messages %}"
ANSWERLESS = CHAT_TEMPLATE.replace(TURNS, TURNS.replace("messages", "messages if message['role'] != 'assistant'"))
FIRST_LINE = CHAT_TEMPLATE.replace("+ message['content'] +", "+ message['content'].split('\\n')[0] +")
STRIPPING = CHAT_TEMPLATE.replace("+ message['content'] +", "+ message['content'].strip() +")
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHAT_TEMPLATE
THINKING = CHAT_TEMPLATE.replace("{{ '<|im_start|>a' }}", "{{ '<|im_start|>a<think>' }}")


class Learner(FakeEngine):
    """Knows everything once it has been trained at all."""

    def generate(self, checkpoint: str, prompts: Any, **options: Any) -> Any:
        share = float(checkpoint != "base")
        return [[self._answer(prompt[-1]["content"], share)] * options.get("samples", 1) for prompt in prompts]


@pytest.fixture
def student(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / "student"))


@pytest.fixture
def job(student: Path, tmp_path: Path) -> StageJob:
    lessons = tuple(
        Lesson(problem_id=f"p{n}", cycle=1, question=f"{n} + 1 =", text=f"{n} + 1 = {n + 1}.", origin="t")
        for n in range(6)
    )
    return StageJob(1, student, None, tmp_path / "out", lessons, seed=3, device="cpu", precision="float32")


def retemplate(student: Path, template: str) -> None:
    (student / "chat_template.jinja").write_text(template)


def config_of(student: Path, **options: object) -> dict[str, Any]:
    stage = {"name": "sft", "options": {"mode": "full", "epochs": 2, "warmup_steps": 0, **options}}
    training = {"stages": [stage], "worker": "inline", "min_lessons": 4}
    given = {"model": str(student), "device": "cpu", "precision": "float32"}
    return fake_config(student=given, training=training, stop={"cycles": 1})


def test_each_failure_leaves_the_student_and_a_resume_goes_on(student: Path, base: Path, tmp_path: Path) -> None:
    path, first = tmp_path / "run", "training.stages.0.options"

    def stays(overrides: list[str], message: str) -> None:
        with pytest.raises(RunError, match=message) as caught:
            tutelage.resume(path, engine=Learner(), overrides=overrides)
        assert "\n" not in str(caught.value)
        result = tutelage.Result(path)
        assert (result.summary["status"], len(result.reports), result.student_path) == ("failed", 1, None)
        assert not (path / "checkpoints" / "cycle-001").exists()

    diverging = config_of(student, learning_rate=1e30, max_grad_norm=1e30)
    with pytest.raises(RunError, match=r"^step [23]: the loss is (nan|inf) on lessons \w+, .*and 4 more; lower l"):
        tutelage.run(diverging, engine=Learner(), run_dir=path)
    stays(
        [f"{first}.learning_rate=1e-3", f"{first}.max_length=20"],
        r"^lesson \w+: .* raise the stage's max_length from 20 to the \d+ tokens of the longest lesson$",
    )
    retemplate(student, ANSWERLESS)
    stays([f"{first}.max_length=256"], r"chat template drops what the student answers; mend chat_template")
    retemplate(student, CHAT_TEMPLATE)
    make_tokenizer("red blue green cyan black white grey pink brown gold").save_pretrained(student)
    stays([], r"^lesson \w+: token \d+ is beyond the student's vocabulary of \d+; give the student the tokenizer")
    load_tokenizer(base).save_pretrained(student)
    result = tutelage.resume(path, engine=Learner())
    assert result.summary["status"] == "finished"
    assert result.student_path == path / "checkpoints" / "cycle-001"


@pytest.mark.parametrize("verb", ["run", "doctor"])
def test_what_can_be_known_is_refused_before_anything_is_paid_for(
    tutelage_cli: Run, student: Path, in_folder: Path, verb: str
) -> None:
    wrong = {
        "no chat template": lambda: (student / "chat_template.jinja").unlink(),
        "template drops what": lambda: retemplate(student, ANSWERLESS),
        "drops or changes the text": lambda: retemplate(student, FIRST_LINE),
        "refuses messages of system": lambda: retemplate(student, NO_SYSTEM),
        "does not begin a conversation": lambda: retemplate(student, THINKING),
        "beyond the student's vocabulary of": lambda: make_tokenizer("bigger").save_pretrained(student),
    }
    Path("config.yaml").write_text(yaml.safe_dump(config_of(student)))
    for message, spoil in wrong.items():
        spoil()
        code, _, err = tutelage_cli(verb, "config.yaml", *(["--run-dir", "run"] if verb == "run" else []))
        assert code == 2, message
        assert message in err
        assert verb == "doctor" or len(err.splitlines()) == 1
        assert not Path("run").exists()
        make_tokenizer().save_pretrained(student)


REFUSED = {
    "stages: sft: max_length: the question of": {"name": "sft", "options": {"max_length": 12}},
    "stages: grpo: max_new_tokens: the question of": {"name": "grpo", "options": {"max_new_tokens": 511}},
    "stages: tpsft: modules: the student has no linear layers named nonsense": {
        "name": "tpsft",
        "options": {"modules": ["nonsense"]},
    },
    "stages: tpsft: band: the student has no layers named down_proj in the band 0.41 to 0.42 of its 2 blocks": {
        "name": "tpsft",
        "options": {"band": [0.41, 0.42]},
    },
    "teacher: 'no/such-model' is no folder here": {"name": "distill", "options": {"teacher": "no/such-model"}},
}


@pytest.mark.parametrize("verb", ["run", "doctor"])
def test_a_stage_that_this_student_cannot_go_through_is_refused_too(
    tutelage_cli: Run, student: Path, in_folder: Path, verb: str
) -> None:
    for message, stage in REFUSED.items():
        config = config_of(student)
        config["training"]["stages"] = [stage]
        Path("config.yaml").write_text(yaml.safe_dump(config))
        code, _, err = tutelage_cli(verb, "config.yaml", *(["--run-dir", "run"] if verb == "run" else []))
        assert code == 2
        assert message in err
        assert not Path("run").exists()


HUNGRY = """
from tutelage.testing import FakeStage

class Hungry(FakeStage):
    def __init__(self, batch_size: int = 8) -> None:
        super().__init__("hungry")
        self.batch_size = batch_size

    def halved(self):
        return {"batch_size": self.batch_size // 2}

    def run(self, job):
        if self.batch_size > 4:
            raise MemoryError
        return super().run(job)
"""


def test_a_run_tells_that_memory_ran_out_and_goes_on(in_folder: Path) -> None:
    name = f"hungry_{in_folder.name.replace('-', '_')}"
    (in_folder / f"{name}.py").write_text(HUNGRY)
    training = {"stages": [f"{name}:Hungry"], "worker": "inline", "min_lessons": 4}
    result = tutelage.run(fake_config(training=training, stop={"cycles": 1}), run_dir=in_folder / "run")
    assert result.reports[1].training[0].metrics["memory_retries"] == 1
    events = [json.loads(line) for line in (result.path / "events.jsonl").read_text().splitlines()]
    told = [event["text"] for event in events if event["kind"] == "note"]
    assert "hungry: memory ran out; the batch was halved (1 x), and the step stayed the same" in told


def test_a_template_that_only_strips_white_space_will_do(student: Path) -> None:
    retemplate(student, STRIPPING)
    tokenizer = load_tokenizer(student)
    assert check_template(tokenizer, [{"role": "user", "content": "1 + 1 ="}], " 2\n").endswith("a2<|im_end|>")


def test_an_answer_that_stands_in_the_question_is_missed_where_the_template_drops_it(student: Path) -> None:
    emptied = "{{ message['content'] if message['role'] != 'assistant' else '' }}"
    dropping = CHAT_TEMPLATE.replace("+ message['content'] +", "}}" + emptied + "{{")
    tokenizer, asked = load_tokenizer(student), [{"role": "user", "content": "Is 4 even? Answer: yes or no."}]
    check_template(tokenizer, asked, "Answer: yes")
    tokenizer.chat_template = dropping
    with pytest.raises(InputError, match="drops or changes the text of an answer"):
        check_template(tokenizer, asked, "Answer: yes")


def test_a_lesson_longer_than_the_context_is_named(job: StageJob) -> None:
    long = job.lessons[0].model_copy(update={"text": "1 + 1 = 2. " * 80})
    with pytest.raises(RunError, match=r"^lesson p0: its \d+ tokens are more than the student's context of 512; "):
        run_stage(Plugin(name="sft", options={"max_length": 2048}), replace(job, lessons=(long,)), mode="inline")


def test_tokens_that_were_added_and_stand_in_no_text_may_lie_beyond_the_vocabulary(student: Path) -> None:
    tokenizer, limits = load_tokenizer(student), read_limits(student)
    check_vocabulary(tokenizer, limits)
    tokenizer.add_tokens(["<image>"], special_tokens=True)
    check_vocabulary(tokenizer, limits)
    asked = [{"role": "user", "content": "What is <image>?"}]
    with pytest.raises(RunError, match=r"lesson p: token .* is beyond"):
        check_rows(tokenizer, limits, [{"problem_id": "p", "prompt": asked}])
    tokenizer.eos_token = "<image>"
    with pytest.raises(InputError, match=r"has 1 tokens beyond .* such as '<image>'"):
        check_vocabulary(tokenizer, limits)


def test_an_architecture_without_a_limit_takes_any_length(student: Path) -> None:
    row = {"problem_id": "p", "prompt": [{"role": "user", "content": "1 " * 600}]}
    check_rows(load_tokenizer(student), Limits(None, 1000), [row])


def test_a_frozen_student_is_refused(job: StageJob, monkeypatch: pytest.MonkeyPatch) -> None:
    load = session.load_model
    monkeypatch.setattr(session, "load_model", lambda *given, **more: load(*given, **more).requires_grad_(False))
    with pytest.raises(RunError, match="no weight of the student takes gradients, so nothing would be trained"):
        SFTStage(mode="full", max_steps=1).run(job)
