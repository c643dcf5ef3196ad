"""The purifier that asks the student which draft helps it: the one it answers others best by, as an example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...errors import InputError, RunError
from ...schema import Attempt, Problem, Purified, Rationale
from ...seams import CurrentStudent
from ..planners.learner_model import LearnerModel
from .learnability import Candidates

PREFERENCE = "preference"
"""Key of the score in `Rationale.scores`."""


class PreferencePurifier:
    """Keeps the draft with which, as its one example, the student gets the most of a few probe problems right.

    The student's one-shot accuracy as the measure of a rationale is ARTE's (arXiv 2406.19227, preference scores) and
    that of learning by teaching (arXiv 2406.14629). The problems are of the probe split: those that share a weak skill
    with the problem first, and among these the ones it is least sure of, p(1-p), since they tell drafts apart best
    (ARTE picks them by item response theory). Costs drafts x items answers of the student for each problem with drafts
    that differ; with the teachers nothing.
    """

    def __init__(self, items: int = 8) -> None:
        """Set the cost.

        Args:
            items: Probe problems that the student answers after each draft.

        Raises:
            InputError: If there is none.
        """
        if items < 1:
            raise InputError(f"purifier preference: items {items} is out of range; give at least 1")
        self.items = items
        self._student: CurrentStudent | None = None

    def meet(self, student: CurrentStudent) -> None:
        """Take the cycle's student."""
        self._student = student

    def score(self, candidates: Candidates) -> Mapping[str, Mapping[str, float]]:
        """Return each draft's score, in [0, 1], by its id; nothing where there is no choice, or it is known.

        Raises:
            RunError: If no student was met.
        """
        if self._student is None:
            raise RunError("purifier preference: has met no student; it can only work inside a run")
        open_ = [(p, some) for p, some in candidates if any(PREFERENCE not in one.scores for one in some)]
        asked = [
            (problem, text, item)
            for problem, some in open_
            if len({one.text for one in some}) > 1
            for text in dict.fromkeys(one.text for one in some)
            for item in self._items(self._student, problem)
        ]
        right = _answered_right(self._student, asked)
        return {
            one.id: {PREFERENCE: sum(marks) / len(marks)}
            for problem, some in open_
            for one in some
            if (marks := right.get((problem.id, one.text)))
        }

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Purified:
        """Return the rationale with the highest score; of several the shortest, of these the first.

        Args:
            problem: What the rationales solve.
            rationales: One or more, all verified.
        """
        scores = {one.id: one.scores[PREFERENCE] for one in rationales if PREFERENCE in one.scores}
        return Purified(
            rationales=(max(rationales, key=lambda one: (scores.get(one.id, 0.0), -len(one.text))),), scores=scores
        )

    def _items(self, student: CurrentStudent, problem: Problem) -> list[Problem]:
        """Choose the problems that a draft for this one is tried on."""
        weak = {weakness.name for weakness in student.diagnosis.taught}.intersection(problem.skills)

        model = LearnerModel(student.diagnosis, [item for item, _ in student.probe], [a for _, a in student.probe])

        def rank(row: tuple[Problem, Attempt]) -> tuple[bool, float]:
            item, _ = row
            chance = model.predicted(item)
            return weak.isdisjoint(item.skills), -chance * (1 - chance)

        return [item for item, _ in sorted(student.probe, key=rank)[: self.items]]


def _answered_right(
    student: CurrentStudent, asked: Sequence[tuple[Problem, str, Problem]]
) -> dict[tuple[str, str], list[bool]]:
    """Answer each item after its example; say by the example's problem and text which were right."""
    if not asked:
        return {}
    prompts = [student.prompt(item.question, [(problem.question, text)]) for problem, text, item in asked]
    answers = student.engine.generate(student.checkpoint, prompts, seed=student.seed)
    right: dict[tuple[str, str], list[bool]] = {}
    for (problem, text, item), (answer,) in zip(asked, answers, strict=True):
        right.setdefault((problem.id, text), []).append(student.grade(item, answer.text).score >= 1.0)
    return right
