"""What became of edits: reliability, generalisation, locality and portability, from what was said before and after.

The names and what they are asked of are those of the field (EasyEdit, arXiv 2308.07269). All answers are free
generations, nothing is teacher-forced. Locality is agreement with the student's own answer before the edits, as in
EtCon (arXiv 2512.04753); there a judge model compares, here `same_answer`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from statistics import fmean

from ...schema import Grade, Problem
from ...schema.record import Record, Unit
from .fact import TRUTH_UNKNOWN, Kind
from .matching import said, same_answer, same_text, stated


class Measure(Record):
    """A share of right answers: the mean over facts of the share within each fact."""

    value: Unit | None = None
    """None if nothing was asked."""
    facts: int = 0
    questions: int = 0


class EditMeasures(Record):
    """The four measures, and what locality hides."""

    reliability: Measure = Measure()
    """Edit prompts answered with the new answer."""
    generalisation: Measure = Measure()
    """Paraphrases answered with the new answer."""
    locality: Measure = Measure()
    """Unrelated questions answered as before the edits, or truly both times, in whatever words."""
    portability: Measure = Measure()
    """Questions over two facts answered rightly."""
    locality_exact: Measure = Measure()
    """Unrelated questions answered word for word as before: stricter than `locality`, which overlooks form."""
    unrelated_accuracy: Measure = Measure()
    """Unrelated questions answered truly, where a true answer is known: a student may keep saying what is wrong."""
    knowledge_kept: Measure = Measure()
    """Of the unrelated questions that were answered truly before, those that still are."""


def grade_fact(problem: Problem, text: str) -> Grade:
    """Grade an answer to a question about a fact; see `stated`."""
    aliases = problem.metadata.get("aliases", ())
    found = stated(text, (problem.answer, *map(str, aliases)), problem.metadata.get("old"))
    if found is not None:
        return Grade(found, 1.0)
    read = said(text)
    return Grade(read.text if read else None, 0.0)


def measure(asked: Iterable[Problem], before: Mapping[str, str], after: Mapping[str, str]) -> EditMeasures:
    """Measure edits.

    Args:
        asked: Problems with `kind` and `fact` in their metadata, as `FactsTask` has them.
        before: What the unedited student said, by problem id; only unrelated questions need it.
        after: What the edited student said, by problem id. Problems without an answer are left out.
    """
    every = [problem for problem in asked if problem.id in after]
    of_kind = {kind: [problem for problem in every if problem.metadata["kind"] == kind] for kind in Kind}
    kept = [problem for problem in of_kind[Kind.UNRELATED] if problem.id in before]
    true = [problem for problem in of_kind[Kind.UNRELATED] if problem.answer != TRUTH_UNKNOWN]

    def right(problem: Problem, texts: Mapping[str, str] = after) -> bool:
        return grade_fact(problem, texts[problem.id]).score == 1.0

    def same(problem: Problem) -> bool:
        both_true = right(problem) and right(problem, before)
        return both_true or same_answer(problem.question, before[problem.id], after[problem.id])

    return EditMeasures(
        reliability=_mean(of_kind[Kind.EDIT], right),
        generalisation=_mean(of_kind[Kind.PARAPHRASE], right),
        locality=_mean(kept, same),
        portability=_mean(of_kind[Kind.HOP], right),
        locality_exact=_mean(kept, lambda problem: same_text(before[problem.id], after[problem.id])),
        unrelated_accuracy=_mean(true, right),
        knowledge_kept=_mean([problem for problem in true if problem.id in before and right(problem, before)], right),
    )


def _mean(problems: list[Problem], holds: Callable[[Problem], bool]) -> Measure:
    marks: defaultdict[str, list[bool]] = defaultdict(list)
    for problem in problems:
        marks[str(problem.metadata["fact"])].append(holds(problem))
    if not marks:
        return Measure()
    return Measure(value=fmean(map(fmean, marks.values())), facts=len(marks), questions=len(problems))
