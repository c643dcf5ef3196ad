"""Edit facts into a student round after round: what `editing.py` measures."""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from editing_arms import Arm

from tutelage import jsonl
from tutelage.agents.resolve import resolve_student
from tutelage.agents.student import TransformersEngine
from tutelage.errors import Declined
from tutelage.graphs.exam import grade
from tutelage.graphs.rehearse import MAX_NEW_TOKENS, whole_sentences
from tutelage.graphs.step_check import StepCheck
from tutelage.hashing import content_hash
from tutelage.plugins import Plugin, build
from tutelage.schema import BASE, REHEARSED, Attempt, Lesson, Problem, Split, TeachingRequest
from tutelage.seams import StageJob, Task, Teacher
from tutelage.student_prompt import student_prompt
from tutelage.tasks.editing.counterfactual import counterfactual_facts
from tutelage.tasks.editing.fact import Fact
from tutelage.tasks.editing.fictional import MOST, fictional_facts
from tutelage.tasks.editing.files import read_facts, write_facts
from tutelage.tasks.editing.measures import grade_fact, measure
from tutelage.tasks.editing.unknown import unknown_to
from tutelage.tasks.facts import FactsTask
from tutelage.tasks.quiz import QuizTask
from tutelage.training.worker import run_stage

SPARE = 1.1
"""Facts that are drawn for each that is edited in, since the student may know some."""


class Bench:
    """A student, the facts it is to learn, and what it said of everything before."""

    def __init__(self, given: argparse.Namespace, seed: int) -> None:
        """Find the student, and the facts it does not know."""
        self.given, self.seed = given, seed
        self.folder: Path = given.runs / f"{given.facts_name}-{given.n}-{given.unrelated}-{given.max_new_tokens}-{seed}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.base = resolve_student(given.student)
        self.engine = TransformersEngine(self.base, given.device, "auto", given.batch_size, given.max_new_tokens)
        self.known = self._leave_out_known()
        options = {"path": str(self.folder / "facts.jsonl"), "unrelated": given.unrelated, "seed": seed}
        self.task_spec = {"name": "facts", "options": options}
        self.task: FactsTask = build("tasks", Plugin.model_validate(self.task_spec))
        self.quiz = QuizTask({Split.RETENTION: given.quiz})
        self.before = self._said_before()

    @property
    def asked(self) -> list[Problem]:
        """Every question about the facts: nothing is chosen here, so no split is held back."""
        return [problem for some in self.task.splits().values() for problem in some]

    def ask(self, checkpoint: str, task: Task, problems: Sequence[Problem], limit: int | None = None) -> dict[str, str]:
        """Return what a checkpoint says, by problem id."""
        prompts = [student_prompt(task.instruction, problem.question) for problem in problems]
        answers = self.engine.generate(checkpoint, prompts, seed=self.seed, max_new_tokens=limit)
        return {problem.id: answer.text for problem, (answer,) in zip(problems, answers, strict=True)}

    def report(self, checkpoint: str, said: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the measures of a checkpoint, and its general ability."""
        after = self.ask(checkpoint, self.task, self.asked) if said is None else said
        questions = self.quiz.splits()[Split.RETENTION]
        answers = self.ask(checkpoint, self.quiz, questions, MAX_NEW_TOKENS)
        right = sum(self.quiz.grade(problem, answers[problem.id]).score for problem in questions)
        edits = self.task.splits()[Split.TRAIN]
        quarter = edits[: max(1, len(edits) // 4)]
        held = sum(grade_fact(problem, after[problem.id]).score for problem in quarter) / len(quarter)
        made = measure(self.asked, self.before, after).model_dump(mode="json")
        return {**made, "reliability_first_quarter": held, "quiz": right / len(questions)}

    def rehearsal(self) -> list[Lesson]:
        """Return general questions with the base student's own answers, as lessons."""
        questions = list(self.quiz.rehearsal())[:64]
        prompts = [student_prompt(None, question) for question in questions]
        answers = self.engine.generate(BASE, prompts, max_new_tokens=MAX_NEW_TOKENS)
        return [
            Lesson(problem_id=f"rehearsed-{n}", cycle=0, question=question, text=text, origin=REHEARSED)
            for n, (question, (answer,)) in enumerate(zip(questions, answers, strict=True))
            if (text := answer.text if answer.stopped else whole_sentences(answer.text))
        ]

    def _leave_out_known(self) -> int:
        """Write the facts that the student does not know, once, and return how many it does."""
        counts = self.folder / "known.json"
        if not counts.exists():
            drawn = _drawn(self.given, self.seed)
            found = unknown_to(lambda problems: list(self.ask(BASE, FactsTask(), problems).values()), drawn)
            if len(found.facts) < self.given.n:
                raise SystemExit(f"{len(found.facts)} of {len(drawn)} facts are unknown to the student; lower --n")
            write_facts(self.folder / "facts.jsonl", found.facts[: self.given.n])
            jsonl.write_json(counts, {"known": len(found.known), "asked": len(drawn)})
        return int(jsonl.read_json(counts)["known"])

    def _said_before(self) -> dict[str, str]:
        path = self.folder / "before.json"
        if not path.exists():
            jsonl.write_json(path, self.ask(BASE, self.task, self.asked))
        said: dict[str, str] = jsonl.read_json(path)
        return said


def _drawn(given: argparse.Namespace, seed: int) -> tuple[Fact, ...]:
    """Return the facts from which those are taken that the student does not know."""
    if given.facts not in ("fictional", "counterfactual"):
        return read_facts(given.facts).facts
    make = fictional_facts if given.facts == "fictional" else counterfactual_facts
    most = MOST if given.facts == "fictional" else max(given.n, 212)
    return make(min(most, int(SPARE * given.n) + 5), seed, given.unrelated)


def edit(bench: Bench, name: str, arm: Arm) -> dict[str, Any]:
    """Edit all facts in, round after round, and return what is reported of it."""
    given = bench.given
    folder = bench.folder / f"{name}-{given.batch}-{content_hash(asdict(arm), length=6)}"
    problems = bench.task.splits()[Split.TRAIN]
    rounds = [problems[start : start + given.batch] for start in range(0, len(problems), given.batch)]
    rows = list(jsonl.read(folder / "rounds.jsonl"))
    rehearsal = bench.rehearsal() if arm.rehearsed else []
    taught = [Lesson.model_validate(lesson) for row in rows for lesson in row["lessons"]]
    for number in range(len(rows), len(rounds)):
        start = rows[-1]["checkpoint"] if rows else None
        new = _lessons(bench, arm, rounds[number], start, number)
        replayed = [*_turn(rehearsal, arm.rehearsed, number), *_turn(taught, arm.earlier, number)]
        row = _round(bench, arm, folder, number, start, [*new, *replayed])
        taught += new
        rows.append({**row, "lessons": [lesson.model_dump(mode="json") for lesson in new]})
        jsonl.append(folder / "rounds.jsonl", rows[-1:])
        for old in folder.glob("round-*"):  # none is needed any more but the last
            if old.is_dir() and old != Path(rows[-1]["checkpoint"]):
                shutil.rmtree(old)
        print(f"{name}: {number + 1} of {len(rounds)} rounds, loss {row['loss']:.3f}", flush=True)
    return {
        "after": bench.report(rows[-1]["checkpoint"]),
        "teachers": {teacher: sum(lesson.origin == teacher for lesson in taught) for teacher in arm.teachers},
        "tokens": sum(row["tokens"] for row in rows),
        "steps": sum(row["steps"] for row in rows),
        "train_seconds": round(sum(row["seconds"] for row in rows), 1),
    }


def _round(
    bench: Bench, arm: Arm, folder: Path, number: int, start: str | None, lessons: Sequence[Lesson]
) -> dict[str, Any]:
    """Train the arm's stages on a round's lessons, each from the checkpoint of the one before."""
    began, tokens, steps, loss = time.perf_counter(), 0, 0, 0.0
    bench.engine.release()
    for place, stage in enumerate(arm.stages):
        out = folder.absolute() / f"round-{number:03d}-{place}"
        job = StageJob(
            cycle=number + 1,
            base=bench.base,
            start=None if start is None else Path(start),
            out=out,
            lessons=tuple(lessons),
            seed=bench.seed + number,
            device=bench.given.device,
            task=bench.task_spec,
        )
        made = run_stage(Plugin.model_validate(stage), job, mode="inline")
        start, tokens, steps, loss = str(out), tokens + made.tokens, steps + made.steps, made.loss
    took = round(time.perf_counter() - began, 2)
    return {"round": number, "checkpoint": start, "tokens": tokens, "steps": steps, "loss": loss, "seconds": took}


def _lessons(bench: Bench, arm: Arm, problems: Sequence[Problem], start: str | None, number: int) -> list[Lesson]:
    """Let the arm's teachers write a lesson for each fact."""
    teachers: list[Teacher] = [build("teachers", Plugin(name=name), seed=bench.seed) for name in arm.teachers]
    attempts = _attempts(bench, problems, start or BASE) if len(teachers) > 1 else {}
    lessons = []
    for problem in problems:
        request = TeachingRequest(problem=problem, attempts=attempts.get(problem.id, ()), cycle=number + 1)
        teacher, text = _first_to_teach(teachers, request)
        lessons.append(
            Lesson(
                problem_id=problem.id,
                cycle=number + 1,
                question=problem.question,
                text=text,
                origin=teacher,
                system=bench.task.instruction,
                answer=problem.answer,
            )
        )
    return lessons


def _first_to_teach(teachers: Sequence[Teacher], request: TeachingRequest) -> tuple[str, str]:
    for teacher in teachers:
        try:
            return teacher.name, str(teacher.teach(request))
        except Declined:
            continue
    raise SystemExit(f"no teacher has anything to say to {request.problem.question!r}")


def _attempts(bench: Bench, problems: Sequence[Problem], checkpoint: str) -> dict[str, tuple[Attempt, ...]]:
    """Return the student's failed answers to the edits, which a teacher may correct."""
    prompts = [student_prompt(bench.task.instruction, problem.question) for problem in problems]
    answers = bench.engine.generate(checkpoint, prompts, seed=bench.seed)
    made = [
        grade(bench.task, problem, answer, StepCheck(None), cycle=1, student=checkpoint, split=Split.TRAIN)
        for problem, (answer,) in zip(problems, answers, strict=True)
    ]
    return {attempt.problem_id: (attempt,) for attempt in made if not attempt.correct}


def _turn(lessons: Sequence[Lesson], count: int, number: int) -> list[Lesson]:
    """Return so many lessons, in turns from round to round."""
    count = min(count, len(lessons))
    return [lessons[(number * count + place) % len(lessons)] for place in range(count)]
