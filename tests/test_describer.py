"""A chat model puts weaknesses into words; no name and no figure comes from it, and a failure costs nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tutelage
from tutelage import InputError, RunError
from tutelage.agents.discovery.describer import MOST_CALLS, Describer, one_sentence
from tutelage.configfile import parse_config
from tutelage.graphs.preflight import examine_config
from tutelage.jsonl import read
from tutelage.plugins import Plugin, build
from tutelage.rundir import RunDir
from tutelage.schema import Diagnosis, Problem, Skill, Weakness
from tutelage.testing import FakeDiagnostician, fake_config
from tutelage.testing.chat_server import ChatServer

SAID = "It asks for a sum with a carry."
DIAGNOSIS = Diagnosis(
    cycle=1,
    student="base",
    accuracy=0.5,
    weaknesses=(
        Weakness(name="apples buys", description="3 of 9 are right.", pass_rate=1 / 3, support=9, severity=0.2),
        Weakness(name="format", description="2 of 9 end without one.", pass_rate=7 / 9, support=9, severity=0.1),
    ),
    mastery=(),
    discovered=(
        Skill(name="apples buys", description="Questions with apples", terms=("apples",), problem_ids=("a",)),
        Skill(name="legs", description="Questions with legs", terms=("legs",), problem_ids=("b",)),
    ),
)
PROBLEMS = {
    "a": Problem(id="a", question="Ann has 3 apples", answer="3", skills=("apples buys",)),
    "b": Problem(id="b", question="How many legs?", answer="4", skills=("legs",)),
}


def describer(server: ChatServer, **options: Any) -> dict[str, Any]:
    plugin = {"model": "fake", "base_url": server.base_url, "retries": 0, "price_in": 1.0, "price_out": 1.0, **options}
    return {"name": "skills", "options": {"describe": plugin}}


def last_question(messages: Any) -> str:
    return str(messages[-1]["content"])


async def test_kinds_and_weaknesses_get_a_sentence_and_keep_their_names_and_figures() -> None:
    with ChatServer(
        lambda messages: f"{'Apples' if 'Ann' in last_question(messages) else 'Other'} are asked."
    ) as server:
        model = Describer(model="fake", base_url=server.base_url)
        described = await model.describe(DIAGNOSIS, PROBLEMS)
        await model.aclose()
        assert server.requests == 3
    assert [skill.description for skill in described.discovered] == ["Apples are asked.", "Other are asked."]
    assert [weakness.description for weakness in described.weaknesses] == [
        "Apples are asked. 3 of 9 are right.",
        "Other are asked. 2 of 9 end without one.",
    ]
    bare = {"weaknesses": {"__all__": {"description"}}, "discovered": {"__all__": {"description"}}}
    assert described.model_dump(exclude=bare) == DIAGNOSIS.model_dump(exclude=bare)


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        ("Adding numbers with a carry", "Adding numbers with a carry."),
        ("<think>hm.</think>\n**It asks for sums.** It is hard.", "It asks for sums."),
        ("The student fails 90 % of them. It asks for sums.", "It asks for sums."),
        ("42", ""),
        ("", ""),
        ("\x1b[mRed\u202e sums.", "[mRed sums."),
    ],
)
def test_of_a_reply_one_sentence_without_a_figure_is_taken(reply: str, kept: str) -> None:
    assert one_sentence(reply) == kept


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400))
def test_whatever_a_model_says_is_one_harmless_line(reply: str) -> None:
    said = one_sentence(reply)
    assert said.isprintable() and len(said) <= 241 and not any(map(str.isdigit, said))


def test_a_tagged_run_is_described_once_and_paid_through_the_ledger(tmp_path: Path) -> None:
    with ChatServer(lambda _: SAID) as server:
        result = tutelage.run(fake_config(diagnostician=describer(server)), run_dir=tmp_path / "run")
        assert server.counts()["paid_twice"] == 0 < server.requests
        cost = result.reports[1].cost
    weaknesses = [w for cycle in (1, 2) for w in RunDir(result.path).diagnosis(cycle).weaknesses]  # type: ignore[union-attr]
    assert weaknesses and all(weakness.description.startswith(f"{SAID} ") for weakness in weaknesses)
    assert cost.calls > 0 and cost.usd > 0


def test_a_model_that_fails_leaves_the_terms_and_says_so_once_a_cycle(tmp_path: Path) -> None:
    with ChatServer(fail_first=10**6, fail_status=500) as server:
        config = fake_config(diagnostician=describer(server), stop={"cycles": 1})
        result = tutelage.run(config, run_dir=tmp_path / "run")
    notes = [event["text"] for event in read(result.path / "events.jsonl") if event["kind"] == "note"]
    (note,) = [text for text in notes if text.startswith("diagnostician: describe: ")]
    assert "HTTP 500" in note or "500" in note
    diagnosis = RunDir(result.path).diagnosis(1)
    assert diagnosis and all("answers that tell of it get it right" in one.description for one in diagnosis.weaknesses)


def test_a_describer_of_somebody_s_own_may_change_nothing_but_words(tmp_path: Path) -> None:
    class Liar:
        def describe(self, diagnosis: Diagnosis, problems: Any) -> Diagnosis:
            lies = [w.model_copy(update={"pass_rate": 0.123, "description": "words"}) for w in diagnosis.weaknesses]
            return diagnosis.model_copy(update={"accuracy": 0.123, "weaknesses": tuple(lies)})

    mine = FakeDiagnostician()
    mine.describer = Liar()  # type: ignore[attr-defined]
    result = tutelage.run(fake_config(stop={"cycles": 1}), diagnostician=mine, run_dir=tmp_path / "run")
    diagnosis = RunDir(result.path).diagnosis(1)
    assert diagnosis and diagnosis.accuracy != 0.123
    assert [(w.pass_rate != 0.123, w.description) for w in diagnosis.weaknesses] == [(True, "words")]


def test_the_doctor_checks_the_model_and_counts_its_calls() -> None:
    with ChatServer() as server:
        config = parse_config(fake_config(diagnostician=describer(server, max_tokens=50)), "test")
        found = examine_config(config)
        (bill,) = [bill for bill in found.bills if bill.who == "the diagnostician"]
        assert bill.most.calls == MOST_CALLS * 2 and 0 < bill.likely.calls <= 12
        assert bill.most.tokens_out == 50 * bill.most.calls
        wrong = parse_config(fake_config(diagnostician=describer(server, model="other")), "test")
        assert any("does not serve this model" in str(check.problem) for check in examine_config(wrong).checks)
        free = {**fake_config(diagnostician=describer(server, price_in=None, price_out=None)), "stop": {"max_usd": 1}}
        told = [check.problem for check in examine_config(parse_config(free, "test")).checks if check.problem]
    assert any("the diagnostician: price unknown" in problem for problem in told)


def test_options_that_cannot_work_are_refused() -> None:
    for options, told in (({"modell": "x"}, "modell"), ({"model": " "}, "must name a model"), ({"model": 3}, "model")):
        with pytest.raises(InputError, match=told):
            build("diagnosticians", Plugin(name="skills", options={"describe": options}))


def test_a_budget_that_is_spent_ends_the_run_and_a_resume_goes_on(tmp_path: Path) -> None:
    with ChatServer(lambda _: SAID) as server:
        config = fake_config(diagnostician=describer(server, price_in=1e6), stop={"cycles": 1, "max_usd": 1})
        with pytest.raises(RunError, match="dollars spent"):
            tutelage.run(config, run_dir=tmp_path / "run")
        done = tutelage.resume(tmp_path / "run", overrides=["stop.max_usd=1000000000"])
        assert server.counts()["paid_twice"] == 0
    assert done.summary["status"] == "finished" and json.dumps(done.summary)
