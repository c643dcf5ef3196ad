"""Groups without a right answer get a second chance with a hint; what is learnt is the question without it."""

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from trl import GRPOTrainer

from tutelage.checkpoints import load_model, load_tokenizer
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.student_prompt import student_prompt
from tutelage.training.groups import Tally
from tutelage.training.grpo import GRPOStage
from tutelage.training.guided import Watch, look
from tutelage.training.hints import hints_of, with_hint, without
from tutelage.training.samples import Samples

TASK = """
from tutelage.schema import Grade, Problem, Split

class Sums:
    instruction = None

    def splits(self):
        return {Split.TRAIN: [Problem(id=f"p{n}", question=f"{n} + 1 =", answer=str(n + 1)) for n in range(4)]}

    def grade(self, problem, text):
        _, marker, said = text.partition("Answer: ")
        return Grade(said, float(said.strip() == problem.answer)) if marker else Grade(None, 0.0)
"""
SPECIALS = ("<|im_start|>", "<|im_end|>")


def lesson(text: str, number: int = 0) -> Lesson:
    return Lesson(problem_id=f"p{number}", cycle=1, question=f"{number} + 1 =", text=text, origin="t")


def test_hints_go_from_the_first_steps_to_the_whole_text() -> None:
    text = "40 + 2 = 42. 42 + 3.5 = 45.5. So that is it.\nAnswer: 45.5"
    assert hints_of(lesson(text), SPECIALS) == ("40 + 2 = 42.", text)
    assert hints_of(lesson("1 + 1 = 2. Answer: 2"), SPECIALS) == ("1 + 1 = 2. Answer: 2",)
    assert hints_of(lesson("Answer: 2"), SPECIALS) == ("Answer: 2",)
    assert hints_of(lesson("One. Two. Three."), SPECIALS) == ("One.", "One. Two. Three.")
    assert hints_of(lesson("<|im_end|>"), SPECIALS) == ()


@settings(max_examples=50)
@given(st.lists(st.sampled_from([*SPECIALS, "<|im_", "end|>", "start|>", "a. ", "{0}", "\n"])).map("".join))
def test_no_hint_ends_the_turn(text: str) -> None:
    for hint in (*hints_of(lesson(text), SPECIALS), without(text, SPECIALS)):
        assert not any(token in hint for token in SPECIALS)


def test_a_hint_stands_at_the_end_of_the_question_as_it_is() -> None:
    prompt = student_prompt("Be brief.", "1 + 1 =")
    asked = with_hint(prompt, "{0} %s \\1")
    assert asked == [prompt[0], {"role": "user", "content": "1 + 1 =\n\nHint: {0} %s \\1"}]
    assert prompt == student_prompt("Be brief.", "1 + 1 =")


# A stand-in for the trainer: a text is the token ids of its characters.


def encoded(text: str) -> list[int]:
    return [ord(character) for character in text]


def decoded(ids: list[list[int]], skip_special_tokens: bool = True) -> list[str]:
    return ["".join(map(chr, one)) for one in ids]


def trainer(process: int = 0, gather=lambda tensor: tensor, room: int = 1000) -> SimpleNamespace:
    text_config = SimpleNamespace(max_position_embeddings=room, vocab_size=1000)
    return SimpleNamespace(
        num_generations=3,
        max_completion_length=0,
        accelerator=SimpleNamespace(process_index=process, device="cpu", gather=gather),
        processing_class=SimpleNamespace(batch_decode=decoded),
        model=SimpleNamespace(config=SimpleNamespace(get_text_config=lambda: text_config)),
        _tokenize_prompts=lambda prompts: ([encoded(prompt[-1]["content"]) for prompt in prompts], None, {}),
    )


def rows(*numbers: int) -> list[dict]:
    return [
        {"prompt": [{"role": "user", "content": f"q{n}"}], "problem_id": str(n), "row": n}
        for n in numbers
        for _ in "abc"
    ]


class Sampler:
    """Answers with what stands behind the hint, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, prompts: list[list[int]]):
        texts = decoded(prompts)
        self.asked.append(texts)
        return [encoded(text.rpartition("Hint: ")[2]) for text in texts], None


def is_right(problem_id: str, text: str) -> bool:
    return text == f"right {problem_id}"


def test_only_failed_groups_are_asked_again_with_larger_and_larger_hints() -> None:
    hints = [("never asked",), ("small", "right 1"), ("right 2", "too much"), ("no", "good"), ()]
    watch, sample = Watch(is_right, hints=hints), Sampler()
    texts = ["wrong", "right 0", "wrong", *["wrong"] * 12]
    batch = Samples(trainer(), rows(0, 1, 2, 3, 4), [encoded(text) for text in texts], [[-1.0]] * 15)
    look(batch, watch, sample, filler=[0])
    assert decoded(batch.ids) == [
        *["wrong", "right 0", "wrong"],
        *["wrong", "right 1", "right 1"],
        *["wrong", "right 2", "right 2"],
        *["wrong"] * 6,
    ]
    assert sample.asked == [
        ["q1\n\nHint: small"] * 2 + ["q2\n\nHint: right 2"] * 2 + ["q3\n\nHint: no"] * 2,
        ["q1\n\nHint: right 1"] * 2 + ["q3\n\nHint: good"] * 2,
    ]
    # What the sampler says of a hinted answer is of another prompt: TRL must not weight by it.
    assert batch.logprobs == [[-1.0]] * 4 + [[None] * 7] * 2 + [[-1.0]] + [[None] * 7] * 2 + [[-1.0]] * 6
    tally = watch.tally
    assert (tally.groups, tally.all_right, tally.all_wrong, tally.rescued) == (5, 0, 4, 2)
    assert tally.accuracy == [pytest.approx(1 / 15)]


def test_without_hints_groups_are_counted_and_left_alone() -> None:
    watch, sample = Watch(is_right), Sampler()
    batch = Samples(trainer(), rows(0, 1), [encoded(t) for t in [*["right 0"] * 3, *["wrong"] * 3]], None)
    look(batch, watch, sample, filler=[0])
    assert sample.asked == [] and batch.logprobs is None
    summary = watch.tally.summary(guided=False)
    assert summary["groups_all_right"] == summary["groups_all_wrong"] == 1 and "groups_rescued" not in summary


def test_a_hint_that_leaves_no_room_for_an_answer_is_not_given() -> None:
    watch, sample = Watch(is_right, hints=[("right 0" + 100 * " ", "right 0")]), Sampler()
    batch = Samples(trainer(room=30), rows(0), [encoded("wrong")] * 3, None)
    look(batch, watch, sample, filler=[0])
    assert watch.tally.too_long == 2 and watch.tally.rescued == 1
    assert decoded(batch.ids)[1:] == ["right 0"] * 2


def test_processes_that_share_a_group_sample_together() -> None:
    """Two processes with 3 + 3 samples in 3 groups of 2: the middle group lies in both, and fails; so does the last."""
    barrier, shared = threading.Barrier(2, timeout=20), [None, None]

    def gather_in(process: int):
        def gather(tensor):
            shared[process] = tensor
            barrier.wait()
            both = torch.cat(list(shared))
            barrier.wait()
            return both

        return gather

    hints = [(), ("right 1",), ("bad", "right 2")]
    texts = [["right 0", "wrong", "wrong"], ["wrong", "wrong", "wrong"]]
    asked = [[0, 0, 1], [1, 2, 2]]
    found: dict[int, tuple] = {}

    def process(number: int) -> None:
        watch, sample = Watch(is_right, hints=hints), Sampler()
        made = trainer(number, gather_in(number))
        made.num_generations = 2
        own = [rows(n)[0] for n in asked[number]]
        batch = Samples(made, own, [encoded(text) for text in texts[number]], None)
        look(batch, watch, sample, filler=encoded("filler"))
        found[number] = decoded(batch.ids), watch.tally, [len(call) for call in sample.asked], sample.asked

    threads = [threading.Thread(target=process, args=(number,)) for number in range(2)]
    [thread.start() for thread in threads]
    [thread.join(30) for thread in threads]
    assert found[0][0] == ["right 0", "wrong", "wrong"]
    assert found[1][0] == ["right 1", "wrong", "right 2"]
    assert found[0][1] == found[1][1] and found[0][1].rescued == 2
    assert found[0][2] == found[1][2] == [2, 1]  # as many prompts in each, or one would wait for ever
    assert found[0][3] == [["filler"] * 2, ["filler"]]


@pytest.fixture
def job(base: Path, in_folder: Path) -> StageJob:
    name = f"guided_{in_folder.name.replace('-', '_')}"
    (in_folder / f"{name}.py").write_text(TASK)
    lessons = tuple(lesson(f"{n} and 1 more. That is {n + 1}. Answer: {n + 1}", n) for n in range(4))
    task: dict[str, object] = {"name": f"{name}:Sums", "options": {}}
    return StageJob(1, base, None, in_folder / "out", lessons, 3, device="cpu", precision="float32", task=task)


def scripted(self, prompt_ids, images, multimodal_fields, num_generations):
    """A student that repeats what a hint says, and is wrong without one."""
    prompts = self.processing_class.batch_decode(prompt_ids)
    says = [prompt.partition("Hint: ")[2].partition("<|im_end|>")[0] or "Answer: 9" for prompt in prompts]
    ids = self.processing_class([f"{text}<|im_end|>" for text in says], add_special_tokens=False)["input_ids"]
    return ids, None


def log_prob(base: Path, checkpoint: Path | None, one: Lesson) -> float:
    """Return the log-probability of a lesson's text, given its question alone."""
    model = load_model(base, checkpoint, dtype="float32", device="cpu", merge=True).eval()
    tokenizer = load_tokenizer(base)
    prompt = tokenizer.apply_chat_template(
        student_prompt(None, one.question), tokenize=False, add_generation_prompt=True
    )
    start = len(tokenizer(prompt)["input_ids"])
    ids = torch.tensor([tokenizer(prompt + one.text + "<|im_end|>")["input_ids"]])
    with torch.inference_mode():
        scores = model(ids).logits[0, :-1].log_softmax(-1)
    return float(scores.gather(1, ids[0, 1:, None])[start - 1 :].sum())


def test_a_hint_rescues_what_plain_grpo_cannot_learn(job: StageJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GRPOTrainer, "_generate_single_turn", scripted)
    stage = GRPOStage(
        mode="full", learning_rate=1e-3, prompts_per_step=4, generations=4, max_steps=3, max_new_tokens=64,
        rewards={"correct": 1.0},
    )  # fmt: skip
    plain = stage.run(job).metrics
    assert (plain["groups"], plain["groups_all_wrong"], plain["frac_reward_zero_std"]) == (12, 12, 1.0)
    guided = replace(stage, guided=True).run(replace(job, out=job.out.with_name("guided"))).metrics
    assert guided["groups_rescued"] == guided["groups_all_wrong"] == 12
    assert guided["last_reward"] == 0.75 and guided["frac_reward_zero_std"] == 0.0
    assert guided["last_accuracy"] == 0.0  # by itself, as it is scripted
    one = job.lessons[2]
    before, after = log_prob(job.base, None, one), log_prob(job.base, job.out.with_name("guided"), one)
    assert log_prob(job.base, job.out, one) == before
    assert after > before + 5


def test_importance_weights_go_by_the_question_without_the_hint(job: StageJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GRPOTrainer, "_generate_single_turn", scripted)
    batches: list[dict] = []
    score = GRPOTrainer._generate_and_score_completions

    def recorded(self, inputs):
        batches.append(score(self, inputs))
        return batches[-1]

    monkeypatch.setattr(GRPOTrainer, "_generate_and_score_completions", recorded)
    again = {"num_iterations": 2}  # answers that are learnt from twice need their old log-probabilities
    GRPOStage(
        prompts_per_step=2, generations=2, max_steps=1, max_new_tokens=64, rewards={"correct": 1.0}, guided=True,
        extra=again,
    ).run(job)  # fmt: skip
    tokenizer = load_tokenizer(job.base)
    model = load_model(job.base, None, dtype="float32", device="cpu", merge=True).eval()
    batch, lessons = batches[0], {one.question: one for one in job.lessons}
    prompts = tokenizer.batch_decode(batch["prompt_ids"], skip_special_tokens=True)
    asked = [prompt.removeprefix("u").removesuffix("a") for prompt in prompts]
    said = tokenizer.batch_decode(batch["completion_ids"], skip_special_tokens=True)
    assert said == ["Answer: 9", lessons[asked[1]].text, "Answer: 9", lessons[asked[3]].text]
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], 1)
    mask = torch.cat([batch["prompt_mask"], batch["completion_mask"]], 1)
    with torch.inference_mode():
        scores = model(ids, attention_mask=mask).logits[:, :-1].log_softmax(-1)
    expected = scores.gather(2, ids[:, 1:, None])[..., 0][:, batch["prompt_ids"].shape[1] - 1 :]
    seen = batch["completion_mask"].bool()
    assert torch.allclose(batch["old_per_token_logps"][seen], expected[seen], atol=1e-4)


def test_a_tally_of_nothing_is_no_summary() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Tally().summary(guided=False)  # if TRL renamed the method that is watched, this would say so
