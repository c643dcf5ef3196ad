"""A student of a run as a Hugging Face folder: transformers loads it alone, and its card is one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import ModelCard
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from tutelage.checkpoints import load_model, load_tokenizer, note_strategies, save_checkpoint
from tutelage.configfile import dump_config, parse_config
from tutelage.export.student import export_student
from tutelage.export.student_card import share_of
from tutelage.jsonl import write_json
from tutelage.rundir import RunDir
from tutelage.schema import BASE, CycleReport, Library, Split, TrainingReport, Verdict, Weakness
from tutelage.strategies import write_library
from tutelage.testing import fake_config

Run = Callable[..., tuple[int, str, str]]
EVIL = "evil | x |\n---\nlicense: mit\n<script>[l](http://x)"
STAGE = TrainingReport(stage="sft", steps=1, tokens=1, loss=1.0, seconds=1.0)


def reported(cycle: int, gate: float, verdict: Verdict, **more: Any) -> CycleReport:
    made = f"checkpoints/cycle-{cycle:03d}" if cycle else BASE
    parent = f"checkpoints/cycle-{cycle - 1:03d}" if cycle > 1 else BASE
    shares = {Split.GATE: gate, Split.RETENTION: 0.95}
    sizes = {Split.GATE: 40, Split.RETENTION: 40}
    fields = {"student": made, "parent": parent, "accuracy": shares, "n": sizes, "why": EVIL, **more}
    return CycleReport(cycle=cycle, verdict=verdict, **fields)


@pytest.fixture
def run(tmp_path: Path, base: Path) -> RunDir:
    """A run with full weights in cycle 1, which is best, and an adapter in cycle 2."""
    rundir = RunDir(tmp_path / "a: b\n---\n| run")
    rundir.path.mkdir()
    rundir.config.write_text(dump_config(parse_config(fake_config(student={"model": EVIL}))))
    write_json(rundir.task, {"instruction": "Add."})
    weak = Weakness(name=EVIL, pass_rate=0.1, support=4, severity=0.5)
    rundir.write_report(reported(0, 0.1, Verdict.BASELINE))
    rundir.write_report(reported(1, 0.6, Verdict.ACCEPTED, weaknesses=(weak,), training=(STAGE,)))
    rundir.write_report(reported(2, 0.5, Verdict.ROLLED_BACK))
    rundir.write_report(reported(3, 0.5, Verdict.ROLLED_BACK, accuracy={}, n={}))
    tests = {"base": 0.125, "best": 0.5, "n": 64}
    best = {"base": EVIL, "best": "checkpoints/cycle-001", "best_cycle": 1}
    rundir.write_result({"stop_reason": "cycles", "student": best, "test": tests})
    taught = load_model(base, None, dtype="float32", device="cpu", merge=False)
    torch.nn.init.normal_(taught.model.norm.weight)
    save_checkpoint(taught, rundir.checkpoints / "cycle-001", base=base, stages=["sft"], tokenizer=load_tokenizer(base))
    (rundir.checkpoints / "cycle-001" / "losses.json").write_text("[]")
    torch.manual_seed(1)
    lora = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    adapted = get_peft_model(load_model(base, None, dtype="float32", device="cpu", merge=False), lora)
    save_checkpoint(adapted, rundir.checkpoints / "cycle-002", base=base, stages=["sft", "grpo"])
    return rundir


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return model.eval()(input_ids=torch.arange(4, 40)[None]).logits


def test_the_best_student_loads_alone(tutelage_cli: Run, run: RunDir, base: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, said, err = tutelage_cli("export", "student", run.path, "-o", out)
    assert (code, said) == (0, f"{out}: the student of cycle 1 (accepted)\n"), err
    expected = load_model(base, run.checkpoints / "cycle-001", dtype="float32", device="cpu", merge=True)
    assert torch.equal(logits(AutoModelForCausalLM.from_pretrained(out)), logits(expected))
    tokenizer = AutoTokenizer.from_pretrained(out)
    assert "4 + 3" in tokenizer.apply_chat_template([{"role": "user", "content": "4 + 3 ="}], tokenize=False)
    assert GenerationConfig.from_pretrained(out).eos_token_id == tokenizer.convert_tokens_to_ids("<|im_end|>")
    names = {path.name for path in out.iterdir()}
    assert names >= {"README.md", "config.json", "model.safetensors", "chat_template.jinja", "generation_config.json"}
    assert not names & {"tutelage.json", "losses.json", "training.json"}


def test_an_adapter_is_merged(run: RunDir, base: Path, tmp_path: Path) -> None:
    assert export_student(run, tmp_path / "out", cycle=2).verdict is Verdict.ROLLED_BACK
    expected = load_model(base, run.checkpoints / "cycle-002", dtype="float32", device="cpu", merge=True)
    found = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    torch.testing.assert_close(logits(found), logits(expected), atol=0, rtol=0)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert not [name for name in names if name.startswith("adapter")] and "tokenizer.json" in names
    text = ModelCard.load(tmp_path / "out" / "README.md").text
    assert "rolled back" in text and "has not sat the test" in text and "sft, grpo" in text


def test_strategies_go_with_their_weights(run: RunDir, base: Path, tmp_path: Path) -> None:
    folder = run.checkpoints / "cycle-004"
    folder.mkdir()
    write_library(folder, Library())
    note_strategies(folder, base=base, weights="../cycle-001", start=run.checkpoints / "cycle-001")
    run.write_report(reported(4, 0.6, Verdict.ACCEPTED))
    export_student(run, tmp_path / "out", cycle=4)
    weights = "model.safetensors"
    assert (tmp_path / "out" / weights).read_bytes() == (run.checkpoints / "cycle-001" / weights).read_bytes()
    assert (tmp_path / "out" / "strategies.json").is_file()
    assert "only with the strategies" in (tmp_path / "out" / "README.md").read_text()


def test_generation_ends_where_the_turn_ends(run: RunDir, tmp_path: Path) -> None:
    path = run.checkpoints / "cycle-001" / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "eos_token_id": 5, "pad_token_id": None}))
    export_student(run, tmp_path / "out")
    settings = GenerationConfig.from_pretrained(tmp_path / "out")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert settings.eos_token_id == [tokenizer.eos_token_id, 5]
    assert settings.pad_token_id == tokenizer.pad_token_id


def test_the_card_is_one_whatever_the_names_are(run: RunDir, tmp_path: Path) -> None:
    export_student(run, tmp_path / "out")
    card = ModelCard.load(tmp_path / "out" / "README.md")
    data = card.data.to_dict()
    assert "license" not in data and "base_model" not in data
    assert (data["library_name"], data["pipeline_tag"]) == ("transformers", "text-generation")
    results = {one.dataset_split: one.metric_value for one in card.data.eval_results}
    assert results == {"test": 0.5, "gate": 0.6}
    assert card.data.model_name == "a: b --- | run"
    before_config, _, config = card.text.partition("```yaml\n")
    assert "<" not in before_config and "http://" not in before_config and "\n---\n" not in before_config
    assert "Of 40 questions of other kinds that the base student was sure of, it answers 2 wrongly" in card.text
    assert "| this one | 50.0 % (38.1 % to 61.9 %; 64 problems) |" in card.text
    assert "| base | 12.5 % (6.5 % to 22.8 %; 64 problems) |" in card.text
    assert "evil &#124; x &#124; --- license" in before_config
    assert config.split("\n```\n")[0] + "\n" == run.config.read_text()


def test_the_base_model_is_named_where_it_is_on_the_hub(run: RunDir, tmp_path: Path) -> None:
    run.config.write_text(dump_config(parse_config(fake_config(student={"model": "some/model"}))))
    export_student(run, tmp_path / "out")
    assert ModelCard.load(tmp_path / "out" / "README.md").data.base_model == "some/model"


def test_an_interval_is_wilson_s() -> None:
    share = share_of(0.5, 10)  # by hand: (0.5 + 1.96^2 / 20 -+ 1.96 sqrt(0.025 + 1.96^2 / 400)) / (1 + 1.96^2 / 10)
    assert (round(share.low, 3), round(share.high, 3)) == (0.237, 0.763)


@pytest.mark.parametrize(
    ("spoil", "cycle", "told"),
    [
        (lambda run: shutil.rmtree(run.checkpoints / "cycle-001"), None, "is gone; name another cycle"),
        (lambda run: None, 3, "--cycle 3: made no student; those that did: 1, 2"),
        (lambda run: (run.path / "reports" / "cycle-001.json").unlink(), None, "no student was accepted"),
        (lambda run: move_base(run, "cycle-002"), 2, "its base student /nowhere is gone"),
        (lambda run: run.config.write_text("- 1"), None, "not the configuration of a run"),
    ],
)
def test_what_cannot_be_exported_is_named(
    tutelage_cli: Run, run: RunDir, tmp_path: Path, spoil: Callable[[RunDir], Any], cycle: int | None, told: str
) -> None:
    spoil(run)
    before = sorted(tmp_path.iterdir())
    chosen = [] if cycle is None else ["--cycle", cycle]
    code, out, err = tutelage_cli("export", "student", run.path, "-o", tmp_path / "out", *chosen)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert told in err
    assert sorted(tmp_path.iterdir()) == before


def move_base(run: RunDir, checkpoint: str) -> None:
    path = run.checkpoints / checkpoint / "tutelage.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "base": "/nowhere"}))
