"""A student's lineage is the line of students it was made from, not every accepted cycle."""

from tutelage.lineage import best_student, lineage
from tutelage.schema import BASE, CycleReport, Split, Verdict


def report(cycle: int, parent: str, verdict: Verdict = Verdict.ACCEPTED) -> CycleReport:
    return CycleReport(cycle=cycle, student=f"c{cycle}", parent=parent, accuracy={}, n={}, verdict=verdict, why="")


def test_a_cycle_that_was_rolled_back_past_is_nobody_s() -> None:
    base = report(0, BASE, Verdict.BASELINE).model_copy(update={"student": BASE})
    reports = [base, report(1, BASE), report(2, "c1"), report(3, "c2", Verdict.ROLLED_BACK), report(4, "c1")]
    assert [r.cycle for r in lineage(reports, "c4")] == [1, 4]
    assert [r.cycle for r in lineage(reports, "c2")] == [1, 2]
    assert lineage(reports, "c3") == lineage(reports, BASE) == []


def test_the_best_student_is_the_first_accepted_one_with_the_highest_gate() -> None:
    def at(gate: float, of: CycleReport) -> CycleReport:
        return of.model_copy(update={"accuracy": {Split.GATE: gate}})

    base = at(0.5, report(0, BASE, Verdict.BASELINE))
    assert best_student([base, at(0.5, report(1, BASE)), at(0.9, report(2, "c1", Verdict.ROLLED_BACK))]) == BASE
    reports = [base, at(0.6, report(1, BASE)), at(0.6, report(2, "c1")), at(0.55, report(3, "c2"))]
    assert best_student(reports) == "c1"
