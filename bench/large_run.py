"""A large run directory that nobody ran: made up, to see whether what reads runs is quick enough."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from tutelage import jsonl
from tutelage.config import RunConfig
from tutelage.configfile import dump_config
from tutelage.rundir import RunDir
from tutelage.schema import (
    SCHEMA_VERSION,
    Assignment,
    Attempt,
    Cost,
    CycleReport,
    Decision,
    Diagnosis,
    Lesson,
    LessonCounts,
    LessonPlan,
    Mastery,
    Problem,
    Rationale,
    Split,
    TrainingReport,
    Verdict,
    Weakness,
)

SKILLS = tuple(f"skill {number}" for number in range(40))
NODES = ("examine", "diagnose", "plan", "teach", "purify", "consolidate", "evaluate")
TEACHERS = ("careful", "terse", "hasty")
SHARES = {Split.TRAIN: 0.6, Split.PROBE: 0.2, Split.GATE: 0.1, Split.TEST: 0.1}
TAUGHT = 0.2
"""Share of the train problems that a cycle teaches."""
WORDS = (
    "so that",
    "the sum",
    "of both",
    "parts",
    "is",
    "carried",
    "over to",
    "the next place",
    "and then",
    "taken away",
)


def write_large_run(
    path: Path, problems: int = 10_000, cycles: int = 5, events: int = 200_000, seed: int = 0
) -> RunDir:
    """Write a run of so many problems, cycles and events, with two revisions of three teachers for what is taught."""
    draw, rundir = random.Random(seed), RunDir(path)
    jsonl.write_atomic(rundir.config, dump_config(_config()))
    made = [_problem(number, draw) for number in range(problems)]
    by_split = _cut(made)
    rundir.write_problems(by_split)
    for cycle in range(cycles + 1):
        _write_cycle(rundir, cycle, by_split, draw)
    each = events // (cycles + 1)
    jsonl.append(rundir.events, (_event(number, each) for number in range(events)))
    student = {"base": "tiny", "best": f"checkpoints/cycle-{cycles:03d}", "best_cycle": cycles}
    test = {"base": 0.1, "best": 0.6, "n": len(by_split[Split.TEST])}
    rundir.write_result({"stop_reason": f"cycles: {cycles} done", "student": student, "test": test})
    return rundir


def _event(number: int, each: int) -> dict[str, Any]:
    """Return an event: the nodes of a cycle begin and end, and there is progress between."""
    place, cycle = number % each, number // each
    told: dict[str, Any] = {"kind": "progress", "done": place, "total": each}
    if place < 2 * len(NODES):
        told = {"kind": "finished", "seconds": 1.5} if place % 2 else {"kind": "started"}
    node = NODES[min(place // 2, len(NODES) - 1)]
    return {"schema": SCHEMA_VERSION, "time": 1.7e9 + number, "node": node, "cycle": cycle, **told}


def _config() -> RunConfig:
    part = {"name": "tutelage.testing:FakeTask"}
    return RunConfig.model_validate(
        {"name": "large", "student": {"model": "tiny"}, "task": part, "teachers": [{"name": "textbook"}]}
    )


def _problem(number: int, draw: random.Random) -> Problem:
    first, second = draw.randint(10, 999), draw.randint(10, 999)
    return Problem(
        question=f"{number}: what is {first} + {second}?",
        answer=str(first + second),
        skills=(SKILLS[number % len(SKILLS)],),
    )


def _cut(problems: list[Problem]) -> dict[Split, list[Problem]]:
    found, start = {}, 0
    for split, share in SHARES.items():
        end = start + round(share * len(problems))
        found[split], start = problems[start:end], end
    return found


def _text(draw: random.Random, answer: str) -> str:
    return " ".join(draw.choices(WORDS, k=60)) + f".\nAnswer: {answer}"


def _write_cycle(rundir: RunDir, cycle: int, by_split: dict[Split, list[Problem]], draw: random.Random) -> None:
    share = 0.1 + 0.1 * cycle
    asked = [(split, problem) for split, some in by_split.items() for problem in some]
    rundir.add_attempts(cycle, [_attempt(problem, split, cycle, share, draw) for split, problem in asked])
    weaknesses = tuple(Weakness(name=name, pass_rate=share, support=50, severity=0.5) for name in SKILLS[:10])
    lessons: list[Lesson] = []
    if cycle:
        train = by_split[Split.TRAIN]
        taught = draw.sample(train, round(TAUGHT * len(train)))
        written = {problem.id: _rationales(problem, cycle, draw) for problem in taught}
        lessons = [_lesson(problem, written[problem.id], cycle) for problem in taught]
        rundir.add_rationales(cycle, (one for some in written.values() for one in some))
        rundir.write_decisions(cycle, (_decision(id_, some, cycle, draw) for id_, some in written.items()))
        rundir.write_lessons(cycle, lessons)
        mastery = tuple(Mastery(skill=name, alpha=share * 50, beta=(1 - share) * 50) for name in SKILLS)
        told = {"student": _student(cycle - 1), "accuracy": share, "weaknesses": weaknesses, "mastery": mastery}
        rundir.write_diagnosis(Diagnosis(cycle=cycle, **told))
        assignments = (Assignment(problem_id=one.id, teachers=TEACHERS, weakness=one.skills[0]) for one in taught)
        rundir.write_plan(LessonPlan(cycle=cycle, assignments=tuple(assignments)))
    rundir.write_report(_report(cycle, share, by_split, weaknesses, len(lessons)))


def _student(cycle: int) -> str:
    return f"checkpoints/cycle-{cycle:03d}" if cycle else "base"


def _report(
    cycle: int, share: float, by_split: dict[Split, list[Problem]], weaknesses: tuple[Weakness, ...], lessons: int
) -> CycleReport:
    return CycleReport(
        cycle=cycle,
        student=_student(cycle),
        parent=_student(max(0, cycle - 1)),
        accuracy={split: share for split in by_split if split is not Split.TRAIN},
        n={split: len(some) for split, some in by_split.items() if split is not Split.TRAIN},
        weaknesses=weaknesses,
        lessons=LessonCounts(taught=lessons, from_teachers=lessons, rejected={"wrong answer": lessons}),
        training=(TrainingReport(stage="sft", steps=100, tokens=90_000, loss=0.5, seconds=60.0),) if cycle else (),
        verdict=Verdict.ACCEPTED if cycle else Verdict.BASELINE,
        why="made up",
        cost=Cost(calls=3 * lessons, tokens_in=300 * lessons, tokens_out=300 * lessons, usd=0.01 * lessons),
        seconds={"teach": 60.0, "consolidate": 60.0, "evaluate": 30.0},
    )


def _attempt(problem: Problem, split: Split, cycle: int, share: float, draw: random.Random) -> Attempt:
    right = draw.random() < share
    answer = problem.answer if right else str(draw.randint(10, 999))
    return Attempt(
        id=f"a{cycle}-{problem.id}",
        problem_id=problem.id,
        split=split,
        cycle=cycle,
        student=_student(cycle),
        text=_text(draw, answer),
        answer=answer,
        score=float(right),
        correct=right,
        logprob=-draw.random(),
        tokens=80,
        finish_reason="stop",
    )


def _rationales(problem: Problem, cycle: int, draw: random.Random) -> list[Rationale]:
    """Return what every teacher writes: a draft that is turned away half of the time, and then written again."""
    return [one for teacher in TEACHERS for one in _revisions(problem, teacher, cycle, draw)]


def _revisions(problem: Problem, teacher: str, cycle: int, draw: random.Random) -> list[Rationale]:
    right = draw.random() < 0.5
    answer = problem.answer if right else "1"
    shared = {"problem_id": problem.id, "teacher": teacher, "cycle": cycle}
    name = f"r{cycle}-{teacher}-{problem.id}"
    told = {"verified": right, "rejected": None if right else "wrong answer", "critique": "why?"}
    draft = Rationale(id=f"{name}-0", text=_text(draw, answer), answer=answer, **told, **shared)
    if right:
        return [draft]
    text = " ".join([*draft.text.split()[:40], _text(draw, problem.answer)])
    told = {"answer": problem.answer, "verified": True, "revision": 1, "parent_id": draft.id}
    return [draft, Rationale(id=f"{name}-1", text=text, **told, **shared)]


def _lesson(problem: Problem, written: list[Rationale], cycle: int) -> Lesson:
    first, *others = (one for one in written if one.verified)
    return Lesson(
        problem_id=problem.id,
        cycle=cycle,
        question=problem.question,
        text=first.text,
        origin=first.teacher,
        rationale_id=first.id,
        chosen_over=tuple(one.id for one in others),
    )


def _decision(problem_id: str, written: list[Rationale], cycle: int, draw: random.Random) -> Decision:
    ids = tuple(one.id for one in written if one.verified)
    scores = {name: round(draw.random(), 3) for name in ids}
    return Decision(
        problem_id=problem_id, cycle=cycle, purifier="consensus", candidates=ids, scores=scores, chosen=ids[:1]
    )
