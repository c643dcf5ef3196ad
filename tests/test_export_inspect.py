"""inspect_ai reads the logs that are written for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage.rundir import RunDir
from tutelage.schema import Split
from tutelage.testing import fake_config
from tutelage.traces import summarise

EVIL = "[red]\x1b[2J<script>alert(1)</script>\n# evil"
pytestmark = pytest.mark.slow
Read = Callable[[Path, Path], list[dict[str, Any]]]


class Hostile:
    name = EVIL

    def teach(self, request: tutelage.TeachingRequest) -> str:
        sum_ = request.problem.question.removeprefix("What is ").removesuffix("?")
        wrong = request.problem.id[0] in "01234567"
        end = "no answer" if wrong else f"{sum_} = {request.problem.answer}. Answer: {request.problem.answer}"
        return f"{EVIL} {'x' * 1_000_000 if request.problem.id[0] == '8' else ''} {end}"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    path = tmp_path_factory.mktemp("runs") / "a run_of\nmine"
    settings = fake_config(exam={"due": 8, "samples": 2}, training={**fake_config()["training"], "min_lessons": 1})
    tutelage.run({**settings, "plan": {"lessons": 24}}, teachers=[Hostile()], run_dir=path)
    return RunDir.open(path)


@pytest.fixture(scope="module")
def logs(run: RunDir, read_by_inspect: Read, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What inspect_ai's own reader finds."""
    return read_by_inspect(run.path, tmp_path_factory.mktemp("logs") / "out")


def metric(log: dict[str, Any], name: str = "accuracy") -> float:
    (score,) = log["results"]["scores"]
    return float(score["metrics"][name]["value"])


def test_the_accuracies_are_those_of_show(run: RunDir, logs: list[dict[str, Any]]) -> None:
    found = {(log["eval"]["metadata"]["cycle"], log["eval"]["task"]): log for log in logs}
    assert len(found) == len(logs)
    shown = summarise(run)
    for cycle in shown["cycles"]:
        for split, share in cycle["accuracy"].items():
            log = found[cycle["cycle"], split]
            assert metric(log) == pytest.approx(share, abs=1e-12), (cycle["cycle"], split)
            assert len(log["samples"]) == cycle["n"][split]
            assert (log["status"], log["eval"]["tags"]) == ("success", [cycle["verdict"]])
    assert metric(found[shown["student"]["best_cycle"], "test"]) == pytest.approx(shown["test"]["best"])


def test_several_answers_to_a_problem_are_epochs(run: RunDir, logs: list[dict[str, Any]]) -> None:
    log = next(one for one in logs if (one["eval"]["task"], one["eval"]["metadata"]["cycle"]) == ("train", 0))
    attempts = [a for a in run.attempts(1) if a.split is Split.TRAIN and a.student == "base"]
    said = {(sample["id"], sample["epoch"]): sample["output"]["completion"] for sample in log["samples"]}
    assert said == {(a.problem_id, a.sample + 1): a.text for a in attempts}
    assert log["eval"]["config"]["epochs"] == 2
    assert log["eval"]["dataset"]["samples"] == len(attempts) / 2
    assert metric(log) == pytest.approx(sum(a.correct for a in attempts) / len(attempts))


def test_a_sample_tells_what_was_asked_said_and_taught(run: RunDir, logs: list[dict[str, Any]]) -> None:
    log = next(one for one in logs if (one["eval"]["task"], one["eval"]["metadata"]["cycle"]) == ("train", 1))
    lessons = {lesson.problem_id: lesson for lesson in run.lessons(1) if lesson.origin == EVIL}
    sample = next(one for one in log["samples"] if one["id"] in lessons)
    problem = next(one for one in run.problems()[Split.TRAIN] if one.id == sample["id"])
    attempt = next(a for a in run.attempts(1) if a.problem_id == problem.id and a.student == "checkpoints/cycle-001")
    assert [(m["role"], m["content"]) for m in sample["messages"]] == [
        ("system", "Add. End with 'Answer:' and the sum."),
        ("user", problem.question),
        ("assistant", attempt.text),
    ]
    assert (sample["target"], sample["scores"]["correct"]["answer"]) == (problem.answer, attempt.answer)
    assert sample["scores"]["correct"]["value"] == ("C" if attempt.correct else "I")
    told = sample["metadata"]
    assert (told["cycle"], told["student"], told["logprob"], told["tokens"]) == (1, attempt.student, -0.1, 12)
    assert told["skills"] == list(problem.skills)
    assert [one["text"] for one in told["taught"]] == [lessons[problem.id].text]
    events = sample["events"]
    spans = [event["name"] for event in events if event["event"] == "span_begin"]
    assert spans[:3] == ["taught in cycle 1", "answer", "scorers"]
    drafts = [e for e in events if e["event"] == "model" and e["role"] == "teacher"]
    assert drafts[0]["output"]["choices"][0]["message"]["content"] == lessons[problem.id].text
    assert any(e["event"] == "score" and e["scorer"] == f"check of {EVIL}" for e in events)
    (diagnosis,) = [e["data"] for e in events if e["event"] == "info" and e["source"] == "diagnosis (diagnostician)"]
    weakness = next(one for one in run.reports()[1].weaknesses if one.name == diagnosis["weakness"])
    assert diagnosis["pass_rate"] == weakness.pass_rate
    times = [event["timestamp"] for event in events]
    assert times == sorted(times) and len(set(times)) == len(times)


def test_a_rejected_rationale_is_there_with_its_verdict(run: RunDir, logs: list[dict[str, Any]]) -> None:
    rejected = {r.problem_id: r for r in run.rationales(1) if r.rejected}
    log = next(one for one in logs if (one["eval"]["task"], one["eval"]["metadata"]["cycle"]) == ("train", 0))
    sample = next(one for one in log["samples"] if one["id"] in rejected and one["epoch"] == 1)
    verdicts = [e["score"] for e in sample["events"] if e["event"] == "score" and e["intermediate"]]
    assert ("I", f"rejected: {rejected[sample['id']].rejected}") in [(v["value"], v["explanation"]) for v in verdicts]
    assert "then taught in cycle 1" in [e["name"] for e in sample["events"] if e["event"] == "span_begin"]


def test_the_viewer_would_hide_none_as_a_retry(logs: list[dict[str, Any]]) -> None:
    assert len({log["eval"]["task_id"] for log in logs}) == len(logs)
    created = [log["eval"]["created"] for log in logs]
    assert created == sorted(created)
