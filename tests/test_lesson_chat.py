"""The lesson subgraph with a chat teacher and a chat critic, through real connections; and one that was cut off."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage import RunError
from tutelage.rundir import RunDir
from tutelage.seams import Message
from tutelage.testing import FakeCritic, FakePurifier, FakeTeacher, fake_config, reply_as_tutor
from tutelage.testing.chat_server import ChatServer


def careless_until_asked(messages: list[Message]) -> str:
    """A tutor whose first draft has a wrong step and the right answer; a critic that asks, and then goes on talking."""
    system, user = messages[0]["content"], messages[1]["content"]
    right = reply_as_tutor(messages)
    if "Ask the tutor one short question" in system:
        return "Look again. Is your first step true? It should be: Answer: 1"
    if "<question_about_it>\nIs your first step true?" in user:
        return f"Sure! Here it is:\n\n{right}"
    answer = right.rpartition("Answer: ")[2]
    return f"**1 + 1 = 3.**\n\nThe answer is {answer}."


def chat(server: ChatServer, **options: Any) -> dict[str, Any]:
    return {
        "name": "chat",
        "options": {"model": "fake", "base_url": server.base_url, "price_in": 1.0, "price_out": 1.0, **options},
    }


def test_a_chat_critic_s_question_mends_what_the_check_turned_away(tmp_path: Path) -> None:
    with ChatServer(careless_until_asked) as server:
        teach = {"critic": chat(server)}
        config = fake_config(teachers=[chat(server, name="tutor")], teach=teach, stop={"cycles": 1})
        result = tutelage.run(config, run_dir=tmp_path / "run")
        assert server.requests == 3 * 16, "a draft, a question and a refinement for each problem"
    lessons = result.reports[1].lessons
    assert (lessons.taught, lessons.rejected, lessons.critiques) == (16, {"wrong step": 16}, {"asked": 16})
    assert result.reports[1].cost.calls == 48 and result.reports[1].cost.usd > 0
    with sqlite3.connect(result.path / "calls.sqlite") as calls:
        asked = dict(calls.execute("SELECT agent, COUNT(*) FROM uses GROUP BY agent").fetchall())
    assert asked == {"tutor": 32, "critic": 16}
    for rationale in RunDir(result.path).rationales(1):
        assert rationale.critique == (None if rationale.verified else "Is your first step true?")


def test_a_lesson_that_was_cut_off_in_the_middle_is_finished_and_the_others_are_not_touched(tmp_path: Path) -> None:
    class Broken(FakePurifier):
        def purify(self, problem: Any, rationales: Any) -> Any:
            raise ValueError("the lights went out")

    def run(path: Path, **given: Any) -> Any:
        config = fake_config(stop={"cycles": 1})
        return tutelage.run(config, teachers=[FakeTeacher(wrong_first=True)], run_dir=path, **given)

    whole = run(tmp_path / "whole", critic=FakeCritic(), purifier=FakePurifier())
    path = tmp_path / "cut"
    with pytest.raises(RunError, match="the lights went out"):
        run(path, critic=FakeCritic(), purifier=Broken())
    file = RunDir(path).file("rationales", 1)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    last = max(n for n, row in enumerate(rows) if row["revision"] == 1)
    file.write_text("".join(json.dumps(row) + "\n" for n, row in enumerate(rows) if n != last))
    (path / "steps" / "cycle-001-teach.json").unlink()
    (path / "graph.sqlite").unlink()  # the run directory alone tells what is done
    teacher, critic = FakeTeacher(wrong_first=True), FakeCritic()
    resumed = tutelage.resume(path, teachers=[teacher], critic=critic, purifier=FakePurifier())
    assert len(teacher.asked) == 2 and len(critic.seen) == 1, "one lesson alone is written again"
    assert [one.text for one in resumed.lessons(1)] == [one.text for one in whole.lessons(1)]
    assert resumed.reports[1].lessons == whole.reports[1].lessons
