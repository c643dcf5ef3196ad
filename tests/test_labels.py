"""Labels say which teacher was right on which question, and nothing where nothing is known."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.agents.purifiers.labels import Labels
from tutelage.agents.purifiers.learnability import LEARNABILITY
from tutelage.testing.planted_skills import TEACHERS, evidence


def test_a_teacher_that_was_not_asked_is_neither_right_nor_wrong() -> None:
    some = [one for one in evidence(80) if not (one.teacher == "d" and int(one.problem.id[1:]) % 2)]
    labels = Labels.read([*some, *evidence(1, seed=5, teachers=("a",))])
    assert labels.teachers == TEACHERS and len(labels.questions) == 80
    assert np.isnan(labels.right[1, 3]) and not np.isnan(labels.right[0, 3])


def test_what_was_right_but_did_not_help_speaks_neither_for_nor_against_its_teacher() -> None:
    one, other = evidence(1)[:2]
    rows = [(True, False), (True, True), (True, None), (False, False)]  # right, and what became of the student

    def marks(other_right: bool) -> list[float]:
        against = other.model_copy(update={"verified": other_right})
        labels = (one.model_copy(update={"verified": right, "fixed": fixed}) for right, fixed in rows)
        return [Labels.read([each, against]).right[0, 0] for each in labels]

    assert np.array_equal(marks(other_right=True), [np.nan, 1, 1, 0], equal_nan=True)
    assert marks(other_right=False) == [1, 1, 1, 0], "the only one that was right is better than the others"


def test_the_draft_that_was_taught_speaks_for_its_teacher() -> None:
    one, other = (e.model_copy(update={"verified": True}) for e in evidence(1)[:2])
    drafts = [
        one.model_copy(update={"taught": True, "fixed": False}),
        one.model_copy(update={"scores": {LEARNABILITY: -0.1}}),
    ]
    assert np.isnan(Labels.read([*drafts, other]).right[0, 0])


def test_of_several_drafts_the_best_counts_and_each_cycle_is_a_row_of_its_own() -> None:
    one, other = evidence(1)[:2]
    drafts = [one.model_copy(update={"verified": ok}) for ok in (True, False)]
    again = [e.model_copy(update={"cycle": 2, "scores": {LEARNABILITY: -0.1}}) for e in (one, other)]
    labels = Labels.read([*drafts, other, *again])
    assert labels.right.tolist() == [[1.0, 0.0], [1.0, 0.0]]
    assert labels.learnability[1].tolist() == pytest.approx([-0.1, -0.1])
