"""What rationales disagree in, and what the majority of them says."""

from __future__ import annotations

from pathlib import Path

import pytest

import tutelage
from tutelage import TeachingRequest
from tutelage.agents.purifiers.consensus import majority
from tutelage.agents.purifiers.learnability import LEARNABILITY
from tutelage.graphs.decide import conflict_of
from tutelage.rundir import RunDir
from tutelage.schema import Rationale, WrongStep
from tutelage.testing import FakeTeacher, fake_config


def rationale(id_: str, answer: str | None, *, wrong: bool = False, learnability: float | None = None) -> Rationale:
    step = WrongStep(kind="equation", start=0, end=1, expected="1", found="2") if wrong else None
    scores = {} if learnability is None else {LEARNABILITY: learnability}
    return Rationale(id=id_, text=id_, answer=answer, verified=True, wrong_step=step, scores=scores)


def test_the_majority_decides_and_then_the_student() -> None:
    some = [rationale("a", "7"), rationale("b", "8 "), rationale("c", "8")]
    assert majority(some).id == "b"
    assert majority([*some[:2], rationale("c", "8", learnability=-0.2)]).id == "c", "one that is not known comes last"
    assert majority([rationale("a", "2"), rationale("b", "0.5"), rationale("c", "1/2")]).id == "b"
    known = [rationale(i, "8", learnability=x) for i, x in (("d", -0.9), ("e", -0.2), ("f", -0.5))]
    assert majority([rationale("a", "7", learnability=-0.1), *known]).id == "e"


@pytest.mark.parametrize(
    ("some", "conflict"),
    [
        ([("a", "7", False), ("b", "8", False)], "answers"),
        ([("a", "0.5", False), ("b", " 1/2", False), ("c", "2 / 4", False)], None),
        ([("a", "Red", False), ("b", "red ", False)], None),
        ([("a", "3-1", False), ("b", "2", False)], "answers"),
        ([("a", "7", False), ("b", "7", True)], "steps"),
        ([("a", "7", True), ("b", "7", True)], None),
        ([("a", "7", False), ("b", None, False)], None),
        ([], None),
    ],
)
def test_what_rationales_disagree_in(some: list[tuple[str, str | None, bool]], conflict: str | None) -> None:
    assert conflict_of([rationale(i, answer, wrong=wrong) for i, answer, wrong in some]) == conflict


class Lost(FakeTeacher):
    """Is wrong, each in its own way."""

    def teach(self, request: TeachingRequest) -> str:
        return f"It is hard to say. Answer: -{len(self.name)}"


@pytest.mark.parametrize("right", [True, False])
def test_a_conflict_is_told_also_where_there_is_no_choice(tmp_path: Path, right: bool) -> None:
    teachers = [FakeTeacher() if right else Lost("lost too"), Lost("lost")]
    result = tutelage.run(
        {**fake_config(stop={"cycles": 1}), "teach": {"max_revisions": 0}, "exam": {"due": None}},
        teachers=teachers,
        run_dir=tmp_path / "run",
    )
    decisions = RunDir(result.path).decisions(1)
    planned = [one.problem_id for one in RunDir(result.path).plan(1).assignments]  # type: ignore[union-attr]
    assert [one.problem_id for one in decisions] == planned
    assert {(len(d.candidates), len(d.chosen), d.conflict) for d in decisions} == {(right, right, "answers")}
    (event,) = [e for e in result.trace(planned[0])["events"] if e["kind"] == "purification"]
    assert event["text"] == f"{right:d} of {right:d} verified rationales taught; the teachers' answers differ"
