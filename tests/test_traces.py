"""Problems are listed by what happened to them; what a cycle cost the student is told with what may have done it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tutelage import jsonl
from tutelage.errors import InputError
from tutelage.rundir import RunDir
from tutelage.schema import (
    Assignment,
    Attempt,
    CycleReport,
    Diagnosis,
    Lesson,
    LessonPlan,
    Problem,
    Rationale,
    Skill,
    Split,
    Verdict,
    Weakness,
    WrongStep,
)
from tutelage.traces import Page, Wanted, choose, listing, span, trace

Run = Callable[..., tuple[int, str, str]]
EVIL = "\x1b[31m[bold]<script>alert(1)</script>"
PROBLEMS = {
    "kept": Problem(id="kept", question="1 + 1?", answer="2", skills=("sums",)),
    "lost": Problem(id="lost", question="7 - 9?", answer="-2", skills=("below zero",)),
    "won": Problem(id="won", question="8 + 5?", answer="13", skills=("carries",)),
    "taught": Problem(id="taught", question="3 - 8?", answer="-5", skills=("below zero",)),
    "other": Problem(id="other", question="9 + 9?", answer="18", skills=("carries",)),
}
STUDENTS = ["base", "checkpoints/cycle-001", "checkpoints/cycle-002"]
RIGHT = {"kept": [1, 1, 1], "lost": [0, 1, 0], "won": [0, 0, 1]}


def attempt(problem: str, cycle: int, right: bool, sample: int = 0) -> Attempt:
    text = "so it is right" if right else "7 - 9: the sign goes away, 9 - 7 = 2"
    return Attempt(
        id=f"{problem}-{cycle}-{sample}",
        problem_id=problem,
        split=Split.GATE,
        cycle=cycle,
        student=STUDENTS[cycle],
        sample=sample,
        text=text,
        answer="2",
        score=float(right),
        correct=right,
        logprob=-0.1,
        tokens=9,
        finish_reason="stop",
    )


def lesson(problem: str, text: str, teacher: str) -> Lesson:
    return Lesson(
        problem_id=problem,
        cycle=2,
        question=PROBLEMS[problem].question,
        text=text,
        origin=teacher,
        rationale_id=f"r-{problem}",
    )


@pytest.fixture
def rundir(tmp_path: Path) -> RunDir:
    """Return a run in which cycle 2 lost one problem and won another."""
    found = RunDir(tmp_path / "run")
    gate = [PROBLEMS[name] for name in RIGHT]
    found.write_problems({Split.TRAIN: [PROBLEMS["taught"], PROBLEMS["other"]], Split.GATE: gate})
    (found.path / "config.yaml").write_text("student: {model: tiny}\n")
    for cycle, student in enumerate(STUDENTS):
        found.add_attempts(cycle, [attempt(name, cycle, bool(right[cycle])) for name, right in RIGHT.items()])
        parent = STUDENTS[max(0, cycle - 1)]
        verdict = Verdict.ACCEPTED if cycle else Verdict.BASELINE
        told: Any = {"accuracy": {Split.GATE: 0.5}, "n": {Split.GATE: 3}, "verdict": verdict, "why": "x"}
        found.write_report(CycleReport(cycle=cycle, student=student, parent=parent, **told))
    texts = {"taught": "3 - 8: the sign goes away, 8 - 3 = 5", "other": "9 + 9 = 18"}
    found.write_lessons(2, [lesson("taught", texts["taught"], "hasty"), lesson("other", texts["other"], "careful")])
    shared: Any = {"cycle": 2, "verified": True}
    rationales = [
        Rationale(id="r-taught", problem_id="taught", teacher="hasty", text=texts["taught"], **shared),
        Rationale(id="r-other", problem_id="other", teacher="careful", text=texts["other"], **shared),
        Rationale(id="r-bad", problem_id="other", teacher=EVIL, text=EVIL, cycle=2, rejected="wrong answer"),
    ]
    found.add_rationales(2, rationales)
    weakness = Weakness(name="below zero", pass_rate=0.2, support=5, severity=0.4)
    found.write_diagnosis(Diagnosis(cycle=2, student=STUDENTS[1], accuracy=0.5, weaknesses=(weakness,), mastery=()))
    assigned = Assignment(problem_id="other", teachers=("careful",), weakness="slips")
    found.write_plan(LessonPlan(cycle=2, assignments=(assigned,)))
    return found


def ids(rundir: RunDir, **wanted: str) -> list[str]:
    return [row.id for row in choose(rundir, Wanted(**wanted))]


def test_what_a_cycle_changed_comes_with_what_fell_first(rundir: RunDir) -> None:
    assert ids(rundir, changed="2") == ids(rundir, changed="1:2") == ["lost", "won"]
    assert ids(rundir, changed="0:2") == ["won"]
    assert ids(rundir, changed="1") == ["lost"]  # it rose then
    assert span(rundir, "2") == (1, 2)
    told = listing(rundir, Wanted(changed="2"), choose(rundir, Wanted(changed="2")), Page())
    assert told["changed"] == {"before": 1, "after": 2, "fell": 1, "rose": 1}


def test_a_cycle_is_compared_with_the_student_that_it_began_with(rundir: RunDir) -> None:
    reports = rundir.reports()
    rundir.write_report(reports[2].model_copy(update={"parent": "base"}))  # cycle 1 was rolled back
    assert span(rundir, "2") == (0, 2)
    assert ids(rundir, changed="2") == ["won"]


def test_a_problem_answered_several_times_changes_by_its_share(rundir: RunDir) -> None:
    rundir.add_attempts(2, [attempt("kept", 2, False, sample=1)])
    row = next(row for row in choose(rundir, Wanted(changed="2")) if row.id == "kept")
    assert (row.right, row.moved(1, 2)) == ({0: 1.0, 1: 1.0, 2: 0.5}, -0.5)


def test_problems_are_chosen_by_weakness_teacher_verdict_split_and_text(rundir: RunDir) -> None:
    assert set(ids(rundir, weakness="below zero")) == {"taught", "lost"}
    assert ids(rundir, weakness="slips") == ["other"]  # taught for it, whatever its skills
    assert ids(rundir, teacher="hasty") == ["taught"]
    assert ids(rundir, verdict="verified") == ["taught", "other"]
    assert ids(rundir, verdict="rejected") == ids(rundir, verdict="wrong answer") == ["other"]
    assert ids(rundir, split="train") == ["taught", "other"]
    assert ids(rundir, text="8 +") == ["won"]
    assert ids(rundir, teacher="careful", split="gate") == []


def test_a_weakness_that_is_no_skill_has_the_problems_of_its_evidence(rundir: RunDir) -> None:
    found = rundir.diagnosis(2)
    assert found
    error = Weakness(name="no final answer", pass_rate=0.2, support=5, severity=0.4, evidence=("won-1-0", "gone"))
    rundir.write_diagnosis(found.model_copy(update={"weaknesses": (*found.weaknesses, error)}))
    assert ids(rundir, weakness="no final answer") == ["won"]


def test_a_weakness_has_all_the_problems_at_which_the_student_that_has_it_showed_it(rundir: RunDir) -> None:
    """Not only those few that a diagnosis names as evidence."""
    format_, borrow = "giving a final answer", "subtraction with borrow"
    step = WrongStep(kind="equation", start=0, end=1, expected="1", found="2", skill=borrow)
    lost, won, kept = (attempt(name, 1, False, sample=1) for name in ("lost", "won", "kept"))
    silent = {"answer": None, "text": "?"}
    others = [attempt("other", 0, False, sample=1), attempt("taught", 1, True, sample=1)]
    rundir.add_attempts(
        1,
        [
            *(one.model_copy(update=silent) for one in (lost, won, *others)),
            kept.model_copy(update={"wrong_step": step}),
        ],
    )
    found = rundir.diagnosis(2)  # of the student of cycle 1: the base student's silence and right answers are none
    assert found and found.student == STUDENTS[1]
    told: Any = {"pass_rate": 0.2, "support": 5, "severity": 0.4}
    weak = tuple(Weakness(name=name, **told) for name in (format_, borrow))
    rundir.write_diagnosis(found.model_copy(update={"weaknesses": weak}))
    assert set(ids(rundir, weakness=format_)) == {"lost", "won"}
    assert ids(rundir, weakness=borrow) == ["kept"]


def test_without_an_id_a_problem_is_told_that_was_wrong_and_then_right(rundir: RunDir) -> None:
    rundir.write_lessons(2, [lesson(name, "x", "hasty") for name in ("kept", "lost", "won")])
    rundir.add_attempts(2, [attempt("kept", 2, True, sample=n) for n in (1, 2)])
    rundir.add_attempts(2, [attempt("lost", 2, False, sample=n) for n in (1, 2, 3)])
    assert trace(rundir)["problem"]["id"] == "lost"  # won in cycle 1, and asked more often than `won`


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"weakness": "below"}, "--weakness below: none in this run; did you mean 'below zero'?"),
        ({"teacher": "nobody"}, "--teacher nobody: none in this run; known: "),
        ({"changed": "1:1"}, "--changed 1:1: begins and ends with the same student"),
        ({"verdict": "verifed"}, "--verdict verifed: none in this run; did you mean 'verified'?"),
        ({"split": "tset"}, "--split tset: none in this run; did you mean 'test'?"),
        ({"changed": "x"}, "--changed x: not a cycle, nor two; write 2, or 1:2"),
        ({"changed": "7"}, "--changed 7: cycle 7 made no student that was examined; known: 0, 1, 2"),
        ({"changed": "0:7"}, "--changed 0:7: cycle 7 made no student that was examined; known: 0, 1, 2"),
    ],
)
def test_what_the_run_does_not_have_is_named_with_what_it_has(
    rundir: RunDir, wanted: dict[str, str], told: str
) -> None:
    with pytest.raises(InputError) as caught:
        choose(rundir, Wanted(**wanted))
    assert str(caught.value).startswith(told)


def test_a_fall_is_told_with_the_lessons_most_like_the_wrong_answer(rundir: RunDir) -> None:
    events = trace(rundir, "lost")["events"]
    (fall,) = [event for event in events if event["kind"] == "fall"]
    assert (fall["cycle"], fall["agent"]) == (2, STUDENTS[2])
    assert fall["text"] == "right before this training, wrong after it"
    (suspect,) = fall["suspects"]  # the other lesson shares no skill
    assert suspect["problem_id"] == "taught" and suspect["rationale_id"] == "r-taught" and suspect["likeness"] > 0.9
    assert events[-1] == fall  # the cycle's own events come before
    for name in ("kept", "won"):
        assert "fall" not in {event["kind"] for event in trace(rundir, name)["events"]}


def test_kinds_that_were_discovered_stand_for_skills(rundir: RunDir) -> None:
    rundir.write_problems({Split.GATE: [one.model_copy(update={"skills": ()}) for one in PROBLEMS.values()]})
    kinds = [("below zero", ("lost", "taught")), ("carries", ("other",))]
    discovered = tuple(Skill(name=name, problem_ids=some) for name, some in kinds)
    found = rundir.diagnosis(2)
    assert found
    rundir.write_diagnosis(found.model_copy(update={"discovered": discovered}))
    (fall,) = [event for event in trace(rundir, "lost")["events"] if event["kind"] == "fall"]
    assert [(one["problem_id"], one["skills"]) for one in fall["suspects"]] == [("taught", ["below zero"])]


def test_where_no_lesson_shares_a_skill_all_are_looked_at(rundir: RunDir) -> None:
    rundir.add_attempts(2, [attempt("kept", 2, False, sample=1)])
    (fall,) = [event for event in trace(rundir, "kept")["events"] if event["kind"] == "fall"]
    assert [one["problem_id"] for one in fall["suspects"]] == ["taught", "other"]


def test_a_list_is_paged(rundir: RunDir, tutelage_cli: Run) -> None:
    code, out, _ = tutelage_cli("trace", rundir.path, "--split", "gate", "--limit", 2, "--page", 2, "--json")
    found = json.loads(out)
    assert (code, found["total"], found["page"], found["pages"]) == (0, 3, 2, 2)
    assert [row["id"] for row in found["problems"]] == ["won"]
    code, _, err = tutelage_cli("trace", rundir.path, "--split", "gate", "--page", 9)
    assert (code, err) == (2, "tutelage: --page 9: there are 1\n")
    code, _, err = tutelage_cli("trace", rundir.path, "--split", "gate", "--problem", "won")
    assert code == 2 and "give the one or the others" in err


def test_the_table_shows_a_sign_for_each_cycle_and_hostile_names_as_text(rundir: RunDir, tutelage_cli: Run) -> None:
    _, out, _ = tutelage_cli("trace", rundir.path, "--changed", "2")
    assert "from cycle 1 to 2: 1 fell and 1 rose" in " ".join(out.split())
    assert [line.split("│")[3].split() for line in out.splitlines() if line.startswith("│ lost")] == [["-", "+", "-"]]
    _, out, _ = tutelage_cli("trace", rundir.path, "--verdict", "rejected")
    assert "\x1b" not in out and "[bold]<script>" in out


def test_a_row_of_another_version_is_named(rundir: RunDir, tutelage_cli: Run) -> None:
    with rundir.file("attempts", 2).open("a") as file:
        file.write('{"schema": 2, "problem": "lost"}\n["lost"]\n')
    code, _, err = tutelage_cli("trace", rundir.path, "--problem", "lost")
    assert code == 1 and "attempts/cycle-002.jsonl: has schema 2" in err


def test_a_megabyte_and_escapes_are_text_in_the_terminal(rundir: RunDir, tutelage_cli: Run) -> None:
    shared: Any = {"problem_id": "taught", "cycle": 2, "verified": True}
    rundir.add_rationales(2, [Rationale(id="r-long", teacher=EVIL, text=EVIL + "x" * 1_000_000, **shared)])
    code, out, _ = tutelage_cli("trace", rundir.path, "--problem", "taught")
    assert code == 0 and "[31m[bold]<script>" in out and "\x1b" not in out
    assert len(out) < 20_000 and "more characters)" in out


def test_a_recalled_error_is_told_as_it_was_known_when_the_teacher_wrote(rundir: RunDir) -> None:
    rundir.memory.mkdir()
    rows = [{"kind": "error", "id": "e", "question": "7 - 9?"}]
    for cycle, fixed in ((1, False), (2, True)):  # written when the next student was examined
        rows.append({"kind": "outcome", "error_id": "e", "cycle": cycle, "fixed": fixed, "taught": f"in {cycle}"})
    jsonl.append(rundir.memory / "errors.jsonl", rows)
    told = {"teacher": "hasty", "text": "so", "conditioned_on": {"recalled": ("e",)}}
    for cycle in (2, 3):
        rundir.add_rationales(cycle, [Rationale(id=f"r{cycle}", problem_id="taught", cycle=cycle, **told)])
    events = [event for event in trace(rundir, "taught")["events"] if event["kind"] == "recall"]
    assert [(event["cycle"], event["taught"], event["fixed"]) for event in events] == [
        (2, "in 1", False),
        (3, "in 2", True),
    ]


def test_of_lessons_equally_like_those_with_the_same_numbers_come_first(rundir: RunDir) -> None:
    near = {name: f"{name}: the sign goes away, {name} = 2" for name in ("1 - 3", "5 - 6", "7 - 8", "9 - 7", "4 - 6")}
    problems = [Problem(id=name, question=name, answer="-2", skills=("below zero",)) for name in near]
    rundir.write_problems({Split.TRAIN: problems, Split.GATE: [PROBLEMS["lost"]]})
    rundir.write_lessons(
        2, [lesson("lost", text, "hasty").model_copy(update={"problem_id": name}) for name, text in near.items()]
    )
    (fall,) = [event for event in trace(rundir, "lost")["events"] if event["kind"] == "fall"]
    assert fall["suspects"][0]["problem_id"] == "9 - 7"  # the answer said 7 - 9, 9 - 7 = 2
    assert fall["text"].endswith("after it; 3 of 5 lessons that are as like this answer")


def test_a_lesson_of_a_cycle_that_was_rolled_back_is_told_as_undone(rundir: RunDir, tutelage_cli: Run) -> None:
    report = rundir.reports()[2]
    told = {"student": report.parent, "verdict": Verdict.ROLLED_BACK, "why": "2 lessons are fewer than 8"}
    rundir.write_report(report.model_copy(update=told))
    found = trace(rundir, "taught")
    assert (found["split"], [event["kind"] for event in found["events"]][-1]) == ("train", "rolled back")
    assert "rolled back" not in {event["kind"] for event in trace(rundir, "lost")["events"]}
    assert "cycle 2 rolled back: 2 lessons are fewer than 8" in tutelage_cli("show", rundir.path)[1]
