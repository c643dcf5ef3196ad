"""Earlier lessons are taught again: how many, which, with what weight; and the stage that trains on nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tutelage
from tutelage import InputError
from tutelage.checkpoints import read_note
from tutelage.graphs.replay import draw_replay
from tutelage.jsonl import read
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.testing import fake_config
from tutelage.training.replay import ReplayStage
from tutelage.training.sft import SFTStage


def lesson(problem: str, cycle: int, weight: float = 1.0, origin: str = "t") -> Lesson:
    question = f"{problem[1:]} + 1 ="
    return Lesson(problem_id=problem, cycle=cycle, question=question, text="9", origin=origin, weight=weight)


def cycle_of(number: int, problems: range, weight: float = 1.0) -> list[Lesson]:
    return [lesson(f"p{n}", number, weight) for n in problems]


@given(st.integers(1, 40), st.integers(0, 60), st.floats(0.0, 0.9), st.integers(0, 9))
def test_the_share_is_kept_as_far_as_there_are_lessons(new: int, old: int, share: float, seed: int) -> None:
    lessons = cycle_of(3, range(new), weight=0.3)
    drawn = draw_replay(lessons, [cycle_of(1, range(new, new + old), weight=5.0)], share, seed)
    assert len({one.problem_id for one in drawn}) == len(drawn) <= old
    if len(drawn) < old:
        assert len(drawn) / (new + len(drawn)) == pytest.approx(share, abs=0.5 / (new + len(drawn)) + 1e-9)
        total = sum(one.weight for one in [*lessons, *drawn])
        assert sum(one.weight for one in drawn) / total == pytest.approx(len(drawn) / (new + len(drawn)))
    assert drawn == draw_replay(lessons, [cycle_of(1, range(new, new + old), weight=5.0)], share, seed)


def test_only_the_newest_lessons_of_problems_that_are_not_taught_now() -> None:
    first = [lesson("p0", 1), lesson("p1", 1), lesson("p2", 1)]
    second = [lesson("p1", 2, 0.5), lesson("p1", 2, 1.5)]
    drawn = draw_replay([lesson("p2", 3, 2.0)], [first, second], 0.9, 0)
    assert sorted((one.problem_id, one.cycle, one.weight) for one in drawn) == [
        ("p0", 1, 2.0), ("p1", 2, 0.5), ("p1", 2, 1.5),
    ]  # fmt: skip


def test_every_problem_is_as_likely_whatever_its_weight_or_cycle() -> None:
    earlier = [cycle_of(1, range(4), weight=9.0), cycle_of(2, range(4, 8), weight=0.0)]
    seen = Counter(one.problem_id for seed in range(400) for one in draw_replay([lesson("p9", 3)], earlier, 0.5, seed))
    assert sum(seen.values()) == 400
    assert all(30 <= seen[f"p{n}"] <= 72 for n in range(8))  # 50 expected, deviation 6.6


def test_a_run_teaches_again_what_its_student_was_taught(tmp_path: Path) -> None:
    config = fake_config()
    config["training"] = {**config["training"], "replay": 0.25}
    result = tutelage.run(config, run_dir=tmp_path / "run")
    events = [event for event in read(tmp_path / "run/events.jsonl") if event["kind"] == "training"]
    assert [event["lessons"] for event in events] == [16, 21]
    assert [event["replayed"] for event in events] == [0, 5]
    assert [report.lessons.replayed for report in result.reports] == [0, 0, 5]
    assert [report.lessons.taught for report in result.reports] == [0, 16, 16]


def test_from_the_base_nothing_is_left_to_replay() -> None:
    config = fake_config()
    config["training"] = {**config["training"], "replay": 0.25, "start": "base"}
    with pytest.raises(InputError, match=r"training: .*replay: with start: base .* leave replay out"):
        tutelage.run(config)


def test_a_stage_of_replay_needs_something_to_replay(tmp_path: Path) -> None:
    config = fake_config()
    config["training"] = {**config["training"], "stages": ["replay"]}
    with pytest.raises(InputError, match=r"nothing to replay; set training\.replay"):
        tutelage.run(config, run_dir=tmp_path / "run")
    config["training"]["stages"] = ["skill-vector"]
    with pytest.raises(InputError, match=r"no stage 'grpo' .* name one of skill-vector"):
        tutelage.run(config, run_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(InputError, match="stages: replay: drift"):
        ReplayStage(drift=1.0).check()
    with pytest.raises(InputError, match="stages: replay: max_steps"):
        ReplayStage(max_steps=1, max_tokens=1).check()


@pytest.fixture
def job(base: Path, tmp_path: Path) -> StageJob:
    """Three new lessons, two of an earlier cycle, one of the base student's own answers."""
    rehearsed = lesson("p9", 0, origin="replay")
    lessons = (*cycle_of(2, range(3)), *cycle_of(1, range(3, 5)), rehearsed)
    return StageJob(2, base, None, tmp_path / "out", lessons, seed=3, device="cpu", precision="float32")


def test_the_stage_trains_on_what_is_not_new(job: StageJob) -> None:
    stage = ReplayStage(mode="full", max_steps=1)
    assert stage.run(job).metrics["lessons"] == 3
    assert read_note(job.out).stages == ("replay",)
    first = replace(job, lessons=job.lessons[:3], start=job.out, out=job.out.with_name("first"))
    report = stage.run(first)
    assert report.note and report.steps == 0 and (first.out / "model.safetensors").is_file()


def test_drift_holds_what_is_rehearsed_and_teaches_what_is_replayed(job: StageJob) -> None:
    report = SFTStage(drift=1.0, max_steps=1).run(job)
    assert report.metrics["lessons"] == 5 and report.metrics["drift"] >= 0
    without = replace(job, out=job.out.with_name("without"))
    assert SFTStage(max_steps=1).run(without).metrics["lessons"] == 6
