"""`kill -9` around a review: no decision is lost, none is applied twice, and the run still waits."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

import tutelage
from tutelage.reviewer import Reviewer
from tutelage.reviews import Proposal, under_review, write_reviews
from tutelage.rundir import RunDir
from tutelage.testing import fake_config

DYING = """
import os, signal, sys
import tutelage
from tutelage.rundir import RunDir

act, method, moment, path, *config = sys.argv[1:]
original = getattr(RunDir, method)

def dying(self, *given):
    if moment == "after":
        original(self, *given)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(RunDir, method, dying)
if act == "run":
    tutelage.run(config[0], run_dir=path)
else:
    tutelage.resume(path, accept_rest="bob")
"""

ann = Reviewer("ann")


def config() -> dict[str, Any]:
    return fake_config(review=True, plan={"lessons": 6}, stop={"cycles": 1})


def dies(act: str, method: str, moment: str, path: Path, *given: Path) -> None:
    command = [sys.executable, "-c", DYING, act, method, moment, str(path), *map(str, given)]
    assert subprocess.run(command, stderr=subprocess.DEVNULL).returncode == -signal.SIGKILL


def proposals(path: Path) -> list[Proposal]:
    found = under_review(RunDir(path))
    assert found
    return list(found.proposals)


def mine(proposal: Proposal) -> str:
    return proposal.lesson.text.replace("Answer", "So it is. Answer")


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that waits, with two of its lessons decided on."""
    path = tmp_path_factory.mktemp("runs") / "reviewed"
    tutelage.run(config(), run_dir=path)
    edited, rejected, *_ = proposals(path)
    write_reviews(RunDir(path), 1, [ann.edit(edited, mine(edited)), ann.reject(rejected, "no")])
    return path


@pytest.fixture(scope="module")
def whole(reviewed: Path, tmp_path_factory: pytest.TempPathFactory) -> tutelage.Result:
    """The same run, gone on with undisturbed."""
    path = tmp_path_factory.mktemp("runs") / "whole"
    shutil.copytree(reviewed, path)
    return tutelage.resume(path, accept_rest="bob")


@pytest.mark.parametrize(
    ("method", "moment"),
    [
        ("add_reviews", "before"),
        ("add_reviews", "after"),
        ("write_rationales", "after"),
        ("write_lessons", "before"),
        ("write_lessons", "after"),
        ("write_step", "after"),
    ],
)
def test_killed_while_the_run_goes_on(
    reviewed: Path, whole: tutelage.Result, tmp_path: Path, method: str, moment: str
) -> None:
    path = tmp_path / "run"
    shutil.copytree(reviewed, path)
    dies("resume", method, moment, path)
    ended = tutelage.resume(path, accept_rest="bob")
    assert ended.summary["status"] == "finished"
    assert ended.lessons(1) == whole.lessons(1)
    assert len(whole.lessons(1)) == 5
    rundir = RunDir(path)
    decided = Counter((one.rationale_id, one.verdict, one.author) for one in rundir.reviews(1))
    assert set(decided.values()) == {1} and len(decided) == 6
    assert rundir.rationales(1) == RunDir(whole.path).rationales(1)
    assert ended.reports[1].lessons == whole.reports[1].lessons
    assert ended.summary["test"] == whole.summary["test"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_as_the_review_begins(tmp_path: Path, moment: str) -> None:
    path, file = tmp_path / "run", tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config()))
    dies("run", "propose_lessons", moment, path, file)
    status = tutelage.Result(path).summary["status"]
    assert status == ("waiting for review" if moment == "after" else "interrupted")
    waits = tutelage.resume(path).summary
    assert (waits["status"], waits["review"]["left"]) == ("waiting for review", 6)


def test_who_thinks_again_after_a_kill_is_heard(reviewed: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    shutil.copytree(reviewed, path)
    edited, rejected, *_ = proposals(path)
    dies("resume", "write_lessons", "after", path)  # what was decided then is written, but nothing is trained on it
    rundir = RunDir(path)
    write_reviews(rundir, 1, [ann.accept(edited), ann.edit(rejected, mine(rejected))])
    ended = tutelage.resume(path)
    texts = {lesson.problem_id: lesson.text for lesson in ended.lessons(1)}
    assert texts[edited.lesson.problem_id] == edited.lesson.text
    assert texts[rejected.lesson.problem_id] == mine(rejected)
    by_hand = [one.text for one in rundir.rationales(1) if one.teacher == "reviewer ann"]
    assert by_hand == [mine(rejected)]
    assert all(one.verified for one in rundir.rationales(1) if one.teacher == "fake")


def test_a_run_without_its_checkpoints_still_waits(reviewed: Path, tmp_path: Path, whole: tutelage.Result) -> None:
    path = tmp_path / "run"
    shutil.copytree(reviewed, path)
    for file in path.glob("graph.sqlite*"):
        file.unlink()
    assert tutelage.resume(path).summary["review"]["left"] == 4
    assert tutelage.resume(path, accept_rest="bob").lessons(1) == whole.lessons(1)


def test_a_review_that_is_written_in_half_is_none(reviewed: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    shutil.copytree(reviewed, path)
    rundir = RunDir(path)
    file = rundir.file("reviews", 1)
    file.write_text(file.read_text() + '{"schema": 1, "problem_id": "')
    third = proposals(path)[2]
    assert third.review is None
    write_reviews(rundir, 1, [ann.accept(third)])
    assert [one.verdict.value for one in rundir.reviews(1)] == ["edited", "rejected", "accepted"]
