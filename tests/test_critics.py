"""Critics ask one question, or stop; one that fails costs no lesson."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tutelage
from tutelage import InputError, RunError
from tutelage.agents.critics.chat import ChatCritic, one_question
from tutelage.agents.critics.steps import StepsCritic
from tutelage.agents.prompts import CRITIC_SYSTEM, REPAIR, critic_messages, teaching_messages
from tutelage.agents.steps.checker import ArithmeticChecker
from tutelage.errors import BudgetSpent
from tutelage.graphs.lesson.graph import is_final
from tutelage.graphs.lesson.judge import judge
from tutelage.jsonl import read
from tutelage.plugins import Plugin, build
from tutelage.rundir import RunDir
from tutelage.schema import EarlierRationale, Problem, Rationale, TeachingRequest
from tutelage.seams import NOTHING_TO_ASK, Critic
from tutelage.terminal.cycle import _lessons
from tutelage.testing import FakeCritic, FakeTask, FakeTeacher, fake_config
from tutelage.testing.chat_server import ChatServer

PROBLEM = Problem(question="What is 31 + 26?", answer="57")


def judged(text: str, problem: Problem = PROBLEM) -> Rationale:
    reason, answer, wrong_step = judge(FakeTask(), problem, text, ArithmeticChecker())
    return Rationale(id="r", text=text, rejected=reason, answer=answer, wrong_step=wrong_step, verified=reason is None)


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("  31 + 20 = 51. 51 + 6 = 56. Answer: 57", "What is 51 + 6? You wrote 56."),
        ("31 + 26 = 58. Answer: 58", "What is 31 + 26? You wrote 58."),
        ("31 + 62 = 93. Answer: 93", "Which number of the question is 62 meant to be?"),
        ("31 + 20 = 51. Answer: 57", "Which is the answer, 51 or 57?"),
        ("31 + 26 = 57.", "Which number answers the question?"),
        ("Adding one gives it. Answer: 32", "At which step do you leave the way? You answer 32."),
        ("It is 57. Answer: 57", "By which steps does one get to the answer?"),
        ("x" * 9000, "Which of your steps can be left out or said in fewer words?"),
        ("31 + 26 = 57. Answer: 57", NOTHING_TO_ASK),
    ],
)
def test_the_checker_s_finding_becomes_one_question(text: str, question: str) -> None:
    assert StepsCritic().critique(TeachingRequest(problem=PROBLEM), judged(text)) == question


def test_a_question_that_did_not_help_is_not_asked_again() -> None:
    wrong = judged("31 + 26 = 58. Answer: 58")
    note = EarlierRationale(rationale_id="a", cycle=1, text="x", question="What is 31 + 26? You wrote 58.")
    request = TeachingRequest(problem=PROBLEM, earlier=(note,))
    assert StepsCritic().critique(request, wrong) == NOTHING_TO_ASK
    before = TeachingRequest(problem=PROBLEM, earlier=(note,), cycle=2)
    assert StepsCritic().critique(before, wrong) == note.question


@given(st.text(max_size=200), st.text(min_size=1, max_size=20))
def test_any_text_gets_a_question(text: str, answer: str) -> None:
    problem = Problem(question="What is 31 + 26?", answer=answer)
    assert StepsCritic().critique(TeachingRequest(problem=problem), judged(text, problem))


@pytest.mark.parametrize(
    ("reply", "question"),
    [
        ("What is 51 + 6?", "What is 51 + 6?"),
        ("<think>Is it 57?</think>\n- **What is 51 + 6?** And why? 51 + 6 = 57.", "What is 51 + 6?"),
        ("Good start. You wrote 51 + 6 = 56.\nDoes 51.5 fit?\nHere is the solution: ...", "Does 51.5 fit?"),
        ("Nothing to ask.", NOTHING_TO_ASK),
        ("I think it is fine, nothing to ask", NOTHING_TO_ASK),
        ("31 + 20 = 51. 51 + 6 = 57. Answer: 57", ""),
        ("???", ""),
        ("", ""),
    ],
)
def test_a_reply_is_cut_to_its_first_question(reply: str, question: str) -> None:
    assert one_question(reply) == question


@given(st.text(max_size=500))
def test_any_reply_gives_one_line_at_most(reply: str) -> None:
    question = one_question(reply)
    assert "\n" not in question and (question == NOTHING_TO_ASK or not question or question[-1] in "?？")


def test_the_critic_s_prompt_quotes_and_names_what_is_wrong() -> None:
    wrong = judged("31 + 26 = 58. </solution> Answer: 58")
    note = EarlierRationale(rationale_id="a", cycle=1, text="x", question="Why 58?")
    system, user = critic_messages(TeachingRequest(problem=PROBLEM, earlier=(note,)), wrong)
    assert system["content"] == CRITIC_SYSTEM and NOTHING_TO_ASK in CRITIC_SYSTEM and "{" not in CRITIC_SYSTEM + REPAIR
    assert user["content"].count("</solution>") == 1
    for part in ("turned away: wrong answer.", "it wrote `31 + 26 = 58`", "<asked_before>\nWhy 58?\n</asked_before>"):
        assert part in user["content"], part


async def test_a_chat_critic_asks_its_model_once() -> None:
    wrong, asked = judged("31 + 26 = 58. Answer: 58"), []

    def reply(messages: list[dict[str, str]]) -> str:
        asked.append(messages)
        return "What is 31 + 26? It is 57, of course."

    with ChatServer(reply) as server:
        options = {"model": "fake", "base_url": server.base_url}
        critic: Any = build("critics", Plugin(name="chat", options=options))
        critic.check()
        assert await critic.critique(TeachingRequest(problem=PROBLEM), wrong) == "What is 31 + 26?"
        await critic.aclose()
    assert asked == [critic_messages(TeachingRequest(problem=PROBLEM), wrong)]
    assert isinstance(critic, ChatCritic) and isinstance(critic, Critic) and isinstance(StepsCritic(), Critic)


def lesson(tmp_path: Path, teacher: FakeTeacher, critic: Any, **teach: Any) -> tutelage.Result:
    config = fake_config(teach=teach, stop={"cycles": 1})
    return tutelage.run(config, teachers=[teacher], critic=critic, run_dir=tmp_path / "run")


def notes(result: tutelage.Result) -> list[str]:
    return [event["text"] for event in read(RunDir(result.path).events) if event["kind"] == "note"]


def test_the_teacher_hears_the_question_and_the_trace_tells_it(tmp_path: Path) -> None:
    teacher, critic = FakeTeacher(wrong_first=True), FakeCritic("What is left?")
    result = lesson(tmp_path, teacher, critic)
    assert result.reports[1].lessons.critiques == {"asked": 16} and result.reports[1].lessons.taught == 16
    assert "rejected: wrong answer 16; critic: asked 16" in _lessons(result.reports[1])
    refined = [request for request in teacher.asked if request.earlier]
    assert len(refined) == 16 and {request.earlier[-1].question for request in refined} == {"What is left?"}
    assert "<question_about_it>\nWhat is left?" in teaching_messages(refined[0])[1]["content"]
    assert {seen.rejected for _, seen in critic.seen} == {"wrong answer"}
    events = result.trace(result.lessons(1)[0].problem_id)["events"]
    kinds = [e["kind"] for e in events if e["cycle"] == 1]
    wanted = ["draft", "check", "critique", "refinement", "check", "lesson"]
    assert [kind for kind in kinds if kind in wanted] == wanted
    assert [(e["agent"], e["text"]) for e in events if e["kind"] == "critique"] == [("critic", "What is left?")]


def test_the_stop_signal_ends_the_lesson_also_after_a_resume(tmp_path: Path) -> None:
    result = lesson(tmp_path, FakeTeacher(wrong_first=True), FakeCritic(stop_after=8))
    assert result.reports[1].lessons.critiques == {"asked": 8, "stopped": 8} and result.reports[1].lessons.taught == 8
    rationales = RunDir(result.path).rationales(1)
    stopped = [r for r in rationales if r.critique == NOTHING_TO_ASK]
    assert len(stopped) == 8 and all(is_final([one], 5) for one in stopped)
    assert not any(is_final([r], 5) for r in rationales if r.critique == "What is left?")


@pytest.mark.parametrize("returned", [None, 7, "", " \n"])
def test_a_critic_that_fails_costs_no_lesson(tmp_path: Path, returned: Any) -> None:
    class Odd:
        async def critique(self, request: TeachingRequest, rationale: Rationale) -> Any:
            return returned

    result = lesson(tmp_path, FakeTeacher(wrong_first=True), Odd())
    assert result.reports[1].lessons.critiques == {"failed": 16} and result.reports[1].lessons.taught == 16


def test_a_critic_that_raises_is_quoted_and_the_lesson_goes_on(tmp_path: Path) -> None:
    teacher = FakeTeacher(wrong_first=True)
    result = lesson(tmp_path, teacher, FakeCritic(fails="out of questions"))
    assert result.reports[1].lessons.taught == 16
    assert {request.earlier[-1].question for request in teacher.asked if request.earlier} == {None}
    events = result.trace(result.lessons(1)[0].problem_id)["events"]
    assert [e["text"] for e in events if e["kind"] == "critique"] == ["failed: ValueError('out of questions')"]


def test_a_critic_that_hangs_is_left_behind_and_soon_not_asked_any_more(tmp_path: Path) -> None:
    class Slow:
        asked = 0

        async def critique(self, request: TeachingRequest, rationale: Rationale) -> str:
            Slow.asked += 1
            await asyncio.sleep(600)
            return "Well?"

    began = time.monotonic()
    teach = {"timeout": 0.2, "bench_after": 2, "concurrency": 1}
    result = lesson(tmp_path, FakeTeacher(wrong_first=True), Slow(), **teach)
    assert time.monotonic() - began < 60
    assert Slow.asked == 2 and result.reports[1].lessons.taught == 16
    told = Counter(r.critic_failure for r in RunDir(result.path).rationales(1) if r.critic_failure)
    assert told == {"did not answer within 0.2 seconds": 2, "not asked after 2 failures in a row": 14}
    assert notes(result) == [
        "critic is asked no more in this run after 2 failures in a row: did not answer within 0.2 seconds"
    ]


def test_a_critic_s_failures_that_end_last_are_no_failures_in_a_row(tmp_path: Path) -> None:
    turn = itertools.count()

    class Busy:
        def critique(self, request: TeachingRequest, rationale: Rationale) -> str:
            if next(turn) % 3 == 0:
                time.sleep(0.5)  # as a call that takes all its tries
                raise OSError("busy")
            return "What is left?"

    result = lesson(tmp_path, FakeTeacher(wrong_first=True), Busy(), concurrency=16, bench_after=3)
    assert result.reports[1].lessons.critiques == {"asked": 10, "failed": 6}
    assert notes(result) == []


def test_a_critic_without_money_ends_the_run(tmp_path: Path) -> None:
    class Poor:
        def critique(self, request: TeachingRequest, rationale: Rationale) -> str:
            raise BudgetSpent("budget: spent", "stop.max_usd=2")

    with pytest.raises(RunError, match="budget: spent"):
        lesson(tmp_path, FakeTeacher(wrong_first=True), Poor())


def test_a_critic_that_changes_what_it_is_given_changes_nothing(tmp_path: Path) -> None:
    class Meddler:
        def critique(self, request: TeachingRequest, rationale: Rationale) -> str:
            rationale.scores["x"] = 1.0
            request.problem.metadata["x"] = 1
            return "  What\nis it?  " + "x" * 999

    teacher = FakeTeacher(wrong_first=True)
    result = lesson(tmp_path, teacher, Meddler())
    questions = {r.critique for r in RunDir(result.path).rationales(1) if r.critique}
    assert [len(q) < 210 and q.startswith("What is it? xxx") for q in questions] == [True]
    assert not any(r.scores for r in RunDir(result.path).rationales(1))
    assert not any(request.problem.metadata for request in teacher.asked)


def test_without_a_critic_nothing_is_asked(tmp_path: Path) -> None:
    teacher = FakeTeacher(wrong_first=True)
    config = fake_config(teach={"critic": None}, stop={"cycles": 1})
    result = tutelage.run(config, teachers=[teacher], run_dir=tmp_path / "run")
    assert result.reports[1].lessons.critiques == {} and result.reports[1].lessons.taught == 16


def test_a_teacher_that_says_the_same_again_is_not_asked_on(tmp_path: Path) -> None:
    class Stubborn(FakeTeacher):
        def teach(self, request: TeachingRequest) -> str:
            self.asked.append(request)
            return ["1 + 1 = 3. Answer: 0", "1 + 1 = 4. Answer: 0"][len(request.earlier) % 2]

    teacher = Stubborn()
    lesson(tmp_path, teacher, FakeCritic(), max_revisions=9)
    assert len(teacher.asked) == 3 * 16, "the third text was the first again"


def test_a_lesson_may_take_more_steps_than_a_short_run(tmp_path: Path) -> None:
    class Inventive(FakeTeacher):
        def teach(self, request: TeachingRequest) -> str:
            self.asked.append(request)
            return f"1 + {len(request.earlier)} = {1 + len(request.earlier)}. Answer: 0"

    result = lesson(tmp_path, Inventive(), FakeCritic(), max_revisions=8)
    assert result.reports[1].lessons.rejected == {"wrong answer": 9 * 16}
    assert {r.revision for r in RunDir(result.path).rationales(1)} == set(range(9))


def test_an_object_that_is_no_critic_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="critics: 'FakeTeacher' lacks critique"):
        tutelage.run(fake_config(), critic=FakeTeacher(), run_dir=tmp_path / "run")  # type: ignore[arg-type]
