"""The seams: one-method protocols that an object, a `module:attribute` or an entry point can fill."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, Protocol, runtime_checkable

from .schema import (
    Attempt,
    Diagnosis,
    Grade,
    Lesson,
    LessonPlan,
    Problem,
    Purified,
    Rationale,
    Split,
    Strategy,
    TeachingRequest,
    TrainingReport,
)
from .step_checker import StepChecker as StepChecker

Message = dict[str, str]
"""A chat message: `role` and `content`."""


@runtime_checkable
class Task(Protocol):
    """Problems by split, and the rule that grades an answer.

    It may have `prerequisites() -> Mapping[str, Sequence[str]]`: which skills each of its skills builds on, without a
    cycle. Diagnosis and planning go by them.

    It may have `fresh(skill: str | None, count: int, seed: int, known: Collection[str]) -> Sequence[Problem]`, which
    makes at most `count` further problems to test a weakness on: problems that have `skill` among their skills (None:
    of any kind) and whose questions are not among `known`. Another seed gives others; none is an answer where it can
    make none. A task that cannot make problems may hold some out as the split `check` instead.
    """

    instruction: str | None
    """The system message under which the student is examined and taught; None for the model's own."""

    def splits(self) -> Mapping[Split, Sequence[Problem]]:
        """Return the problems of each split; the same on every call."""
        ...

    def grade(self, problem: Problem, text: str) -> Grade:
        """Find the final answer in a text and score it; never raises on any text.

        `Answer: ` and the gold answer must score 1: a run checks this before it begins.
        """
        ...


class Generation(NamedTuple):
    """One text that a student generated."""

    text: str
    logprob: float
    """Mean log-probability per generated token, the end-of-turn token included."""
    tokens: int
    stopped: bool
    """Whether it ended by itself rather than at the token limit."""


@runtime_checkable
class Engine(Protocol):
    """What runs a student's weights.

    It may have `count_tokens(text) -> int` too: a rationale that is longer than the student's answers may be is then
    turned away. And `likelihoods(checkpoint, answers: Sequence[tuple[Sequence[Message], str]]) -> list[float]`: the
    mean log-probability per token, the end-of-turn token included, with which that student answers a prompt by a text;
    some purifiers need it.
    """

    def generate(
        self,
        checkpoint: str,
        prompts: Sequence[Sequence[Message]],
        *,
        samples: int = 1,
        sampled: bool = False,
        seed: int = 0,
        max_new_tokens: int | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> list[list[Generation]]:
        """Answer each prompt `samples` times.

        Args:
            checkpoint: `base`, or a checkpoint's folder.
            prompts: Chat messages, one list a prompt.
            samples: Answers a prompt.
            sampled: Whether tokens are drawn; otherwise the likeliest is taken.
            seed: Seed of the sampling.
            max_new_tokens: Overrides the engine's own limit.
            on_progress: Called with the number of prompts just answered.
        """
        ...

    def release(self) -> None:
        """Free the memory that the weights take; the next call loads them again."""
        ...


@dataclass(frozen=True)
class CurrentStudent:
    """The student as it is in a cycle, for a teacher or purifier that has to ask it something.

    It is handed over by `meet(student)`, before the cycle's first call, where a plug-in has that method. Never anything
    of the gate or test split is in it.
    """

    cycle: int
    seed: int
    """The cycle's own."""
    engine: Engine
    """To be called on the model's thread: see `tutelage.model_thread`."""
    checkpoint: str
    """What the engine takes for this student."""
    prompt: Callable[[str, Sequence[tuple[str, str]]], list[Message]]
    """What it is asked a question with in an exam, its strategies included; examples come as earlier turns."""
    grade: Callable[[Problem, str], Grade]
    diagnosis: Diagnosis
    probe: Sequence[tuple[Problem, Attempt]]
    """The probe split, each problem with this student's answer."""
    likelihoods: Callable[[Sequence[tuple[Problem, str]]], list[float]] | None = None
    """The mean log-probability per token with which it would answer each problem by a text; on the model's thread. None
    if the engine cannot tell."""
    made_in: int = 0
    """The cycle that made this student; 0 for the base."""


@runtime_checkable
class Diagnostician(Protocol):
    """Names what the student cannot do yet.

    It may have `check() -> None`, which raises InputError if it cannot work and costs nothing, and a `describer`: None
    or an object with `describe(diagnosis, problems: Mapping[str, Problem]) -> Diagnosis`, sync or async. Of what that
    returns the descriptions are taken, nothing else; where it fails, those of the diagnosis stand. The problems are
    tagged as the diagnosis has it. With it go `estimate(problems) -> Estimate`, what describing one diagnosis takes,
    `prices`, and maybe `aclose()`, awaited after each diagnosis.

    What it names is tested on fresh problems (`exam.confirm`), unless it brings a confirmation of its own. It may have
    `threshold: float`, the pass rate from which a skill counts as mastered in that test; 0.8 without.
    """

    def diagnose(
        self, problems: Mapping[str, Problem], attempts: Sequence[Attempt], earlier: Sequence[Diagnosis]
    ) -> Diagnosis:
        """Group the failures of `attempts` (one student, graded, wrong steps marked) into weaknesses."""
        ...


@dataclass(frozen=True)
class Outcome:
    """What became of explaining one problem once."""

    problem_id: str
    tokens: int
    """Length of all that teachers wrote for it, rejected drafts included, in the student's tokens."""
    right: bool | None
    """Whether the student that was trained on it then answered right; None if it was not examined."""


@dataclass(frozen=True)
class PlanningRequest:
    """All that a planner gets."""

    cycle: int
    diagnosis: Diagnosis
    problems: Sequence[Problem]
    """The train split."""
    attempts: Sequence[Attempt]
    """This student's attempts at train problems, oldest first."""
    taught: Mapping[str, int]
    """How often each train problem was taught to this student and to those it came from."""
    teachers: tuple[str, ...]
    lessons: int
    """How many problems may be taught."""
    seed: int
    outcomes: Sequence[Outcome] = ()
    """What became of the explanations given to this student and to those it came from, oldest first."""
    tokens: int | None = None
    """What teachers may write in all, in the student's tokens; None is no limit."""
    teacher_rates: Mapping[str, float] = field(default_factory=dict)
    """By skill, the share of the problems that need it for which some teacher had a verified rationale so far; a skill
    that nobody was asked about is not in it."""
    earlier: Sequence[Diagnosis] = ()
    """The diagnoses, before this one, of this student and of those it came from, oldest first."""
    earlier_attempts: Sequence[Attempt] = ()
    """Attempts at train problems of the students that this one came from, oldest first."""


@runtime_checkable
class Planner(Protocol):
    """Picks the problems that are taught in a cycle."""

    def plan(self, request: PlanningRequest) -> LessonPlan:
        """Return at most `request.lessons` assignments, in teaching order."""
        ...


@runtime_checkable
class Teacher(Protocol):
    """Writes a rationale for one problem.

    It may have `check() -> None`, which raises InputError if it cannot work and costs nothing, `can_teach(problem) ->
    bool`, which says whether it has anything to say, `meet(student: CurrentStudent) -> None`, called before a cycle's
    teaching begins, `strategise(request: StrategyRequest) -> str`, sync or async, which says in a sentence or two how
    to go about a weakness, `estimate(request) -> Estimate` (see `tutelage.spending`), what a call takes, with
    `prices`, dollars a million tokens read and written or None, and `aclose()`, awaited at the end of a run.
    """

    name: str

    def teach(self, request: TeachingRequest) -> str | Rationale | Awaitable[str | Rationale]:
        """Return a worked solution; may be a coroutine function."""
        ...


NOTHING_TO_ASK: Final = "Nothing to ask."
"""What a critic returns where refining has nothing to gain: the lesson on this problem then ends."""


@runtime_checkable
class Critic(Protocol):
    """Asks one question about a rationale that was turned away; it does not write it anew.

    Reflection-in-Reflection (arXiv 2601.14798): one Socratic question or a fixed stop signal a round. It may have
    `check() -> None`, which raises InputError if it cannot work and costs nothing, `estimate(request, rationale) ->
    Estimate` with `prices`, as a teacher has them, and `aclose()`, awaited at the end of a run.
    """

    def critique(self, request: TeachingRequest, rationale: Rationale) -> str | Awaitable[str]:
        """Return one question, or `NOTHING_TO_ASK`; may be a coroutine function.

        `rationale` has its verdict; `request.earlier` has the lesson's revisions before it, with what was asked then.
        """
        ...


@runtime_checkable
class Purifier(Protocol):
    """Turns several verified rationales for one problem into what is taught, mostly one of them.

    It may have `meet(student: CurrentStudent) -> None`, called before a cycle's purification, and `score(candidates:
    Sequence[tuple[Problem, Sequence[Rationale]]]) -> Mapping[str, Mapping[str, float]]`, called on the model's thread
    with the verified rationales of several problems: the scores it returns, by a rationale's id, are written into
    `Rationale.scores` before `purify` sees them. What has been scored before a crash comes back with its scores. With
    `needs_likelihoods = True` it is refused where the student's engine has no `likelihoods`.

    One that learns has `fit(evidence: Sequence[Evidence]) -> None`, called once a cycle before it is planned, with all
    that earlier cycles showed, and `save(folder: Path)` and `load(folder: Path)`, by which a resumed run goes on with
    what was learnt. One that knows teachers by the question alone has `route(problems: Sequence[Problem], teachers:
    Sequence[str]) -> Mapping[str, Mapping[str, float]]`: each teacher's chance of being right, by a problem's id; only
    the best is then asked. It leaves out what it cannot say.
    """

    def purify(
        self, problem: Problem, rationales: Sequence[Rationale]
    ) -> Rationale | Purified | Awaitable[Rationale | Purified]:
        """Return what to teach; `rationales` holds at least one and all are verified.

        May be a coroutine function: it is then called for several problems at once, any other for one at a time, on a
        thread of its own. Either has `teach.timeout` seconds. Where it raises `CallFailed` or `Declined`, the
        majority stands in; after `teach.bench_after` failed calls in a row, for the rest of the cycle.
        """
        ...


@dataclass(frozen=True)
class StageJob:
    """All that a training stage gets. Everything in it can be written as JSON, for the worker process."""

    cycle: int
    base: Path
    """The base student's folder."""
    start: Path | None
    """The checkpoint to start from; None starts from the base."""
    out: Path
    """The empty folder that the new checkpoint goes to."""
    lessons: tuple[Lesson, ...]
    seed: int
    device: str = "auto"
    precision: str = "auto"
    task: dict[str, object] = field(default_factory=dict)
    """The task's plug-in specification, for stages whose reward grades answers."""
    strategies: tuple[Strategy, ...] = ()
    """The whole library, for stages that have `takes_strategies = True`."""


@runtime_checkable
class Stage(Protocol):
    """Turns lessons into weights."""

    name: str

    def check(self) -> None:
        """Raise InputError if the options cannot work, without loading a model."""
        ...

    def run(self, job: StageJob) -> TrainingReport:
        """Train and leave a checkpoint in `job.out`."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into vectors."""

    name: str
    """Names the vectors' space: an index made with another name is rebuilt."""

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit-length vector a text."""
        ...
