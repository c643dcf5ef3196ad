"""Draw fresh problems to test weaknesses on: what the task generates, what it holds out, what nobody has used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from ..agents.confirmation import KINDS
from ..agents.diagnostician import WRONG_ANSWERS
from ..errors import RunError, blamed
from ..hashing import content_hash
from ..lineage import lineage
from ..schema import BASE, Diagnosis, FreshProblem, Problem, Split, Weakness
from ..tagging import tagged
from .context import RunContext

Drawn = tuple[Problem, Split]


def draw_fresh(context: RunContext, diagnosis: Diagnosis, weaknesses: Sequence[Weakness]) -> list[FreshProblem]:
    """Draw `exam.confirm` problems for each weakness, as far as there are so many.

    What is drawn for one weakness is a test of every other that it needs. Error patterns come first: they are tested
    on problems of any kind, not on those of a weak skill. Nothing of the gate or test split is drawn, nor what this
    student or those it came from were asked or taught; but what is held out for this (`check`) is used again, last of
    all, where nothing else is left.

    Raises:
        RunError: If the task's `fresh` fails, in one line.
    """
    pool = _Pool(context, diagnosis)
    drawn: list[tuple[Drawn, list[str]]] = []
    for weakness in sorted(weaknesses, key=lambda one: one.name not in KINDS):
        tests = [names for (problem, _), names in drawn if is_test(problem, weakness.name)]
        for names in tests:
            names.append(weakness.name)
        more = max(0, context.config.exam.confirm - len(tests))
        drawn += [(one, [weakness.name]) for one in islice(pool.draw(weakness.name, more), more)]
    return [
        FreshProblem(problem=problem, split=split, student=diagnosis.student, weaknesses=tuple(names))
        for (problem, split), names in drawn
    ]


def is_test(problem: Problem, weakness: str) -> bool:
    """Whether a problem is of the kind that a weakness is about."""
    if weakness == WRONG_ANSWERS:
        return not problem.skills
    return weakness in KINDS or weakness in problem.skills


def known_to(context: RunContext, student: str, cycle: int) -> set[str]:
    """Return the ids of the problems that a student and those it came from were asked or taught."""
    line = lineage(context.rundir.reports(), student)
    names = {BASE, student, *(report.student for report in line)}
    asked = {a.problem_id for c in range(cycle + 1) for a in context.rundir.attempts(c) if a.student in names}
    return asked | {lesson.problem_id for report in line for lesson in context.rundir.lessons(report.cycle)}


class _Pool:
    """Where fresh problems come from; each is drawn once."""

    def __init__(self, context: RunContext, diagnosis: Diagnosis) -> None:
        cycle, found = diagnosis.cycle, diagnosis.discovered
        before = [one.problem for c in range(1, cycle) for one in context.rundir.fresh(c) or ()]
        every = [problem for some in context.problems.values() for problem in some]
        known = known_to(context, diagnosis.student, cycle)
        train = [problem for problem in context.problems[Split.TRAIN] if problem.id not in known]
        self._context = context
        self._seed = context.config.seed * 1000 + cycle
        self._tags = {tag for problem in every for tag in problem.skills}
        self._ids = {problem.id for problem in (*every, *before)}
        self._questions = {problem.question for problem in (*every, *before)}
        held = [(one, Split.CHECK) for one in tagged(context.problems.get(Split.CHECK, ()), found)]
        self._held = [one for one in held if one[0].id not in known]
        self._unused = [(one, Split.TRAIN) for one in tagged(train, found)]
        self._reused = [one for one in held if one[0].id in known]

    def draw(self, weakness: str, count: int) -> Iterator[Drawn]:
        """Yield problems for a weakness: at most `count` that the task makes, then what nobody of this line was asked.

        Last comes what is held out and was asked before.
        """
        if count:
            yield from self._made(weakness, count)
        for some in (self._held, self._unused, self._reused):
            order = sorted(some, key=lambda one: content_hash(self._seed, weakness, one[0].id))
            for one in order:
                if is_test(one[0], weakness):
                    some.remove(one)
                    yield one

    def _made(self, weakness: str, count: int) -> Iterator[Drawn]:
        make = getattr(self._context.task, "fresh", None)
        any_kind = weakness in KINDS or weakness == WRONG_ANSWERS
        if make is None or not (any_kind or weakness in self._tags):
            return  # a name of the diagnostician's own says nothing to the task
        seed = int(content_hash(self._seed, weakness, length=8), 16)
        try:
            made = list(make(None if any_kind else weakness, count, seed, frozenset(self._questions)))
            for problem in made:
                if not isinstance(problem, Problem):
                    raise RunError(f"returned a {type(problem).__name__}; return a list of problems")
        except Exception as error:  # of somebody's plug-in
            raise blamed(f"task {self._context.config.task.name}: fresh", error) from error
        for problem in made:
            # What a plug-in returns may be a problem of the test split after all.
            if is_test(problem, weakness) and problem.id not in self._ids and problem.question not in self._questions:
                self._ids.add(problem.id)
                self._questions.add(problem.question)
                yield problem, Split.CHECK
