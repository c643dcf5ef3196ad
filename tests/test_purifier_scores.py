"""A score or a likelihood that is no finite number would poison every choice: it ends the run in one line."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage.rundir import RunDir
from tutelage.schema import Problem, Purified, Rationale
from tutelage.testing import FakeEngine, FakeTeacher, fake_config
from tutelage.testing.parity import Ranking

NUMBERS = pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])


class Scoring:
    """Gives one score to all."""

    def __init__(self, score: float) -> None:
        self.value = score

    def score(self, candidates: Sequence[tuple[Problem, Sequence[Rationale]]]) -> Mapping[str, Mapping[str, float]]:
        return {one.id: {"mine": self.value} for _, some in candidates for one in some}

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Purified:
        own = rationales[0].model_copy(update={"text": "So. " + rationales[0].text, "scores": {"own": float("nan")}})
        return Purified(rationales=(own,), scores={own.id: float("nan")})


def run(path: Path, purifier: Any, **changes: Any) -> tutelage.Result:
    named = {"purifier": purifier} if isinstance(purifier, str) else {}
    given = None if named else purifier
    config = {**fake_config(stop={"cycles": 2, "patience": None}), **named}
    teachers = [FakeTeacher("a"), FakeTeacher("b", preface="Let us see. ")]
    return tutelage.run(config, teachers=teachers, purifier=given, run_dir=path, **changes)


@NUMBERS
def test_a_score_that_is_no_number_is_one_line(tmp_path: Path, number: float) -> None:
    told = rf"^purifier Scoring: score: 'mine' for problem \w+ is {number}; return finite numbers, and leave out"
    with pytest.raises(tutelage.RunError, match=told):
        run(tmp_path / "run", Scoring(number))


def test_one_of_a_ranking_is_too(tmp_path: Path) -> None:
    with pytest.raises(tutelage.RunError, match=r"^purifier Ranking: route: 'b' for problem \w+ is nan; return"):
        run(tmp_path / "run", Ranking(a=0.5, b=float("nan")))


@NUMBERS
def test_a_student_whose_likelihoods_are_no_numbers_is_broken(tmp_path: Path, number: float) -> None:
    class Broken(FakeEngine):
        def likelihoods(self, checkpoint: str, answers: Sequence[tuple[Any, str]]) -> list[float]:
            return [number for _ in answers]

    with pytest.raises(
        tutelage.RunError, match=rf"engine: the likelihood of a text for problem \w+ is {number}; the st"
    ):
        run(tmp_path / "run", "consensus", engine=Broken())


def test_what_a_purifier_says_of_its_own_text_is_left_out(tmp_path: Path) -> None:
    result = run(tmp_path / "run", Scoring(1.0))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    for name in ("rationales", "decisions"):
        lines = next((result.path / name).glob("*001*")).read_text().splitlines()
        assert [json.loads(line, parse_constant=refuse) for line in lines]


@pytest.mark.parametrize("error", [tutelage.InputError("no such file"), tutelage.RunError("no such file")])
def test_an_error_of_ours_that_a_plug_in_raises_is_named(tmp_path: Path, error: Exception) -> None:
    class Failing(Scoring):
        def score(self, candidates: Any) -> Any:
            raise error

    with pytest.raises(tutelage.RunError, match=r"^purifier Failing: score: no such file$"):
        run(tmp_path / "run", Failing(0.0))


def test_what_may_be_taught_is_read_once_a_cycle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["tutelage.graphs.purify"]
    original, read = module.candidates, list[int]()

    def counting(context: Any, cycle: int) -> Any:
        read.append(cycle)
        return original(context, cycle)

    monkeypatch.setattr(module, "candidates", counting)
    decisions = RunDir(run(tmp_path / "run", "consensus").path).decisions(1)
    assert read == [1, 2] and all(len(one.scores) == 2 for one in decisions), "chosen by the scores of this cycle"
