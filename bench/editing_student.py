"""The student that bench/editing.py edits, the facts it is to learn, and all that it is asked."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from tutelage import jsonl
from tutelage.agents.resolve import resolve_student
from tutelage.agents.student import TransformersEngine
from tutelage.graphs.rehearse import MAX_NEW_TOKENS, as_lessons
from tutelage.plugins import Plugin, build
from tutelage.schema import BASE, Lesson, Problem, Split
from tutelage.seams import Task
from tutelage.student_prompt import student_prompt
from tutelage.tasks.editing.counterfactual import counterfactual_facts
from tutelage.tasks.editing.fact import Fact
from tutelage.tasks.editing.fictional import MOST, fictional_facts
from tutelage.tasks.editing.files import read_facts, write_facts
from tutelage.tasks.editing.measures import grade_fact, measure
from tutelage.tasks.editing.unknown import unknown_to
from tutelage.tasks.facts import FactsTask
from tutelage.tasks.quiz import QuizTask

OWN_ANSWERS = 300
"""Questions of each kind whose answers by the base student may be rehearsed."""
INSTRUCTION = "Give the answer alone, in a few words."
"""Without the marker `Answer:`, which this student did not write in what was looked at; it would be taught too."""
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
        self.task_spec = {"name": "facts", "options": {**options, "instruction": INSTRUCTION}}
        self.task: FactsTask = build("tasks", Plugin.model_validate(self.task_spec))
        self.quiz = QuizTask({Split.RETENTION: given.quiz})
        self.before = self._said_before()

    @property
    def asked(self) -> list[Problem]:
        """Every question about the facts but the probe's, which may be taught."""
        return [problem for split, some in self.task.splits().items() if split != Split.PROBE for problem in some]

    def paraphrases(self, edit: Problem) -> list[str]:
        """Return the questions of the probe split about an edit's fact."""
        fact = edit.metadata["fact"]
        return [problem.question for problem in self.task.splits()[Split.PROBE] if problem.metadata["fact"] == fact]

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

    @cached_property
    def base_report(self) -> dict[str, Any]:
        """What is measured of the base student."""
        return self.report(BASE, self.before)

    def rehearsal(self) -> list[Lesson]:
        """Return questions that no measure asks with the base student's own answers, as lessons.

        General ones, and in turns with them such as stand beside the facts: the same relations of other subjects.
        """
        path = self.folder / "rehearsal.jsonl"
        if not path.exists():
            general, near = self._not_measured()
            pairs = chain.from_iterable(zip(general, near, strict=False))
            jsonl.append(path, [one.model_dump(mode="json") for one in pairs])
        return [Lesson.model_validate(row) for row in jsonl.read(path)]

    def _not_measured(self) -> tuple[list[Lesson], list[Lesson]]:
        measured = {problem.question for problem in self.asked}
        near = [one.question for fact in fictional_facts(OWN_ANSWERS, self.seed + 1000) for one in fact.unrelated]
        near = [question for question in dict.fromkeys(near) if question not in measured][:OWN_ANSWERS]
        general = list(self.quiz.rehearsal())[:OWN_ANSWERS]
        return self._own_answers(general, None), self._own_answers(near, self.task.instruction)

    def _own_answers(self, questions: Sequence[str], system: str | None) -> list[Lesson]:
        limit = MAX_NEW_TOKENS if system is None else self.given.max_new_tokens
        answers = self.engine.generate(BASE, [student_prompt(system, one) for one in questions], max_new_tokens=limit)
        return as_lessons(questions, [answer for (answer,) in answers], system)

    def _leave_out_known(self) -> int:
        """Write the facts that the student does not know, once, and return how many it does."""
        counts = self.folder / "known.json"
        if not counts.exists():
            drawn = _drawn(self.given, self.seed)
            task = FactsTask(instruction=INSTRUCTION)
            found = unknown_to(lambda problems: list(self.ask(BASE, task, problems).values()), drawn)
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
