"""The lexical score, and the best rows of any score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.memory.lexical import COMMON, LexicalIndex
from tutelage.memory.search import _top


def test_the_score_is_the_weighted_jaccard_of_the_terms() -> None:
    index = LexicalIndex()
    index.add([("a", "b"), ("a", "c"), ("d",)])
    a, rare = np.log(1 + 1.5 / 2.5), np.log(1 + 2.5 / 1.5)  # two of three rows, one of three
    assert index.scores(["a", "b", "unknown"]) == pytest.approx([1, a / (a + 2 * rare), 0])
    assert index.scores(["unknown"]).tolist() == [0, 0, 0]
    index.add([("b",)])
    assert index.scores(["b"])[3] == 1


def test_common_and_rare_terms_are_scored_alike() -> None:
    index, rows = LexicalIndex(), [tuple(f"t{n % k}-{k}" for k in (2, 3, 200)) for n in range(5 * COMMON)]
    index.add(rows)
    weight = {term: index._weight(sum(term in row for row in rows)) for row in rows for term in row}
    query = rows[7]
    expected = [sum(weight[t] for t in {*query} & {*row}) / sum(weight[t] for t in {*query} | {*row}) for row in rows]
    assert index.scores(query) == pytest.approx(expected, rel=1e-5)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([-2.0, -0.5, 0.0, 0.1, 0.2, 0.4, 1.0]), max_size=30),
    st.integers(1, 12),
    st.sampled_from([0.0, -2.0]),
)
def test_the_top_rows_are_those_of_a_sort(scores: list[float], limit: int, least: float) -> None:
    rows = [row for row, score in enumerate(scores) if score > least]
    wanted = sorted(rows, key=lambda row: (scores[row], row))[-limit:]
    assert sorted(_top(np.array(scores, np.float32), limit, least)) == sorted(wanted)
