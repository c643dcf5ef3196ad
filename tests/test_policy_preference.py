"""Preference: several drafts, and the one after which the student answers probe problems best is the lesson."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

import tutelage
from tutelage import InputError, TeachingRequest
from tutelage.agents.purifiers.preference import PREFERENCE, PreferencePurifier
from tutelage.agents.teachers.textbook import TextbookTeacher
from tutelage.graphs import cycle as cycle_module
from tutelage.rundir import RunDir
from tutelage.schema import Attempt, Diagnosis, Grade, Mastery, Problem, Rationale, Split, Weakness
from tutelage.seams import CurrentStudent, Generation, Message
from tutelage.student_prompt import student_prompt
from tutelage.testing import FakeEngine, FakeTeacher, fake_config

STYLES = ("Simply: ", "Look at it this way: ", "Step by step: ")


class Stylist(FakeTeacher):
    """Writes each draft in another style, and is done with the last one first."""

    def teach(self, request: TeachingRequest) -> str:
        time.sleep(0.01 * (len(STYLES) - request.draft))
        return STYLES[request.draft] + super().teach(request)


class LikesSteps(FakeEngine):
    """Gets everything right after an example that goes step by step, and nothing after any other."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Sequence[Message]] = []

    def generate(self, checkpoint: str, prompts: Sequence[Sequence[Message]], **options: Any) -> list[list[Generation]]:
        shown = [prompt for prompt in prompts if any(message["role"] == "assistant" for message in prompt)]
        if not shown:
            return super().generate(checkpoint, prompts, **options)
        self.shown += shown
        return [[self._answer(p[-1]["content"], float(p[-2]["content"].startswith(STYLES[2])))] for p in prompts]


def config(**changes: Any) -> dict[str, Any]:
    purifier = {"name": "preference", "options": {"items": 4}}
    return {**fake_config(stop={"cycles": 1}), "policy": "preference", "purifier": purifier, **changes}


def test_the_draft_that_helps_is_the_lesson_and_the_scores_are_on_disk(tmp_path: Path) -> None:
    engine = LikesSteps()
    result = tutelage.run(config(), engine=engine, teachers=[Stylist()], run_dir=tmp_path / "run")
    rundir = RunDir(result.path)
    assert len(result.lessons(1)) == 16
    assert all(lesson.text.startswith(STYLES[2]) and len(lesson.chosen_over) == 2 for lesson in result.lessons(1))
    scores = {r.draft: r.scores for r in rundir.rationales(1)}
    assert scores == {0: {PREFERENCE: 0.0}, 1: {PREFERENCE: 0.0}, 2: {PREFERENCE: 1.0}}
    assert len(engine.shown) == 16 * 3 * 4
    events = result.trace(result.lessons(1)[0].problem_id)["events"]
    assert [e["scores"] for e in events if e["kind"] == "draft"] == [
        {PREFERENCE: 0.0},
        {PREFERENCE: 0.0},
        {PREFERENCE: 1.0},
    ]


def test_a_teacher_hears_of_its_earlier_drafts_in_their_order(tmp_path: Path) -> None:
    class Asked(Stylist):
        heard: ClassVar[list[list[str]]] = []

        def teach(self, request: TeachingRequest) -> str:
            self.heard.append([note.text for note in request.earlier if note.cycle < request.cycle])
            return super().teach(request)

    changes = {"stop": {"cycles": 2}, "exam": {"due": 40}}
    tutelage.run(config(**changes), engine=LikesSteps(), teachers=[Asked()], run_dir=tmp_path / "run")
    styles = [tuple(next(s for s in STYLES if text.startswith(s)) for text in texts) for texts in Asked.heard if texts]
    assert styles and set(styles) == {STYLES}


def test_it_asks_only_probe_problems(tmp_path: Path) -> None:
    engine = LikesSteps()
    result = tutelage.run(config(), engine=engine, teachers=[Stylist()], run_dir=tmp_path / "run")
    probe = {problem.question for problem in RunDir(result.path).problems()[Split.PROBE]}
    assert {prompt[-1]["content"] for prompt in engine.shown} <= probe


def test_drafts_that_do_not_differ_cost_nothing(tmp_path: Path) -> None:
    engine = LikesSteps()
    result = tutelage.run(config(), engine=engine, teachers=[FakeTeacher()], run_dir=tmp_path / "run")
    assert len(result.lessons(1)) == 16 and len(RunDir(result.path).rationales(1)) == 48
    assert not engine.shown


def test_after_a_crash_no_problem_is_scored_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = cycle_module.purify

    async def crash(state: Any, runtime: Any) -> Any:
        await original(state, runtime)
        raise OSError("the lights went out")

    crash.__name__ = "purify"
    path = tmp_path / "run"
    monkeypatch.setattr(cycle_module, "purify", crash)
    with pytest.raises(tutelage.RunError):
        tutelage.run(config(), engine=LikesSteps(), teachers=[Stylist()], run_dir=path)
    monkeypatch.setattr(cycle_module, "purify", original)
    for step in (path / "steps").glob("*purify*"):
        step.unlink()
    again = LikesSteps()
    result = tutelage.resume(path, engine=again, teachers=[Stylist()])
    assert not again.shown and all(lesson.text.startswith(STYLES[2]) for lesson in result.lessons(1))


def student(probe: Sequence[tuple[Problem, Attempt]], found: Diagnosis, engine: Any) -> CurrentStudent:
    return CurrentStudent(
        cycle=1,
        seed=1,
        engine=engine,
        checkpoint="base",
        prompt=partial(student_prompt, None),
        grade=lambda problem, text: Grade(text, float(text == problem.answer)),
        diagnosis=found,
        probe=probe,
    )


def test_it_tries_a_draft_on_the_same_weakness_where_the_student_is_unsure() -> None:
    found = Diagnosis(
        cycle=1,
        student="base",
        accuracy=0.5,
        weaknesses=tuple(Weakness(name=n, pass_rate=0.5, support=9, severity=0.1) for n in ("weak", "other")),
        mastery=tuple(
            Mastery(skill=s, alpha=1000 * m, beta=1000 * (1 - m))
            for s, m in {"weak": 0.5, "lost": 0.01, "other": 0.5}.items()
        ),
    )
    rows = {"sure": ("weak", "lost"), "unsure": ("weak",), "elsewhere": ("other",), "strong": ("fine",)}
    probe = []
    for name, skills in rows.items():
        problem = Problem(id=name, question=name, answer="1", skills=skills)
        attempt = Attempt(
            id=name, problem_id=name, split=Split.PROBE, cycle=1, student="base", text="", answer=None, score=0.0,
            correct=False, logprob=0.0, tokens=1, finish_reason="stop",
        )  # fmt: skip
        probe.append((problem, attempt))
    asked: Counter[str] = Counter()

    class Engine:
        def generate(self, checkpoint: str, prompts: Any, **options: Any) -> Any:
            asked.update(prompt[-1]["content"] for prompt in prompts)
            return [[Generation("1" if p[-2]["content"] == "good" else "2", 0.0, 1, True)] for p in prompts]

    purifier = PreferencePurifier(items=2)
    purifier.meet(student(probe, found, Engine()))
    taught = Problem(id="p", question="p", answer="1", skills=("weak",))
    drafts = [Rationale(id=str(n), text=text, verified=True) for n, text in enumerate(["bad", "good", "good"])]
    scores = purifier.score([(taught, drafts)])
    assert asked == {"unsure": 2, "sure": 2}  # of the same weakness, the unsure one first; two texts, not three
    assert scores == {"0": {PREFERENCE: 0.0}, "1": {PREFERENCE: 1.0}, "2": {PREFERENCE: 1.0}}
    purifier.items = 1
    asked.clear()
    purifier.score([(taught, drafts)])
    assert set(asked) == {"unsure"}


def test_of_equals_the_shorter_is_taken() -> None:
    drafts = [Rationale(id=t, text=t, verified=True, scores={PREFERENCE: s}) for t, s in [("long", 0.5), ("so", 0.5)]]
    assert PreferencePurifier().purify(Problem(question="?", answer="1"), drafts).rationales[0].text == "so"
    with pytest.raises(InputError, match="items 0"):
        PreferencePurifier(items=0)


def test_the_textbook_writes_each_draft_in_another_grain() -> None:
    problem = Problem(question="What is 51 - 26?", answer="25")
    texts = [TextbookTeacher(grain="direct").teach(TeachingRequest(problem=problem, draft=n)) for n in range(4)]
    assert len(set(texts[:3])) == 3 and texts[3] == texts[0] == "51 - 26 = 25. Answer: 25"
