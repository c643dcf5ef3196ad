"""A run whose nodes are replayed goes by what its cycles left, though `review` has been switched on or off since."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from langgraph.checkpoint.memory import InMemorySaver

import tutelage
from tutelage import InputError
from tutelage.graphs.studio import StudioInput, build_studio
from tutelage.reviewer import Reviewer
from tutelage.reviews import require_review, write_reviews
from tutelage.rundir import RunDir
from tutelage.schema import Verdict
from tutelage.testing import FakeTeacher, fake_config


def without_checkpoints(path: Path) -> Path:
    """Take LangGraph's checkpoints away, so that every node of the run is replayed."""
    for file in path.glob("graph.sqlite*"):
        file.unlink()
    return path


def failed_in_cycle_2(path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDir:
    """Return a run without a review whose teacher went away after the first cycle."""
    teach = FakeTeacher.teach

    def leaving(self: FakeTeacher, request: Any) -> Any:
        if request.cycle == 2:
            raise ValueError("no connection")
        return teach(self, request)

    with monkeypatch.context() as patch:
        patch.setattr(FakeTeacher, "teach", leaving)
        with pytest.raises(tutelage.RunError, match="no connection"):
            tutelage.run(fake_config(stop={"cycles": 2}), run_dir=path)
    return RunDir(path)


def test_proposals_become_lessons_though_the_review_was_switched_off(tmp_path: Path) -> None:
    path = tmp_path / "run"
    tutelage.run(fake_config(review=True, stop={"cycles": 1}), run_dir=path)
    first = require_review(RunDir(path)).proposals[0]
    write_reviews(RunDir(path), 1, [Reviewer("ann").reject(first, "no")])
    report = tutelage.resume(without_checkpoints(path), overrides=["review=false"]).reports[1]
    assert report.verdict is Verdict.ACCEPTED and report.lessons.taught == 15
    assert first.lesson.problem_id not in {lesson.problem_id for lesson in RunDir(path).lessons(1)}


def test_what_is_trained_is_not_reviewed_though_the_review_was_switched_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rundir = failed_in_cycle_2(tmp_path / "run", monkeypatch)
    taught = rundir.lessons(1)
    without_checkpoints(rundir.path)
    waits = tutelage.resume(rundir.path, overrides=["review=true"]).summary
    assert (waits["status"], waits["review"]["cycle"]) == ("waiting for review", 2)
    assert rundir.lessons(1) == taught and not rundir.file("proposals", 1).exists()
    done = tutelage.resume(rundir.path, accept_rest="bob")
    assert done.summary["status"] == "finished" and done.reports[1].lessons.by_hand == {}
    with pytest.raises(InputError, match="the run is finished"):
        require_review(rundir)


async def submitted(path: Path, config: str = "") -> Any:
    """Submit a run, or a configuration, in the Studio."""
    graph = build_studio().compile(checkpointer=InMemorySaver())  # as the server has one
    given = StudioInput(config=config, run_dir=str(path)) if config else StudioInput(run_dir=str(path))
    return await graph.ainvoke(given, {"configurable": {"thread_id": "1"}})


async def test_a_run_that_waits_in_the_studio_goes_on_without_a_review(tmp_path: Path) -> None:
    (tmp_path / "fake.yaml").write_text(yaml.safe_dump(fake_config(review=True, stop={"cycles": 1})))
    path = tmp_path / "run"
    assert "__interrupt__" in await submitted(path, str(tmp_path / "fake.yaml"))
    report = (await tutelage.aresume(path, overrides=["review=false"])).reports[1]
    assert report.verdict is Verdict.ACCEPTED and report.lessons.taught == 16


async def test_the_studio_reviews_nothing_that_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rundir = await asyncio.to_thread(failed_in_cycle_2, tmp_path / "run", monkeypatch)
    taught = rundir.lessons(1)
    await tutelage.aresume(rundir.path, overrides=["review=true"])
    standing = require_review(rundir)
    write_reviews(rundir, 2, [Reviewer("ann").accept(one) for one in standing.left])
    assert "__interrupt__" not in await submitted(rundir.path)
    assert tutelage.Result(rundir.path).summary["status"] == "finished"
    assert rundir.lessons(1) == taught and not rundir.file("proposals", 1).exists()


async def test_the_studio_makes_proposals_lessons_though_the_review_was_switched_off(tmp_path: Path) -> None:
    path = tmp_path / "run"
    await tutelage.arun(fake_config(review=True, stop={"cycles": 1}), run_dir=path)
    config = RunDir(path).config
    config.write_text(config.read_text().replace("review: true", "review: false"))  # as a resume that was cut off may
    await submitted(path)
    (report,) = tutelage.Result(path).reports[1:]
    assert report.verdict is Verdict.ACCEPTED and report.lessons.taught == 16
