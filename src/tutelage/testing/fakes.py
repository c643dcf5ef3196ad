"""A loop without a model: additions to answer, a student that knows as much as it was taught, a teacher that adds."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ..arithmetic import skills_of
from ..hashing import content_hash
from ..schema import (
    Assignment,
    Attempt,
    Diagnosis,
    Grade,
    LessonPlan,
    Problem,
    Rationale,
    Split,
    TeachingRequest,
    TrainingReport,
    Weakness,
    WrongStep,
)
from ..seams import NOTHING_TO_ASK, Generation, Message, PlanningRequest, StageJob

_SUM = re.compile(r"(\d{1,6}) \+ (\d{1,6})")
_ANSWER = re.compile(r"Answer: (-?\d{1,12})")

NO_STUDENT = Path(__file__).parent / "no-student"
"""A folder that passes for a student's where a fake engine answers."""


class FakeTask:
    """Sums of two numbers up to 99; every split is disjoint from the others."""

    instruction: str | None = "Add. End with 'Answer:' and the sum."

    def __init__(self, train: int = 40, probe: int = 16, gate: int = 16, test: int = 16, seed: int = 0) -> None:
        """Set the sizes of the splits."""
        self.sizes = {Split.TRAIN: train, Split.PROBE: probe, Split.GATE: gate, Split.TEST: test}
        self.seed = seed

    def splits(self) -> Mapping[Split, Sequence[Problem]]:
        """Cut one shuffled list of sums into the splits."""
        draw = random.Random(self.seed)
        pairs = [divmod(i, 99) for i in draw.sample(range(99 * 99), sum(self.sizes.values()))]
        problems = iter([self._problem(a + 1, b + 1) for a, b in pairs])
        return {split: [next(problems) for _ in range(size)] for split, size in self.sizes.items()}

    def fresh(self, skill: str | None, count: int, seed: int, known: Collection[str]) -> Sequence[Problem]:
        """Draw further sums that need a skill."""
        draw = random.Random(seed)
        every = (self._problem(*(n + 1 for n in divmod(i, 99))) for i in draw.sample(range(99 * 99), 99 * 99))
        return list(islice((p for p in every if p.question not in known and skill in (None, *p.skills)), count))

    def grade(self, problem: Problem, text: str) -> Grade:
        """Look for the last `Answer: n`."""
        found = _ANSWER.findall(text)
        return Grade(found[-1], float(found[-1] == problem.answer)) if found else Grade(None, 0.0)

    def _problem(self, a: int, b: int) -> Problem:
        expression = f"{a} + {b}"
        return Problem(question=f"What is {expression}?", answer=str(a + b), skills=skills_of(expression))


class FakeEngine:
    """A student that answers a share of all sums right: the share grows with the lessons it was trained on."""

    def __init__(self, lessons_needed: int = 40, seconds: float = 0.0) -> None:
        """Set how many lessons make it perfect, and how long it takes for a batch of answers."""
        self.lessons_needed, self.seconds = lessons_needed, seconds
        self.prompts = 0

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
        """Answer; see `tutelage.seams.Engine`."""
        self.prompts += len(prompts)
        time.sleep(self.seconds)
        taught = 0 if checkpoint == "base" else json.loads((Path(checkpoint) / "fake.json").read_text())["lessons"]
        share = taught / self.lessons_needed
        if on_progress:
            on_progress(len(prompts))
        return [[self._answer(prompt[-1]["content"], share)] * samples for prompt in prompts]

    def likelihoods(self, checkpoint: str, answers: Sequence[tuple[Sequence[Message], str]]) -> list[float]:
        """Find a text the likelier the shorter it is."""
        return [-0.01 * len(text) for _, text in answers]

    def count_tokens(self, text: str) -> int:
        """Count words, and one for the end."""
        return len(text.split()) + 1

    def release(self) -> None:
        """Hold nothing."""

    def _answer(self, question: str, share: float) -> Generation:
        found = _SUM.search(question)
        if not found:
            return Generation("Answer: 0", -1.0, 3, True)
        a, b = int(found[1]), int(found[2])
        easy = int(content_hash(question, length=8), 16) / 16**8 < share
        total = a + b if easy else a + b + 10
        return Generation(f"{a} + {b} = {total}. Answer: {total}", -0.1, 12, True)


class FakeTeacher:
    """Adds, and counts how often it was asked; may be slow, wrong at first, or raise."""

    def __init__(
        self,
        name: str = "fake",
        seconds: float = 0.0,
        wrong_first: bool = False,
        fails: str = "",
        preface: str = "",
    ) -> None:
        """Set its habits.

        Args:
            name: The teacher's name.
            seconds: How long it takes for a rationale.
            wrong_first: Whether its first draft for each problem has a wrong final answer.
            fails: A message to raise instead of teaching.
            preface: What it says before each rationale, so that two of a kind differ.
        """
        self.name, self.seconds, self.wrong_first, self.fails = name, seconds, wrong_first, fails
        self.preface = preface
        self.asked: list[TeachingRequest] = []

    def teach(self, request: TeachingRequest) -> str:
        """Return the sum in one step."""
        self.asked.append(request)
        time.sleep(self.seconds)
        if self.fails:
            raise ValueError(self.fails)
        expression = request.problem.question.removeprefix("What is ").removesuffix("?")
        answer = request.problem.answer
        if self.wrong_first and not any(note.rejected for note in request.earlier):
            return f"{self.preface}{expression} = {answer}. Answer: {int(answer) + 1}"
        return f"{self.preface}{expression} = {answer}. Answer: {answer}"


class FakeCritic:
    """Asks one fixed question, and keeps what it was asked about; may stop, or raise."""

    def __init__(self, question: str = "What is left?", stop_after: int | None = None, fails: str = "") -> None:
        """Set its habits.

        Args:
            question: What it asks.
            stop_after: After so many questions it has nothing more to ask.
            fails: A message to raise instead of asking.
        """
        self.question, self.stop_after, self.fails = question, stop_after, fails
        self.seen: list[tuple[TeachingRequest, Rationale]] = []

    def critique(self, request: TeachingRequest, rationale: Rationale) -> str:
        """Ask; see `tutelage.seams.Critic`."""
        self.seen.append((request, rationale))
        if self.fails:
            raise ValueError(self.fails)
        stops = self.stop_after is not None and len(self.seen) > self.stop_after
        return NOTHING_TO_ASK if stops else self.question


class FakeChecker:
    """Calls the first place of a phrase a wrong step, and keeps what it was shown; may raise."""

    def __init__(self, phrase: str = "wrong", fails: str = "") -> None:
        """Set its habits.

        Args:
            phrase: What a wrong step consists of.
            fails: A message to raise instead of reporting the phrase.
        """
        self.phrase, self.fails = phrase, fails
        self.seen: list[tuple[Problem, str, bool]] = []

    def find_wrong_step(self, problem: Problem, text: str, truncated: bool = False) -> WrongStep | None:
        """Look; see `tutelage.seams.StepChecker`."""
        self.seen.append((problem, text, truncated))
        start = text.find(self.phrase)
        if start < 0:
            return None
        if self.fails:
            raise ValueError(self.fails)
        end = start + len(self.phrase)
        return WrongStep(kind="phrase", start=start, end=end, expected="another", found=self.phrase)


class FakeDiagnostician:
    """Calls every failure the one weakness `sums`."""

    def diagnose(
        self, problems: Mapping[str, Problem], attempts: Sequence[Attempt], earlier: Sequence[Diagnosis]
    ) -> Diagnosis:
        """Count; see `tutelage.seams.Diagnostician`."""
        right = sum(attempt.correct for attempt in attempts) / len(attempts)
        weak = Weakness(name="sums", description="", pass_rate=right, support=len(attempts), severity=1 - right)
        student, cycle = attempts[0].student, attempts[0].cycle
        return Diagnosis(
            cycle=cycle, student=student, accuracy=right, weaknesses=(weak,) if right < 1 else (), mastery=()
        )


class FakePlanner:
    """Plans the first problems of the train split for every teacher."""

    def plan(self, request: PlanningRequest) -> LessonPlan:
        """Plan; see `tutelage.seams.Planner`."""
        chosen = request.problems[: request.lessons]
        made = tuple(Assignment(problem_id=p.id, teachers=request.teachers, reason="next in line") for p in chosen)
        return LessonPlan(cycle=request.cycle, assignments=made)


class FakePurifier:
    """Takes the shortest rationale."""

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Rationale:
        """Choose; see `tutelage.seams.Purifier`."""
        return min(rationales, key=lambda rationale: len(rationale.text))


class FakeStage:
    """Counts lessons instead of training."""

    def __init__(self, name: str = "fake", seconds: float = 0.0, worth: float = 1.0) -> None:
        """Set how long it takes and what a lesson is worth; a negative worth does harm."""
        self.name, self.seconds, self.worth = name, seconds, worth

    def check(self) -> None:
        """Accept any options."""

    def run(self, job: StageJob) -> TrainingReport:
        """Leave `fake.json`, which `FakeEngine` reads."""
        time.sleep(self.seconds)
        before = 0 if job.start is None else json.loads((job.start / "fake.json").read_text())["lessons"]
        after = before + self.worth * len(job.lessons)
        job.out.mkdir(parents=True, exist_ok=True)
        (job.out / "fake.json").write_text(json.dumps({"lessons": after}))
        return TrainingReport(stage=self.name, steps=1, tokens=len(job.lessons), loss=1 / (1 + after), seconds=0.0)


def fake_config(**overrides: Any) -> dict[str, Any]:
    """Return a configuration in which every part is a fake; the loop takes about a second."""
    here = "tutelage.testing"
    return {
        "name": "fake",
        "task": f"{here}:FakeTask",
        "student": {"model": str(NO_STUDENT), "engine": f"{here}:FakeEngine"},
        "retention": None,
        "teachers": [f"{here}:FakeTeacher"],
        "memory": {"embedder": f"{here}:HashEmbedder"},
        "plan": {"lessons": 16},
        "exam": {"due": 8},
        "training": {"stages": [f"{here}:FakeStage"], "worker": "inline", "min_lessons": 4},
        "stop": {"cycles": 2},
        **overrides,
    }
