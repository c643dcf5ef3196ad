from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tutelage.checkpoints import load_model, read_note
from tutelage.errors import InputError
from tutelage.plugins import Plugin, build
from tutelage.schema import Grade, Lesson, Problem
from tutelage.seams import StageJob
from tutelage.training.grpo import GRPOStage, build_task, problems_of
from tutelage.training.jobs import job_key, read_job, write_job
from tutelage.training.rewards import Grader, Mixture, Recipe, Tools

TASK = '''
from tutelage.schema import Grade, Problem, Split

class Sums:
    """Right is any text with the gold answer's digit in it."""
    instruction = None

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def splits(self):
        return {Split.TRAIN: [Problem(id=f"p{n}", question=f"{n} + 1 =", answer=str(n + 1)) for n in range(5)]}

    def grade(self, problem, text):
        found = problem.answer if problem.answer in text else None
        return Grade(found, float(found is not None))

def signs(problem, text, grade, stopped):
    """Share of the text that is no letter."""
    return sum(not c.isalpha() for c in text) / max(1, len(text))
'''


@pytest.fixture
def job(base: Path, in_folder: Path) -> StageJob:
    name = f"sums_{in_folder.name.replace('-', '_')}"
    (in_folder / f"{name}.py").write_text(TASK)
    lessons = tuple(
        Lesson(problem_id=f"p{n}", cycle=1, question=f"{n} + 1 =", text="unused", origin="t") for n in range(5)
    )
    task: dict[str, object] = {"name": f"{name}:Sums", "options": {}}
    return StageJob(1, base, None, in_folder / "out", lessons, 3, device="cpu", precision="float32", task=task)


def test_the_reward_rises(job: StageJob) -> None:
    part = str(job.task["name"]).replace("Sums", "signs")
    stage = GRPOStage(
        mode="full", learning_rate=2e-3, prompts_per_step=4, generations=8, max_steps=15, max_new_tokens=8,
        rewards={part: 1.0},
    )  # fmt: skip
    stage.check()
    report = stage.run(job)
    assert report.steps == 15
    assert report.metrics["last_reward"] > report.metrics["first_reward"] + 0.2
    assert report.metrics[f"reward_{part}"] == pytest.approx(report.metrics["last_reward"])
    assert 0 <= report.metrics["frac_reward_zero_std"] <= 1
    assert 15 * 32 <= report.tokens <= 15 * 32 * 8


def test_equal_rewards_everywhere_are_told(job: StageJob) -> None:
    (Path.cwd() / f"{str(job.task['name']).partition(':')[0]}_same.py").write_text("def same(*_): return 0.5\n")
    part = str(job.task["name"]).replace(":Sums", "_same:same")
    stage = GRPOStage(mode="full", prompts_per_step=2, generations=2, max_steps=1, max_new_tokens=2, rewards={part: 1})
    report = stage.run(job)
    assert report.metrics["frac_reward_zero_std"] == 1.0
    assert report.note is not None and "learnt nothing" in report.note


def test_the_share_of_right_answers_rises(job: StageJob) -> None:
    stage = GRPOStage(
        mode="full", learning_rate=2e-3, prompts_per_step=4, generations=8, max_steps=20, max_new_tokens=8,
        rewards={"correct": 1.0},
    )  # fmt: skip
    metrics = stage.run(job).metrics
    assert metrics["last_accuracy"] > metrics["first_accuracy"] + 0.2
    assert metrics["last_accuracy"] == pytest.approx(metrics["last_reward"])
    assert metrics["groups"] == 80
    constant = (metrics["groups_all_right"] + metrics["groups_all_wrong"]) / 80
    assert constant == pytest.approx(metrics["frac_reward_zero_std"])  # each step has four groups


def test_the_preset_runs_with_the_job_s_step_checker(job: StageJob) -> None:
    checked = replace(job, checker={"name": "arithmetic", "options": {}})
    stage = GRPOStage(rewards="etcon", prompts_per_step=1, generations=2, max_steps=1, max_new_tokens=4)
    metrics = stage.run(checked).metrics
    assert set(metrics) >= {"reward_tiers", "reward_clean", "reward_consistent", "reward_format"}
    assert metrics["gated"] == 1.0  # untaught, it does not end its turn
    assert metrics["last_reward"] == metrics["reward_clean"] == 0.0
    with pytest.raises(InputError, match="checkers: unknown name 'none'"):
        stage.run(replace(job, checker={"name": "none"}, out=job.out.with_name("again")))


def test_the_step_checker_is_part_of_the_job(job: StageJob, tmp_path: Path) -> None:
    spec = Plugin(name="grpo")
    checked = replace(job, checker={"name": "arithmetic", "options": {}})
    write_job(tmp_path / "job.json", spec, checked)
    assert read_job(tmp_path / "job.json") == (spec, checked)
    assert job_key(spec, checked) != job_key(spec, job)


def test_an_adapter_changes_and_diverges_from_where_it_began(job: StageJob) -> None:
    options = {"prompts_per_step": 2, "generations": 4, "max_new_tokens": 6, "learning_rate": 1e-2, "beta": 0.1}
    rewards = {str(job.task["name"]).replace("Sums", "signs"): 1.0, "correct": 1.0, "format": 0.1}
    first = GRPOStage(**options, max_steps=3, rewards=rewards).run(job)
    assert first.metrics["kl"] > 0
    assert set(first.metrics) >= {"reward_correct", "reward_format", "frac_reward_zero_std"}
    again = replace(job, start=job.out, out=job.out.with_name("again"))
    GRPOStage(**options, max_steps=1, rewards=rewards).run(again)
    assert read_note(again.out).stages == ("grpo", "grpo")
    base, trained = (
        load_model(job.base, folder, dtype="float32", device="cpu", merge=True) for folder in (None, again.out)
    )
    assert not torch.equal(base.model.layers[0].mlp.up_proj.weight, trained.model.layers[0].mlp.up_proj.weight)


def test_fewer_lessons_than_prompts_a_step_still_train(job: StageJob) -> None:
    few = replace(job, lessons=job.lessons[:3])
    report = GRPOStage(mode="full", prompts_per_step=8, generations=2, max_new_tokens=2).run(few)
    assert report.steps == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"generations": 1}, "at least 2"),
        ({"prompts_per_step": 0}, "prompts_per_step: must be "),
        ({"prompts_per_step": 1, "generations": 2, "gradient_accumulation": 3}, "cannot be cut into 3 equal parts"),
        ({"rewards": {"corect": 1.0}}, "did you mean 'correct'"),
        ({"rewards": {"correct": 0.0}}, "no part has a weight"),
        ({"rewards": {"correct": float("nan")}}, "nan is no weight"),
        ({"rewards": {"correct": -1.0, "format": 0.1}}, "correct: -1 is no weight"),
        ({"rewards": "etcom"}, "did you mean 'etcon'"),
        ({"gates": ["formatt"]}, "did you mean 'format'"),
        ({"rewards": "etcon", "embedder": "statik"}, "did you mean 'static'"),
        ({"target_length": 0}, "target_length: must be "),
        ({"extra": {"betta": 1}}, "did you mean 'beta'|no argument"),
        ({"extra": {"num_generations": 8}}, "option of the stage's own"),
        ({"mode": "half"}, "must be .lora. or .full."),
    ],
)
def test_wrong_options_are_named_without_a_model(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        GRPOStage(**options).check()
    assert "\n" not in str(caught.value)


def test_the_default_options_are_right() -> None:
    build("stages", Plugin(name="grpo")).check()


def test_etcon_s_settings_are_known_to_trl() -> None:
    extra = {"epsilon": 0.2, "epsilon_high": 0.3, "delta": 3.0, "top_p": 0.99}
    options = {"rewards": "etcon", "generations": 10, "temperature": 1.0, "learning_rate": 1e-6, "beta": 0.01}
    build("stages", Plugin(name="grpo", options={**options, "mode": "full", "extra": extra})).check()


def test_the_task_is_made_in_the_worker_with_the_run_s_seed(job: StageJob) -> None:
    task = build_task(replace(job, task={**job.task, "seed": 7}))
    assert task.seed == 7  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="names no task"):
        build_task(replace(job, task={}))


def test_a_lesson_of_an_unknown_problem_is_graded_by_its_own_answer(job: StageJob) -> None:
    foreign = Lesson(problem_id="x", cycle=1, question="1 + 1 =", text="", origin="replay", answer="2")
    problems = problems_of(replace(job, lessons=(*job.lessons, foreign)), build_task(job))
    assert problems["x"] == Problem(id="x", question="1 + 1 =", answer="2")
    assert problems["p3"].answer == "4"
    bare = foreign.model_copy(update={"answer": ""})
    with pytest.raises(InputError, match="lesson x: not a problem of the task"):
        problems_of(replace(job, lessons=(bare,)), build_task(job))


def test_each_text_is_graded_once_and_only_a_finished_one_is_well_formed() -> None:
    class Counting:
        instruction = None
        calls = 0

        def splits(self) -> dict:
            return {}

        def grade(self, problem: Problem, text: str) -> Grade:
            self.calls += 1
            return Grade("7", 1.0) if "7" in text else Grade(None, 0.0)

    task = Counting()
    problem = Problem(id="p", question="4 + 3 =", answer="7")
    grader = Grader(task, {"p": problem}, frozenset({2}))
    texts = [[{"role": "assistant", "content": text}] for text in ("7", "7", "8", "")]
    told: list[tuple[str, float]] = []
    batch = {
        "completions": texts,
        "completion_ids": [[5, 2], [5, 5], [5, 2], []],
        "problem_id": ["p"] * 4,
        "log_metric": lambda name, value: told.append((name, value)),
    }
    correct, form = Mixture(Recipe({"correct": 1, "format": 1}, ("correct",)), Tools()).functions(grader)
    assert correct(**batch, trainer_state=None) == [1.0, 1.0, 0.0, 0.0]
    assert form(**batch) == [1.0, 0.0, 0.0, 0.0]
    assert task.calls == 3  # "7" twice
    assert told == [("gated", 0.5)]
    assert form.__name__ == "format"
    assert grader.is_right("p", " 7 ") and task.calls == 3
    grader.forget()
    assert grader.is_right("p", "7") and task.calls == 4
