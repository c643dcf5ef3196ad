"""When what happened to a lesson under review is dated: in the order in which it happened."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage import jsonl
from tutelage.export.mlflow.lessons import LessonTrace, lesson_traces
from tutelage.export.mlflow.times import Times
from tutelage.reviewer import Reviewer
from tutelage.reviews import under_review, write_reviews
from tutelage.rundir import RunDir
from tutelage.schema import Review
from tutelage.testing import fake_config


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A run whose lessons were reviewed."""
    path = tmp_path_factory.mktemp("runs") / "reviewed"
    tutelage.run(fake_config(review=True, stop={"cycles": 1}), run_dir=path)
    standing = under_review(RunDir(path))
    assert standing
    write_reviews(RunDir(path), 1, [Reviewer("ann").accept(one) for one in standing.left])
    tutelage.resume(path)
    return RunDir.open(path)


def moment(rundir: RunDir, kind: str, node: str) -> float:
    """Return when a node of cycle 1 first did something."""
    events = jsonl.read(rundir.events)
    return float(next(x["time"] for x in events if (x["kind"], x.get("node"), x.get("cycle")) == (kind, node, 1)))


def event(review: Review, **changes: Any) -> dict[str, Any]:
    return {"cycle": 1, "kind": "review", "time": review.model_dump(mode="json")["time"], **changes}


def test_a_review_has_its_own_time_and_the_lesson_comes_after_it(reviewed: RunDir) -> None:
    times, began, ended = Times(reviewed), moment(reviewed, "started", "review"), moment(reviewed, "finished", "review")
    review = reviewed.reviews(1)[0]
    later = datetime.fromtimestamp(began + 60, UTC).replace(microsecond=0)
    assert times.of(event(review.model_copy(update={"time": later})), "s") == later.timestamp()
    before = datetime.fromtimestamp(began, UTC).replace(microsecond=0)  # its seconds are whole, those of events are not
    assert times.of(event(review.model_copy(update={"time": before})), "s") == began
    assert times.of({"cycle": 1, "kind": "lesson"}, "s") == ended > began


def test_the_spans_of_a_reviewed_lesson_come_in_the_order_of_its_life(reviewed: RunDir) -> None:
    traces, _ = lesson_traces(reviewed, "run", 1, Times(reviewed), 2)
    for trace in traces:
        assert isinstance(trace, LessonTrace)
        started = sorted((one["start_time_unix_nano"], one["name"].split()[0]) for one in trace.spans[1:])
        names = [name for _, name in started]
        assert names.index("purification") < names.index("review") < names.index("lesson") < len(names) - 1


def test_a_run_whose_events_know_no_review_dates_it_by_the_node_after_it(reviewed: RunDir, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(reviewed.config.read_bytes())
    kept = [one for one in jsonl.read(reviewed.events) if one.get("node") != "review"]
    (tmp_path / "events.jsonl").write_text("".join(map(jsonl.dumps, kept)))
    times = Times(RunDir(tmp_path))
    assert times.of(event(reviewed.reviews(1)[0]), "s") == moment(reviewed, "started", "consolidate")
    assert times.of({"cycle": 1, "kind": "lesson"}, "s") == moment(reviewed, "started", "purify")
