from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage.agents.steps.correction import correct
from tutelage.agents.teachers.reference import ReferenceTeacher
from tutelage.configfile import parse_config
from tutelage.errors import InputError
from tutelage.graphs import standalone, unknown
from tutelage.graphs.lesson.judge import judge
from tutelage.graphs.preflight import examine_config
from tutelage.graphs.unknown import facts_unknown_to
from tutelage.plugins import Plugin, build
from tutelage.schema import Problem, Split, TeachingRequest
from tutelage.seams import Generation, Task
from tutelage.student_prompt import student_prompt
from tutelage.tasks.editing.fact import TRUTH_UNKNOWN, Fact, Kind
from tutelage.tasks.editing.fictional import fictional_facts
from tutelage.tasks.editing.files import write_facts
from tutelage.tasks.editing.unknown import unknown_to
from tutelage.tasks.facts import ASKED_BEFORE, INSTRUCTION, OTHER_FACT, FactsTask
from tutelage.tasks.splits import check_splits
from tutelage.testing import FakeChecker, FakeEngine, fake_config

ROTE = """
import json
from tutelage.schema import TrainingReport

class Rote:
    name = "rote"

    def check(self):
        pass

    def run(self, job):
        before = {} if job.start is None else json.loads((job.start / "said.json").read_text())
        said = {**before, **{lesson.question: lesson.text for lesson in job.lessons}}
        (job.out / "said.json").write_text(json.dumps(said))
        return TrainingReport(stage="rote", steps=1, tokens=1, loss=0.5, seconds=0.0)
"""


class Parrot(FakeEngine):
    """Says what it was taught, also when asked in other words; a taught one is wrong about currencies."""

    def __init__(self, task: FactsTask) -> None:
        super().__init__()
        self.meant = {text: fact.question for fact in task.facts for text in (fact.question, *fact.paraphrases)}

    def generate(self, checkpoint: str, prompts: Sequence[Sequence[Any]], **given: Any) -> list[list[Generation]]:
        known = {} if checkpoint == "base" else json.loads((Path(checkpoint) / "said.json").read_text())
        return [[Generation(self._say(prompt[-1]["content"], known), -0.1, 4, True)] for prompt in prompts]

    def _say(self, question: str, known: dict[str, str]) -> str:
        otherwise = "Answer: a shell" if known and "currency" in question else "It is what it was."
        return known.get(self.meant.get(question, ""), otherwise)


def kinds(problems: Sequence[Problem]) -> set[str]:
    return {problem.metadata["kind"] for problem in problems}


@pytest.mark.parametrize("options", [{}, {"generate": "counterfactual"}, {"n": 3}, {"unrelated": 0}])
def test_splits(options: dict[str, Any]) -> None:
    task = FactsTask(**options)
    assert isinstance(task, Task)
    check_splits(task)
    splits = task.splits()
    assert FactsTask(**options).splits() == splits
    assert [problem.question for problem in splits[Split.TRAIN]] == [fact.question for fact in task.facts]
    assert kinds(splits[Split.PROBE]) == {Kind.PARAPHRASE}
    assert kinds(splits[Split.GATE]) <= {Kind.PARAPHRASE, Kind.UNRELATED}
    assert not any(problem.answer == TRUTH_UNKNOWN for problem in splits[Split.GATE])
    asked_of = [{one.metadata["fact"] for one in some if one.metadata["kind"] == Kind.PARAPHRASE} for some in
                (splits[Split.PROBE], splits[Split.GATE], splits[Split.TEST])]  # fmt: skip
    assert sum(map(len, asked_of)) == len(set().union(*asked_of)) == len(task.facts)


def test_the_first_of_the_test_split_are_of_all_kinds() -> None:
    assert len(kinds(FactsTask().splits()[Split.TEST][:20])) == 3


def test_the_reference_teacher_teaches_every_fact() -> None:
    teacher = ReferenceTeacher()
    for task in (FactsTask(), FactsTask(generate="counterfactual")):
        for problem in task.splits()[Split.TRAIN]:
            text = teacher.teach(TeachingRequest(problem=problem))
            assert text.endswith(f"\nAnswer: {problem.answer}")
            assert judge(task, problem, text, FakeChecker()).reason is None, text


def test_the_corrected_teacher_finds_what_the_student_said() -> None:
    """What the task reads of a wrong answer is what the teacher looks for in its words."""
    task = FactsTask(n=3)
    for fact, problem in zip(task.facts, task.splits()[Split.TRAIN], strict=True):
        text = f"I know {fact.subject}. It is Xyrn.\nAnswer: Xyrn"
        said = correct(problem.question, text, task.grade(problem, text).answer, problem.answer)
        assert said == text.replace("Xyrn", fact.answer)


def test_a_question_of_another_fact_is_not_unrelated(tmp_path: Path) -> None:
    facts = [
        Fact(
            subject=name, question=f"Where is {name}?", answer=f"{name}land", statement=f"{name} is in {name}land.",
            paraphrases=(f"In what land is {name}?", f"where is {name}"),
            unrelated=({"question": "Where is B?", "answer": "x"},),
        )
        for name in "ABCD"
    ]  # fmt: skip
    write_facts(tmp_path / "facts.jsonl", facts)
    task = FactsTask(str(tmp_path / "facts.jsonl"))
    assert len(task.facts) == 4 and task.left_out == {ASKED_BEFORE: 8}
    check_splits(task)
    config = fake_config(task={"name": "facts", "options": {"path": str(tmp_path / "facts.jsonl")}})
    checks = examine_config(parse_config({**config, "teachers": ["reference"]})).checks
    assert f"task: left out: 8 {ASKED_BEFORE}" in {check.name for check in checks}


def test_a_multi_hop_question_goes_with_both_its_facts(tmp_path: Path) -> None:
    whole = fictional_facts(60)
    needed = {hop.needs for fact in whole for hop in fact.hops}
    write_facts(tmp_path / "facts.jsonl", [fact for fact in whole if fact.id not in needed])
    task = FactsTask(str(tmp_path / "facts.jsonl"))
    hops = sum(len(fact.hops) for fact in task.facts)
    assert task.left_out == {OTHER_FACT: hops} and hops > 5
    assert not any(problem.metadata["kind"] == Kind.HOP for some in task.splits().values() for problem in some)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"n": 2}, "tasks: facts: n: 2 facts cannot fill"),
        ({"unrelated": -1}, "tasks: facts: unrelated: -1"),
        ({"probe": 0.5, "gate": 0.5}, "leave no test"),
        ({"generate": "real"}, "tasks: facts: generate"),
        ({"path": "none.json"}, "none.json: cannot be read"),
    ],
)
def test_wrong_options(options: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        build("tasks", Plugin(name="facts", options=options), seed=0).splits()


def test_what_is_known_is_left_out() -> None:
    facts = fictional_facts(6)
    answers = [f"Answer: {fact.answer}" if place % 3 == 0 else "who knows" for place, fact in enumerate(facts)]
    seen: list[Problem] = []

    def ask(problems: Sequence[Problem]) -> Sequence[str]:
        seen.extend(problems)
        return answers

    found = unknown_to(ask, facts)
    assert found.known == facts[::3] and len(found.facts) == 4
    assert [problem.question for problem in seen] == [fact.question for fact in facts]


def test_a_student_is_asked_as_in_an_exam(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = fictional_facts(4)
    asked: list[Any] = []

    class Knowing(FakeEngine):
        def generate(self, checkpoint: str, prompts: Sequence[Sequence[Any]], **given: Any) -> list[list[Generation]]:
            asked.extend(prompts)
            return [[Generation(f"Answer: {facts[2].answer}", -0.1, 4, True)] for _ in prompts]

    monkeypatch.setattr(unknown, "make_engine", lambda student, settings: (Knowing(), student))
    found = facts_unknown_to("base", facts)
    assert asked == [student_prompt(INSTRUCTION, fact.question) for fact in facts]
    assert facts[2] in found.known and {*found.known} == {fact for fact in facts if fact.answer == facts[2].answer}


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> tutelage.Result:
    folder = tmp_path_factory.mktemp("edited")
    (folder / "rote_stage.py").write_text(ROTE)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        config = fake_config(
            task={"name": "facts", "options": {"n": 20}},
            teachers=["reference"],
            plan={"lessons": 20},
            exam={"due": 4, "confirm": 0},
            training={"stages": ["rote_stage:Rote"], "worker": "inline", "min_lessons": 1},
            gate={"alpha": 1e-9},
            stop={"cycles": 1, "patience": None},
        )
        return tutelage.run(config, engine=Parrot(FactsTask(n=20)), run_dir=folder / "run")


def test_a_run_measures_the_edits(edited: tutelage.Result) -> None:
    assert edited.reports[1].lessons.taught == 20
    assert edited.student_path is not None, edited.reports[1].why
    measures = edited.summary["measures"]
    before, after = measures["before"], measures["after"]
    assert [before[name]["value"] for name in ("reliability", "generalisation", "locality")] == [0.0, 0.0, 1.0]
    assert after["reliability"] == {"value": 1.0, "facts": 20, "questions": 20}
    assert after["generalisation"] == {"value": 1.0, "facts": 14, "questions": 42}
    beside = [one for one in FactsTask(n=20).splits()[Split.TEST] if one.metadata["kind"] == Kind.UNRELATED]
    changed = sum("currency" in problem.question for problem in beside)
    assert 0 < changed < len(beside) == after["locality"]["questions"]
    assert 0.5 < after["locality"]["value"] < 1.0 and after["locality"] == after["locality_exact"]


def test_a_person_sees_the_measures(edited: tutelage.Result, tutelage_cli: Any) -> None:
    code, out, _ = tutelage_cli("show", edited.path)
    assert code == 0 and re.search(r"reliability\W+0\.00 \(.+\)\W+1\.00 \(facts 20, questions 20\)", out), out


def test_the_exam_measures_against_the_base_student(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    task = FactsTask(n=8)
    taught = {problem.question: str(problem.reference) for problem in task.splits()[Split.TRAIN][:4]}
    (tmp_path / "said.json").write_text(json.dumps(taught))
    monkeypatch.setattr(standalone, "make_engine", lambda student, settings: (Parrot(task), student))
    told = standalone.exam(str(tmp_path), "facts", n=6, seed=None, overrides=["n=8"])
    before, after = told["measures"]["before"], told["measures"]["after"]
    assert told["n"] == 12
    assert (before["reliability"]["value"], after["reliability"]["value"]) == (0.0, pytest.approx(4 / 6))
    assert before["locality"]["value"] == 1.0 and after["reliability"]["facts"] == 6
    untaught = standalone.exam("base", "facts", n=6, seed=None, overrides=["n=8"])
    assert untaught["measures"]["after"] == untaught["measures"]["before"]
