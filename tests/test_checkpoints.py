from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoTokenizer

from tutelage.checkpoints import base_of, fingerprint, load_model, load_tokenizer, read_note, save_checkpoint
from tutelage.errors import InputError
from tutelage.hardware import pick_device, pick_precision
from tutelage.tiny import build_tiny_student, make_model, make_tokenizer

TALK = [{"role": "user", "content": "4 + 3 ="}, {"role": "assistant", "content": "7"}]


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return model.eval()(input_ids=torch.arange(4, 40)[None]).logits


def adapted(base: Path) -> torch.nn.Module:
    torch.manual_seed(1)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False)
    return get_peft_model(load_model(base, None, dtype="float32", device="cpu", merge=False), config)


def test_full_weights_come_back_as_they_were(base: Path, tmp_path: Path) -> None:
    model = load_model(base, None, dtype="float32", device="cpu", merge=False)
    torch.nn.init.normal_(model.model.norm.weight)
    save_checkpoint(model, tmp_path / "c", base=base, stages=["sft"], tokenizer=load_tokenizer(base))
    again = load_model(base, tmp_path / "c", dtype="float32", device="cpu", merge=True)
    assert torch.equal(logits(model), logits(again))
    assert not torch.equal(logits(again), logits(load_model(base, None, dtype="float32", device="cpu", merge=True)))
    assert read_note(tmp_path / "c").kind == "full"
    assert AutoTokenizer.from_pretrained(tmp_path / "c").eos_token == "<|im_end|>"


def test_an_adapter_comes_back_merged_or_trainable(base: Path, tmp_path: Path) -> None:
    model = adapted(base)
    note = save_checkpoint(model, tmp_path / "c", base=base, stages=["sft", "grpo"])
    assert (note.kind, note.stages) == ("adapter", ("sft", "grpo"))
    apart = load_model(base, tmp_path / "c", dtype="float32", device="cpu", merge=False)
    merged = load_model(base, tmp_path / "c", dtype="float32", device="cpu", merge=True)
    assert torch.equal(logits(model), logits(apart))
    torch.testing.assert_close(logits(merged), logits(model), atol=1e-4, rtol=1e-4)
    assert {name for name, p in apart.named_parameters() if p.requires_grad} == {
        name for name, _ in apart.named_parameters() if "lora_" in name
    }
    assert type(merged).__name__ == "LlamaForCausalLM"


def test_weights_are_cast_after_merging(base: Path, tmp_path: Path) -> None:
    save_checkpoint(adapted(base), tmp_path / "c", base=base, stages=["sft"])
    merged = load_model(base, tmp_path / "c", dtype="float32", device="cpu", merge=True)
    cast = load_model(base, tmp_path / "c", dtype="bfloat16", device="cpu", merge=True)
    for ours, theirs in zip(cast.parameters(), merged.parameters(), strict=True):
        assert torch.equal(ours, theirs.to(torch.bfloat16))


def test_a_checkpoint_of_another_base_is_refused(base: Path, tmp_path: Path) -> None:
    other = build_tiny_student(tmp_path / "other", pretrained=False)
    (other / "config.json").write_text((other / "config.json").read_text().replace("512", "511"))
    save_checkpoint(adapted(base), tmp_path / "c", base=base, stages=["sft"])
    with pytest.raises(InputError, match="another base student"):
        load_model(other, tmp_path / "c", dtype="float32", device="cpu", merge=True)
    assert fingerprint(base) != fingerprint(other)


def test_the_base_of_a_checkpoint_is_found(base: Path, tmp_path: Path) -> None:
    save_checkpoint(adapted(base), tmp_path / "c", base=base, stages=["sft"])
    assert base_of(tmp_path / "c") == base
    assert base_of(base) is None
    note = tmp_path / "c" / "tutelage.json"
    note.write_text(note.read_text().replace(str(base), "/nowhere"))
    with pytest.raises(InputError, match="base student /nowhere is gone"):
        base_of(tmp_path / "c")


def test_a_folder_without_a_note_is_no_checkpoint(base: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no tutelage\.json"):
        load_model(base, tmp_path, dtype="float32", device="cpu", merge=True)
    with pytest.raises(InputError, match=r"config\.json"):
        fingerprint(tmp_path)


def test_padding_is_not_the_end_of_a_turn(tmp_path: Path) -> None:
    tokenizer = make_tokenizer()
    tokenizer.pad_token = tokenizer.eos_token  # as SmolLM2 ships
    tokenizer.save_pretrained(tmp_path)
    loaded = load_tokenizer(tmp_path)
    assert (loaded.eos_token, loaded.pad_token, loaded.padding_side) == ("<|im_end|>", "<|pad|>", "left")


def test_the_end_of_a_turn_is_what_the_template_says(tmp_path: Path) -> None:
    tokenizer = make_tokenizer()
    tokenizer.eos_token = "<|unk|>"  # a tokenizer whose eos ends documents, not turns
    tokenizer.save_pretrained(tmp_path)
    assert load_tokenizer(tmp_path).eos_token == "<|im_end|>"


def test_a_tokenizer_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    tokenizer = make_tokenizer()
    tokenizer.chat_template = None
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(InputError, match="no chat template"):
        load_tokenizer(tmp_path)


def test_a_prompt_is_a_prefix_of_its_conversation(base: Path) -> None:
    tokenizer = load_tokenizer(base)
    prompt = tokenizer.apply_chat_template(TALK[:1], tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template(TALK, tokenize=False)
    assert whole == prompt + "7<|im_end|>"
    ids = tokenizer(whole)["input_ids"]
    assert ids[: len(tokenizer(prompt)["input_ids"])] == tokenizer(prompt)["input_ids"]
    assert tokenizer.decode(ids) == whole


def test_any_text_survives_the_tokenizer_as_far_as_it_is_ascii(base: Path) -> None:
    tokenizer = load_tokenizer(base)
    text = " State the answer:\n{[(~`x_9*/)]} Answering 12-3"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert tokenizer.decode(tokenizer("aéb")["input_ids"]) == "a<|unk|>b"


def test_the_tiny_student_is_small_and_the_same_for_a_seed(base: Path, tmp_path: Path) -> None:
    again = build_tiny_student(tmp_path / "again", pretrained=False)
    other = build_tiny_student(tmp_path / "other", seed=1, pretrained=False)
    weights = [(folder / "model.safetensors").read_bytes() for folder in (base, again, other)]
    assert weights[0] == weights[1] != weights[2]
    assert make_model(make_tokenizer()).num_parameters() < 1_000_000


def test_hardware_names() -> None:
    assert pick_device("cpu") == "cpu"
    assert pick_precision("float32", "cpu") == "float32"
    assert pick_precision("auto", "cpu") in {"float32", "bfloat16"}
    with pytest.raises(InputError, match="no torch device"):
        pick_device("gpu0")
    with pytest.raises(InputError, match="precision"):
        pick_precision("fp8", "cpu")
