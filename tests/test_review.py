"""`review: true`: the run waits for a person before it trains, and teaches what the person decided."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage import InputError
from tutelage.export.node_spans import NodeSpans
from tutelage.graphs.lesson.judge import Judgement
from tutelage.graphs.text_check import objection
from tutelage.jsonl import read
from tutelage.report import write_report
from tutelage.reviewer import Reviewer
from tutelage.reviews import Proposal, read_proposals, under_review, write_reviews
from tutelage.rundir import RunDir
from tutelage.schema import TOO_LONG, Review, Verdict
from tutelage.seams import StageJob
from tutelage.testing import FakeStage, FakeTeacher, fake_config
from tutelage.traces.path import path_taken


def config(**overrides: Any) -> dict[str, Any]:
    return fake_config(review=True, **overrides)


@pytest.fixture(autouse=True)
def texts_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the training stage keep what it was given to train on."""
    run = FakeStage.run

    def keeping(self: FakeStage, job: StageJob) -> Any:
        report = run(self, job)
        (job.out / "texts.json").write_text(json.dumps([[one.problem_id, one.text] for one in job.lessons]))
        return report

    monkeypatch.setattr(FakeStage, "run", keeping)


def waiting(path: Path, **overrides: Any) -> RunDir:
    tutelage.run(config(**overrides), run_dir=path)
    return RunDir(path)


def proposals(rundir: RunDir) -> Sequence[Proposal]:
    found = under_review(rundir)
    assert found
    return found.proposals


def decide(rundir: RunDir, *reviews: Review) -> None:
    write_reviews(rundir, reviews[0].cycle, reviews)


def trained_on(rundir: RunDir, cycle: int = 1) -> dict[str, str]:
    rows = json.loads((rundir.checkpoints / f"cycle-{cycle:03d}" / "texts.json").read_text())
    return dict(rows)


def right(proposal: Proposal, words: str = "I add") -> str:
    question = proposal.lesson.question.removeprefix("What is ").removesuffix("?")
    return f"{words}: {question} = {proposal.lesson.answer}. Answer: {proposal.lesson.answer}"


ann = Reviewer("ann")


def test_each_cycle_waits_and_teaches_what_was_decided(tmp_path: Path) -> None:
    rundir = waiting(tmp_path / "run")
    result = tutelage.Result(rundir.path)
    assert result.summary["status"] == "waiting for review"
    assert result.summary["review"] == {"cycle": 1, "lessons": 16, "left": 16}
    assert not rundir.checkpoints.exists() and not rundir.lessons(1)
    edited, rejected, *rest = proposals(rundir)
    decide(rundir, ann.edit(edited, right(edited)), ann.reject(rejected, "too terse"))
    again = tutelage.resume(rundir.path)
    assert again.summary["review"]["left"] == 14 and again.summary["status"] == "waiting for review"
    done = tutelage.resume(rundir.path, accept_rest="bob")
    taught = trained_on(rundir)
    assert taught[edited.lesson.problem_id] == right(edited)
    assert rejected.lesson.problem_id not in taught and len(taught) == 15
    assert {taught[one.lesson.problem_id] for one in rest} == {one.lesson.text for one in rest}
    by_id = {lesson.problem_id: lesson for lesson in done.lessons(1)}
    assert by_id[edited.lesson.problem_id].origin == "reviewer ann"
    assert by_id[edited.lesson.problem_id].chosen_over == (edited.id,)
    assert done.reports[1].lessons.by_hand == {"accepted": 14, "edited": 1, "rejected": 1}
    assert done.reports[1].lessons.rejected == {"by hand": 1}
    assert (done.summary["status"], done.summary["review"]["cycle"]) == ("waiting for review", 2)
    ended = tutelage.resume(rundir.path, accept_rest="bob")
    assert ended.summary["status"] == "finished" and "review" not in ended.summary
    assert [report.verdict for report in ended.reports[1:]] == [Verdict.ACCEPTED] * 2


def test_a_node_that_waits_is_no_failure(tmp_path: Path) -> None:
    rundir = waiting(tmp_path / "run", stop={"cycles": 1})
    tutelage.resume(rundir.path, accept_rest="bob")
    visits = [(visit.node, visit.state) for visit in path_taken(rundir)]
    assert [state for node, state in visits if node == "review"] == ["waiting", "done"]
    spans = NodeSpans({}, content=False).read(list(read(rundir.events)))
    assert [span.failure for span in spans if span.name == "review"] == [None, None]


def test_without_review_the_graph_has_no_such_node(tmp_path: Path) -> None:
    result = tutelage.run(fake_config(stop={"cycles": 1}), run_dir=tmp_path / "run")
    kinds = {(row.get("kind"), row.get("node")) for row in read(result.path / "events.jsonl")}
    assert ("finished", "purify") in kinds and not any(node == "review" for _, node in kinds)
    assert not {"proposals", "reviews"} & {path.name for path in result.path.iterdir()}
    assert result.reports[1].lessons.by_hand == {}


def test_agents_are_told_the_truth(tmp_path: Path) -> None:
    teacher = FakeTeacher()
    tutelage.run(config(planner="tutelage.testing:FakePlanner"), teachers=[teacher], run_dir=tmp_path / "run")
    rundir = RunDir(tmp_path / "run")
    edited, rejected, *_ = proposals(rundir)
    decide(rundir, ann.edit(edited, right(edited)), ann.reject(rejected, "skips the carry"))
    tutelage.resume(rundir.path, teachers=[teacher], accept_rest="bob")
    ids = {one.id: one for one in rundir.rationales(1)}
    assert (ids[rejected.id].verified, ids[rejected.id].rejected) == (False, "by hand")
    assert ids[edited.id].verified
    own = next(one for one in ids.values() if one.teacher == "reviewer ann")
    assert (own.text, own.answer, own.verified, own.parent_id) == (
        right(edited), edited.lesson.answer, True, edited.id
    )  # fmt: skip
    outcomes = [row for row in read(rundir.memory / "errors.jsonl") if row["kind"] == "outcome"]
    taught = {row["rationale_id"]: row["taught"] for row in outcomes}
    assert taught[own.id] == right(edited)
    assert not {edited.id, rejected.id} & set(taught)
    again = [r for r in teacher.asked if r.cycle == 2 and r.problem.id == rejected.lesson.problem_id]
    assert again and again[0].earlier[0].rejected == "by hand: skips the carry"


def test_of_several_reviews_the_last_one_counts(tmp_path: Path) -> None:
    rundir = waiting(tmp_path / "run", stop={"cycles": 1})
    first, second, *_ = proposals(rundir)
    decide(rundir, ann.reject(first, "no"), ann.edit(second, right(second, "One")))
    decide(rundir, ann.accept(first), ann.edit(second, right(second, "Two")))
    tutelage.resume(rundir.path, accept_rest="bob")
    taught = trained_on(rundir)
    assert taught[first.lesson.problem_id] == first.lesson.text
    assert taught[second.lesson.problem_id] == right(second, "Two")
    assert len(rundir.reviews(1)) == 4 + 14


def test_several_lessons_of_a_problem_are_reviewed_one_by_one(tmp_path: Path) -> None:
    teachers = [{"name": "tutelage.testing:FakeTeacher", "options": {"name": n, "preface": f"{n}: "}} for n in "xy"]
    rundir = waiting(tmp_path / "run", teachers=teachers, purifier="all", plan={"lessons": 8}, stop={"cycles": 1})
    x, y, *_ = proposals(rundir)
    assert x.lesson.problem_id == y.lesson.problem_id and x.lesson.weight == 0.5
    decide(rundir, ann.reject(x, "no"))
    tutelage.resume(rundir.path, accept_rest="bob")
    (left,) = rundir.lessons(1, x.lesson.problem_id)
    assert (left.rationale_id, left.weight) == (y.id, 1.0)
    assert sum(lesson.weight for lesson in rundir.lessons(1)) == pytest.approx(8)


def test_another_rationale_takes_the_place(tmp_path: Path) -> None:
    teachers = [{"name": "tutelage.testing:FakeTeacher", "options": {"name": n, "preface": f"{n}: "}} for n in "xy"]
    rundir = waiting(tmp_path / "run", teachers=teachers, stop={"cycles": 1})
    one = proposals(rundir)[0]
    known = {r.id: r for r in rundir.rationales(1)}
    other = known[one.lesson.chosen_over[0]]
    with pytest.raises(InputError, match="chosen over"):
        ann.replace(one, known[one.id])
    decide(rundir, ann.replace(one, other))
    tutelage.resume(rundir.path, accept_rest="bob")
    (lesson,) = rundir.lessons(1, one.lesson.problem_id)
    assert (lesson.text, lesson.origin, lesson.rationale_id) == (other.text, "y", other.id)
    assert lesson.chosen_over == (one.id,)
    assert tutelage.Result(rundir.path).reports[1].lessons.by_hand == {"accepted": 15, "replaced": 1}


def test_all_rejected_is_rolled_back_with_the_reason(tmp_path: Path) -> None:
    rundir = waiting(tmp_path / "run", stop={"cycles": 1})
    decide(rundir, *(ann.reject(one, "no") for one in proposals(rundir)))
    report = tutelage.resume(rundir.path).reports[1]
    assert report.verdict is Verdict.ROLLED_BACK
    assert "0 lessons are fewer" in report.why and "by hand 16" in report.why


def test_a_review_can_be_switched_off(tmp_path: Path) -> None:
    rundir = waiting(tmp_path / "run")
    first = proposals(rundir)[0]
    decide(rundir, ann.reject(first, "no"))
    result = tutelage.resume(rundir.path, overrides=["review=false"])
    assert result.summary["status"] == "finished"
    assert result.reports[1].lessons.by_hand == {"rejected": 1}
    assert first.lesson.problem_id not in trained_on(rundir) and len(trained_on(rundir)) == 15


def test_no_review_once_the_run_has_gone_on(tmp_path: Path) -> None:
    rundir = waiting(tmp_path / "run")
    late = ann.accept(proposals(rundir)[0])
    tutelage.resume(rundir.path, accept_rest="bob")
    with pytest.raises(InputError, match="has gone on"):
        decide(rundir, late)
    tutelage.resume(rundir.path, accept_rest="bob")
    with pytest.raises(InputError, match="the run is finished"):
        decide(rundir, late)


def test_the_trace_names_the_author(tmp_path: Path) -> None:
    rundir = waiting(tmp_path / "run", stop={"cycles": 1})
    edited, rejected, third, *_ = proposals(rundir)
    result = tutelage.Result(rundir.path)
    kinds = [event["kind"] for event in result.trace(third.lesson.problem_id)["events"]]
    assert "proposal" in kinds and "lesson" not in kinds
    decide(rundir, ann.edit(edited, right(edited), "wrong step"), ann.reject(rejected, "too terse"))
    tutelage.resume(rundir.path, accept_rest="bob")
    found = [event for event in result.trace(edited.lesson.problem_id)["events"] if event["cycle"] == 1]
    review = next(event for event in found if event["kind"] == "review")
    assert (review["agent"], review["verdict"]) == ("ann", "edited")
    assert (review["before"], review["after"]) == (edited.lesson.text, right(edited))
    assert review["objection"] == "wrong step" and review["time"]
    kinds = [event["kind"] for event in found]
    assert kinds.index("review") < kinds.index("lesson") and kinds.count("draft") == 1 and "proposal" not in kinds
    gone = [event["text"] for event in result.trace(rejected.lesson.problem_id)["events"] if event["kind"] == "review"]
    assert gone == ["rejected: too terse"]
    assert read_proposals(rundir, 1)[2].review == rundir.reviews(1)[-14]


def test_a_text_that_is_too_long_is_told_the_limit() -> None:
    told = objection(Judgement(TOO_LONG), 48)
    assert told == "too long: an answer of the student ends at 48 tokens (student.max_new_tokens)"


def test_the_page_says_how_many_lessons_wait(tmp_path: Path) -> None:
    rundir = waiting(tmp_path / "run")
    for left in (16, 15):
        write_report(rundir, tmp_path / "page.html")
        told = f"<b>waiting for review</b>: {left} of 16 lessons of cycle 1 are not reviewed</p>"
        assert told in (tmp_path / "page.html").read_text()
        decide(rundir, ann.reject(proposals(rundir)[0], "too terse"))


def test_a_teacher_named_like_a_reviewer_keeps_its_drafts(tmp_path: Path) -> None:
    rundir = RunDir(tmp_path / "run")
    tutelage.run(config(stop={"cycles": 1}), teachers=[FakeTeacher("reviewer ann")], run_dir=rundir.path)
    edited, accepted, *_ = proposals(rundir)
    decide(rundir, ann.edit(edited, right(edited)), ann.accept(accepted))
    tutelage.resume(rundir.path, teachers=[FakeTeacher("reviewer ann")], accept_rest="ann")
    for one in (edited, accepted):
        events = tutelage.Result(rundir.path).trace(one.lesson.problem_id)["events"]
        (draft,) = [event for event in events if event["kind"] == "draft"]
        assert (draft["agent"], draft["text"]) == ("reviewer ann", one.lesson.text)
