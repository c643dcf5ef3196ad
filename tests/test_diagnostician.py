from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.agents.diagnostician import SkillDiagnostician
from tutelage.agents.diagnostician.attribution import attribute
from tutelage.agents.diagnostician.evidence import Collector
from tutelage.agents.diagnostician.patterns import frequent_patterns
from tutelage.errors import InputError
from tutelage.plugins import Plugin, build
from tutelage.schema import Attempt, Problem, Split, WrongStep
from tutelage.seams import Diagnostician
from tutelage.traces.problems import shown_by

BORROW, CARRY, PLAIN = "subtraction with borrow", "addition with carry", "addition without carry"
PROBLEMS = {
    "b": Problem(id="b", question="51 - 26 + 1", answer="26", skills=(BORROW, PLAIN)),
    "c": Problem(id="c", question="19 + 2", answer="21", skills=(CARRY,)),
    "n": Problem(id="n", question="Why?", answer="so"),
}


def attempt(name, problem, correct, kind=None, skill=None, text="31 - 6 = 24", finish="stop", score=None, cycle=1):
    step = kind and WrongStep(kind=kind, start=0, end=len(text), expected="25", found="24", skill=skill)
    return Attempt(
        id=name,
        problem_id=problem,
        split=Split.PROBE,
        cycle=cycle,
        student="base",
        text=text,
        answer=None if kind == "format" or finish == "length" else "24",
        score=float(correct) if score is None else score,
        correct=correct,
        logprob=-1.0,
        tokens=5,
        finish_reason=finish,
        wrong_step=step or None,
    )


def diagnose(attempts, earlier=(), **options):
    return SkillDiagnostician(**options).diagnose(PROBLEMS, attempts, earlier)


def named(diagnosis):
    return {weakness.name: weakness for weakness in diagnosis.weaknesses}


def test_it_fills_the_seam():
    assert isinstance(build("diagnosticians", Plugin(name="skills", options={"decay": 0.3})), Diagnostician)


def test_the_problems_of_an_error_pattern_are_as_many_as_it_has_failures():
    """What lists them goes by the rule of what counts them."""
    attempts = [attempt(f"f{i}", "b", False, "format") for i in range(7)] + [attempt("right", "c", True)]
    attempts += [attempt("cut", "b", False, "format", finish="length"), attempt("step", "b", False, "equation", BORROW)]
    weakness = named(diagnose(attempts))["giving a final answer"]
    shown = [one for one in attempts if weakness.name in shown_by(one)]
    assert len(shown) == round(weakness.support * (1 - weakness.pass_rate)) == 7


def test_failures_go_to_the_skill_of_the_first_wrong_step():
    attempts = [attempt(f"w{i}", "b", False, "equation", BORROW) for i in range(4)]
    attempts += [attempt("unknown", "b", False), attempt("right", "b", True)]
    attempts += [attempt(f"c{i}", "c", True) for i in range(4)]
    diagnosis = diagnose(attempts)
    weak = named(diagnosis)
    assert [w.name for w in diagnosis.weaknesses] == [BORROW]  # the one failure without a step is most likely its own
    assert diagnosis.accuracy == 0.5
    assert 1 / 6 < weak[BORROW].pass_rate < 1.5 / 6
    assert weak[BORROW].support == 6
    assert 4.5 / 10 < weak[BORROW].severity < 5 / 10
    assert weak[BORROW].evidence == ("w0", "w1", "w2", "w3", "unknown")
    assert weak[BORROW].wrong_step == attempts[0].wrong_step
    assert "31 - 6: said 24, is 25" in weak[BORROW].description
    assert diagnosis.errors == {"equation": 4, "wrong answer": 1}


def test_what_was_right_before_the_wrong_step_is_no_failure_and_what_was_not_reached_tells_nothing():
    text = "51 + 2 = 53. 53 - 26 = 37. Answer: 37"
    step = WrongStep(kind="equation", start=13, end=25, expected="27", found="37", skill=BORROW)
    problems = {"p": Problem(id="p", question="?", answer="21", skills=(BORROW, CARRY, PLAIN))}
    failed = [attempt(f"w{i}", "p", False, text=text).model_copy(update={"wrong_step": step}) for i in range(4)]
    found = SkillDiagnostician().diagnose(problems, failed, [])
    counts = {m.skill: (m.alpha - 1, m.beta - 1) for m in found.mastery}
    assert counts == {BORROW: (0, 4), CARRY: (0, 0), PLAIN: (4, 0)}
    assert [(w.name, w.pass_rate, w.support) for w in found.weaknesses] == [(BORROW, 0, 4)]


def test_a_step_that_no_problem_is_tagged_with_is_shared_among_its_skills():
    attempts = [attempt(f"w{i}", "b", False, "equation", "long multiplication") for i in range(4)]
    weak = named(diagnose(attempts, certainty=0.5))
    assert weak[BORROW].severity == weak[PLAIN].severity == pytest.approx(0.5)
    assert weak[BORROW].wrong_step is None


def test_few_attempts_say_nothing_and_strong_skills_are_no_weakness():
    assert diagnose([attempt("a", "c", False), attempt("b", "c", False)]).weaknesses == ()
    assert diagnose([attempt("a", "c", False)], min_support=1).weaknesses[0].name == CARRY
    nine = [attempt(f"a{i}", "c", i > 0) for i in range(9)]
    assert diagnose(nine).weaknesses == ()
    assert diagnose(nine, threshold=0.9).weaknesses == ()
    assert diagnose(nine, threshold=0.9, certainty=0.7).weaknesses[0].pass_rate == pytest.approx(8 / 9)


def test_patterns_are_weaknesses_of_their_own():
    attempts = [attempt(f"f{i}", "c", False, "format") for i in range(3)]
    attempts += [attempt(f"l{i}", "c", False, finish="length") for i in range(2)]
    attempts += [attempt("copy", "c", False, "copied")]
    attempts += [attempt(f"r{i}", "c", True) for i in range(14)]
    diagnosis = diagnose(attempts)
    weak = named(diagnosis)
    assert weak["giving a final answer"].pass_rate == pytest.approx(17 / 20)
    assert weak["giving a final answer"].severity == pytest.approx(3 / 20, abs=0.02)
    assert weak["ending in time"].support == 20
    assert "copying the numbers" not in weak  # 1 of 20 is below a tenth: it counts for the skill
    assert CARRY not in weak
    assert diagnosis.errors == {"copied": 1, "format": 3, "truncated": 2}


def test_an_answer_is_missing_also_where_a_step_went_wrong_before():
    attempts = [attempt(f"f{i}", "c", False, "format") for i in range(3)] + [attempt("r", "c", True)]
    attempts += [attempt(f"s{i}", "c", False, "equation").model_copy(update={"answer": None}) for i in range(2)]
    weakness = named(diagnose(attempts))["giving a final answer"]
    assert weakness.pass_rate == pytest.approx(1 / 6) and weakness.severity == pytest.approx(3 / 6, abs=0.05)
    assert weakness.description == "5 of 6 answers end without one."


def test_a_bare_number_is_no_example_of_a_wrong_step():
    attempts = [attempt(f"w{i}", "c", False, "equation", text="9 = 3") for i in range(3)]
    assert "for example" not in named(diagnose(attempts))[CARRY].description


def test_problems_without_skills_have_one_weakness():
    diagnosis = diagnose([attempt(f"n{i}", "n", i == 0) for i in range(4)])
    assert [(w.name, w.pass_rate, w.severity) for w in diagnosis.weaknesses] == [("wrong answers", 0.25, 0.75)]
    assert diagnosis.mastery == ()


def test_mastery_is_a_decayed_beta_posterior():
    first = diagnose([attempt("a", "c", True), attempt("b", "c", False, score=0.25), attempt("c", "c", False)])
    (mastery,) = first.mastery
    assert (mastery.skill, mastery.alpha, mastery.beta) == (CARRY, 2.25, 2.75)
    second = diagnose([attempt("d", "c", True, cycle=2)], [first])
    assert (second.mastery[0].alpha, second.mastery[0].beta) == (1 + 0.5 * 1.25 + 1, 1 + 0.5 * 1.75)
    third = diagnose([attempt("e", "n", True, cycle=3)], [first, second], decay=0.0)
    assert (third.mastery[0].alpha, third.mastery[0].beta) == (1.0, 1.0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(PROBLEMS)),
            st.booleans(),
            st.sampled_from([None, "equation", "format", "repetition", "copied", "truncated", "answer"]),
            st.sampled_from([None, BORROW, CARRY, "division"]),
            st.sampled_from(["stop", "length"]),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_every_failure_is_laid_to_something_exactly_once(rows):
    attempts = [attempt(f"a{i}", p, ok, kind, skill, finish=f) for i, (p, ok, kind, skill, f) in enumerate(rows)]
    diagnosis = diagnose(attempts, threshold=1.0, min_support=1, certainty=0)
    failed = {a.id for a in attempts if not a.correct}
    found = attribute(Collector(PROBLEMS, frequent_patterns(attempts)).collect(attempts))
    assert found.blame.sum() == pytest.approx(len(failed))
    assert (found.successes >= 0).all() and (found.failures >= 0).all()
    assert (found.alpha > 0).all() and (found.beta > 0).all()
    assert sum(w.severity for w in diagnosis.weaknesses) <= len(failed) / len(attempts) + 1e-9
    assert sum(diagnosis.errors.values()) == len(failed)
    assert all(set(w.evidence) <= failed and len(w.evidence) <= 5 for w in diagnosis.weaknesses)
    assert diagnosis == diagnose(attempts, threshold=1.0, min_support=1, certainty=0)
    severities = [w.severity for w in diagnosis.weaknesses]
    assert severities == sorted(severities, reverse=True)


def test_wrong_input_is_named():
    with pytest.raises(InputError, match="no attempts"):
        diagnose([])
    with pytest.raises(InputError, match="unknown problem 'gone'"):
        diagnose([attempt("a", "gone", True)])
    for options in ({"threshold": 0}, {"decay": 2}, {"min_support": 0}, {"certainty": 2}, {"pull": -1}):
        with pytest.raises(InputError, match=f"{next(iter(options))} .* out of range"):
            SkillDiagnostician(**options)


def untagged(count=40):
    """Return sums and legs, none of them tagged."""
    asked = [
        ("Add {} and {}.", "How many legs do {} dogs and {} birds have?")[n % 2].format(n, n + 2) for n in range(count)
    ]
    return {f"u{n}": Problem(id=f"u{n}", question=question, answer="1") for n, question in enumerate(asked)}


def test_kinds_are_discovered_where_there_are_no_tags():
    problems = untagged()
    attempts = [attempt(f"a{n}", f"u{n}", n % 2 == 0 or n < 10) for n in range(40)]
    first = SkillDiagnostician().diagnose(problems, attempts, [])
    assert [(w.name, w.pass_rate, w.support) for w in first.weaknesses] == [("birds dogs", 0.25, 20)]
    assert {mastery.skill for mastery in first.mastery} == {"birds dogs", "add"}
    assert {skill.name: len(skill.problem_ids) for skill in first.discovered} == {"birds dogs": 20, "add": 20}
    second = SkillDiagnostician().diagnose(problems, attempts, [first])
    assert second.discovered == first.discovered


def test_a_skill_that_fails_in_all_discovered_kinds_is_a_weakness_of_its_own():
    problems = untagged()
    attempts = [attempt(f"a{n}", f"u{n}", n >= 24, n < 24 and "equation", BORROW) for n in range(40)]
    diagnosis = SkillDiagnostician().diagnose(problems, attempts, [])
    assert diagnosis.weaknesses[0].name == BORROW
    assert diagnosis.weaknesses[0].severity == pytest.approx(0.6)
    assert sum(weakness.severity for weakness in diagnosis.weaknesses) == pytest.approx(0.6)


def test_discovery_can_be_switched_off_and_does_nothing_for_tags():
    problems = untagged()
    attempts = [attempt(f"a{n}", f"u{n}", False) for n in range(40)]
    plain = SkillDiagnostician(discover=False).diagnose(problems, attempts, [])
    assert [weakness.name for weakness in plain.weaknesses] == ["wrong answers"] and not plain.discovered
    tags = {name: problem.model_copy(update={"skills": ("x",)}) for name, problem in problems.items()}
    never = SkillDiagnostician(encoder="tests:nobody")  # would be refused at its first use
    assert [weakness.name for weakness in never.diagnose(tags, attempts, []).weaknesses] == ["x"]
    with pytest.raises(InputError, match="nobody"):
        never.diagnose(problems, attempts, [])
