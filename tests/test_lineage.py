"""A student's lineage is the line of students it was made from, not every accepted cycle."""

from tutelage.graphs.lineage import lineage
from tutelage.schema import BASE, CycleReport, Verdict


def report(cycle: int, parent: str, verdict: Verdict = Verdict.ACCEPTED) -> CycleReport:
    return CycleReport(cycle=cycle, student=f"c{cycle}", parent=parent, accuracy={}, n={}, verdict=verdict, why="")


def test_a_cycle_that_was_rolled_back_past_is_nobody_s() -> None:
    base = report(0, BASE, Verdict.BASELINE).model_copy(update={"student": BASE})
    reports = [base, report(1, BASE), report(2, "c1"), report(3, "c2", Verdict.ROLLED_BACK), report(4, "c1")]
    assert [r.cycle for r in lineage(reports, "c4")] == [1, 4]
    assert [r.cycle for r in lineage(reports, "c2")] == [1, 2]
    assert lineage(reports, "c3") == lineage(reports, BASE) == []
