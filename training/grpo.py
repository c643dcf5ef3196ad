"""Group relative policy optimisation (arXiv 2402.03300): the student samples, the task's grader rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean
from typing import Any, ClassVar

from ..errors import InputError
from ..plugins import Plugin, build
from ..schema import Lesson, Problem, TrainingReport
from ..schema.record import Count, NotNegative, Positive
from ..seams import StageJob, Task
from . import adapter
from .checks import check_lessons
from .ends import ends
from .guided import Watch, watched
from .hints import hints_of
from .options import GradientStage
from .rewards import GATED, Grader, Mixture, Recipe, Tools, read_recipe
from .session import Session, finish, prompt_of, report, session, train

UNIFORM = "frac_reward_zero_std"
"""What TRL calls the share of groups whose answers all had the same reward."""


@dataclass(frozen=True)
class GRPOStage(GradientStage):
    """The lessons' questions are the prompts; their texts are looked at for hints alone."""

    name: ClassVar[str] = "grpo"

    learning_rate: Positive = 1e-5
    """1e-6 to 1e-5 suits all weights, up to ten times that an adapter."""
    prompts_per_step: Count = 4
    """Questions an optimizer step looks at, over all devices."""
    generations: Count = 4
    """Answers sampled for each."""
    max_new_tokens: Count = 256
    """Length limit of a sampled answer."""
    temperature: Positive = 1.0
    """Of the sampling."""
    beta: NotNegative = 0.0
    """Weight of the divergence from where the stage began (the low-variance estimate); 0 does without."""
    scheduler: str = "constant"
    """Of the learning rate, by its name in transformers."""
    warmup_steps: int = 0
    """Steps until the peak."""
    rewards: dict[str, float] | str | None = None
    """Weight of each part of the reward, or the preset `etcon`; `{correct: 1.0, format: 0.1}` if not given. Parts:
    `correct`, `tiers`, `format`, `clean`, `consistent`, `length`, or `module:attribute`."""
    gates: Sequence[str] | None = None
    """Parts whose value 0 makes the whole reward 0; the preset's if not given."""
    embedder: str = "static"
    """Tells `tiers` how near two answers are; a plug-in's name."""
    target_length: Count = 400
    """Characters up to which `length` is 1; at twice as many it is 0."""
    guided: bool = False
    """Ask again with a hint, first the beginning of the lesson's text, then the whole, where all answers to a question
    are wrong; the hinted answers are learnt for the question without the hint."""

    @property
    def recipe(self) -> Recipe:
        """The weight of each part of the reward, and the gates."""
        return read_recipe(self.rewards, self.gates)

    @property
    def options(self) -> dict[str, Any]:
        """The options in TRL's names."""
        return {
            **super().options,
            "num_generations": self.generations,
            "max_completion_length": self.max_new_tokens,
            "temperature": self.temperature,
            "beta": self.beta,
            "reward_weights": list(self.recipe.weights.values()),
            "remove_unused_columns": False,
        }

    def check(self) -> None:
        """Raise InputError if the options cannot work, without loading a model."""
        super().check()
        if self.generations < 2:
            raise InputError(f"stages: grpo: generations: {self.generations} is no group to compare; use at least 2")
        Mixture(self.recipe, self._tools())
        adapter.check_options(
            self.name, "grpo", self._options_for(self.prompts_per_step, processes=1), self.extra or {}
        )

    def run(self, job: StageJob) -> TrainingReport:
        """Train on the questions of the job's lessons and leave a checkpoint in `job.out`.

        Raises:
            InputError: If the start or the task cannot be had.
            RunError: If training fails, or the checkpoint on disk is not what was trained.
        """
        job = replace(job, lessons=tuple(lesson for lesson in job.lessons if not lesson.rehearsed))
        check_lessons(job.lessons, 1)
        problems = problems_of(job, task := build_task(job))
        rows = [
            {"prompt": prompt_of(lesson), "problem_id": lesson.problem_id, "row": number}
            for number, lesson in enumerate(job.lessons)
        ]
        mixture = Mixture(self.recipe, self._tools(job))
        with session(self.name, job, rows, self.trained, self.max_new_tokens, self.report_to) as work:
            grader = Grader(task, problems, frozenset({work.setup.tokenizer.eos_token_id}))
            watch = Watch(grader.is_right, grader.forget, self._hints(work))
            prompts = min(self.prompts_per_step, len(rows))  # a last group that is not full would be left out
            options = self._options_for(prompts, adapter.processes())
            trainer = adapter.build_trainer(
                "grpo",
                work.setup,
                options,
                self.extra or {},
                wrap=partial(watched, watch),
                reward_funcs=mixture.functions(grader),
            )
            seconds = train(trainer, job.out)
            finish(work, trainer)
            losses = adapter.logged(trainer, "loss")
            metrics = summary(trainer, list(self.recipe.weights)) | watch.tally.summary(guided=self.guided)
            if self.recipe.gates:
                metrics[GATED] = fmean(adapter.logged(trainer, GATED))
            sampled = supervised_tokens(trainer, prompts * self.generations)
            made = report(work, trainer, sampled, losses, train_seconds=seconds, **metrics)
            return made.model_copy(update={"note": why_nothing(metrics, guided=self.guided)})

    def _tools(self, job: StageJob | None = None) -> Tools:
        return Tools(self.embedder, job.checker if job else None, self.target_length)

    def _hints(self, work: Session) -> list[tuple[str, ...]] | None:
        if not self.guided:
            return None
        specials = list(work.setup.tokenizer.all_special_tokens)
        return [hints_of(lesson, specials) for lesson in work.job.lessons]

    def _options_for(self, prompts: int, processes: int) -> dict[str, Any]:
        """Return the options with the batch that TRL wants: whole groups, in equal parts for every process."""
        samples = prompts * self.generations
        parts = processes * self.parts
        if samples % parts:
            raise InputError(
                f"stages: grpo: {prompts} prompts x {self.generations} generations cannot be cut into {parts} equal "
                "parts (processes x gradient_accumulation); change prompts_per_step"
            )
        return {**self.options, "per_device_train_batch_size": samples // parts}


def build_task(job: StageJob) -> Task:
    """Make the task that grades, from its specification in the job; a `seed` beside it is offered to the task.

    Raises:
        InputError: If the job names no task, or it cannot be made.
    """
    spec = dict(job.task)
    if not spec:
        raise InputError("stages: grpo: the job names no task; its grader is the reward")
    given = {"seed": spec.pop("seed")} if "seed" in spec else {}
    task: Task = build("tasks", Plugin.model_validate(spec), **given)
    return task


def problems_of(job: StageJob, task: Task) -> dict[str, Problem]:
    """Return the lessons' problems by id: the task's own, or made from the lesson where the task does not have it.

    Raises:
        InputError: If a lesson of no known problem has no gold answer either.
    """
    known = {problem.id: problem for problems in task.splits().values() for problem in problems}
    return {lesson.problem_id: known.get(lesson.problem_id) or _problem_from(lesson) for lesson in job.lessons}


def _problem_from(lesson: Lesson) -> Problem:
    if not lesson.answer:
        raise InputError(
            f"lesson {lesson.problem_id}: not a problem of the task and without an answer; grpo cannot grade"
        )
    return Problem(id=lesson.problem_id, question=lesson.question, answer=lesson.answer)


def summary(trainer: Any, parts: Sequence[str]) -> dict[str, float]:
    """Return the reward at the start and the end of training, by part, and the share of groups that taught nothing."""
    reward = ends(adapter.logged(trainer, "reward"))
    figures = {
        "first_reward": reward.first,
        "last_reward": reward.last,
        UNIFORM: fmean(adapter.logged(trainer, UNIFORM)),
        "kl": fmean(adapter.logged(trainer, "kl") or [0.0]),
    }
    for part in parts:
        figures[f"reward_{part}"] = ends(adapter.logged(trainer, f"rewards/{part}/mean")).last
    return figures


def why_nothing(metrics: Mapping[str, float], *, guided: bool) -> str | None:
    """Say that nothing was learnt, why, and what to do about it; None if some group taught something.

    Args:
        metrics: Of the stage's report.
        guided: Whether hints were given where all answers were wrong.
    """
    if metrics[UNIFORM] < 1.0:
        return None
    told = "learnt nothing: in every group all answers had the same reward; "
    groups, right, wrong = (metrics[name] for name in ("groups", "groups_all_right", "groups_all_wrong"))
    if right == groups:
        return (
            f"{told}every answer was right, so there was nothing to learn: leave the stage out, or teach what is harder"
        )
    if right + wrong < groups or metrics.get("groups_rescued"):
        return f"{told}right answers got no more than wrong ones: change rewards or gates"
    which = "every answer was wrong" if wrong == groups else "where not every answer was right, every one was wrong"
    return f"{told}{which}{', with hints too' if guided else ''}: teach it by another stage first" + (
        "" if guided else ", or set guided"
    )


def supervised_tokens(trainer: Any, samples: int) -> int:
    """Return the sampled tokens that the loss ran over, from TRL's mean length per step."""
    return round(sum(adapter.logged(trainer, "completions/mean_length")) * samples)
