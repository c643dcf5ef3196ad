from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from tutelage.agents.discovery.discoverer import Discoverer
from tutelage.agents.discovery.naming import named, telling_terms
from tutelage.agents.discovery.patterns import find_patterns
from tutelage.agents.discovery.texts import Texts
from tutelage.agents.discovery.wording import masked, shown, words
from tutelage.errors import InputError
from tutelage.schema import Attempt, Diagnosis, Problem, Split, Weakness, WrongStep
from tutelage.tagging import tagged
from tutelage.tasks.reasoning_gym import ReasoningGymTask
from tutelage.testing import planted_skills

TEXTS = Texts("static")
"""The table of token vectors is read once."""


def discover(problems, *earlier, **options):
    discoverer = Discoverer(**options)
    discoverer.texts = TEXTS
    return discoverer.discover(problems, [found(skills) for skills in earlier])


def found(skills):
    return Diagnosis(cycle=1, student="base", accuracy=0.5, weaknesses=(), mastery=(), discovered=skills)


def planted(count, kinds=tuple(planted_skills.SKILLS), first=0, seed=0):
    """Return problems of these kinds without their tags, and the kind of each."""
    rng, drawn = random.Random(seed), []
    for number in range(first, first + count):
        kind = kinds[number % len(kinds)]
        question = planted_skills.SKILLS[kind][1].format(rng.randint(2, 99), rng.randint(2, 99))
        drawn.append((Problem(id=f"p{number}", question=question, answer="1"), kind))
    return [problem for problem, _ in drawn], {problem.id: kind for problem, kind in drawn}


def kinds_of(skills, truth):
    """Return the one kind that each skill is about."""
    return {skill.name: {truth[id_] for id_ in skill.problem_ids} for skill in skills}


def agreement(skills, problems, truth):
    name_of = {id_: skill.name for skill in skills for id_ in skill.problem_ids}
    return adjusted_rand_score([truth[p.id] for p in problems], [name_of.get(p.id, "none") for p in problems])


def test_planted_kinds_are_found_and_named():
    problems, truth = planted(200)
    skills = discover(problems)
    assert agreement(skills, problems, truth) == 1.0
    by_kind = {kind: skill.name for skill in skills for kind in {truth[id_] for id_ in skill.problem_ids}}
    assert {"sum": "plus", "difference": "minus", "product": "multiply"}.items() <= by_kind.items()
    assert all("; for example: " in skill.description for skill in skills)


def test_a_mixture_of_data_sets_is_told_apart_without_its_tags():
    names = ["chain_sum", "gcd", "lcm", "letter_counting", "spell_backward", "leg_counting"]
    task = ReasoningGymTask([{"name": name, "weight": 1.0} for name in names], {Split.TRAIN: 150})
    drawn = task.splits()[Split.TRAIN]
    truth = {problem.id: problem.metadata["source_dataset"] for problem in drawn}
    problems = [problem.model_copy(update={"skills": ()}) for problem in drawn]
    assert agreement(discover(problems), problems, truth) >= 0.9


def test_the_order_of_the_problems_does_not_count():
    problems, _ = planted(120)
    mixed = random.Random(1).sample(problems, len(problems))
    assert discover(problems) == discover(mixed)


def test_what_was_found_stays_while_no_problem_is_new():
    problems, _ = planted(120)
    skills = discover(problems)
    renamed = tuple(skill.model_copy(update={"name": f"my {skill.name}"}) for skill in skills)
    assert discover(problems, renamed) == renamed
    assert sum(len(skill.problem_ids) for skill in discover(problems[:100], renamed)) == 100


def test_names_stay_when_problems_come_and_go():
    problems, truth = planted(160)
    skills = discover(problems)
    before = kinds_of(skills, truth)
    more, new_truth = planted(160, first=1000, seed=5)
    kept = random.Random(2).sample(problems, 100)
    after = discover([*kept, *more], skills)
    assert kinds_of(after, truth | new_truth) == before
    assert {skill.name: skill.description for skill in after} == {skill.name: skill.description for skill in skills}


def test_a_kind_that_vanishes_leaves_the_other_names_alone_and_has_its_own_back():
    kinds = tuple(planted_skills.SKILLS)
    problems, truth = planted(160, kinds[:6])
    first = discover(problems)
    others, other_truth = planted(160, kinds[1:], first=1000, seed=3)
    truth |= other_truth
    second = discover([p for p in problems if truth[p.id] != kinds[0]] + others, first)
    names = {next(iter(kind)): name for name, kind in kinds_of(first, truth).items()}
    later = {next(iter(kind)): name for name, kind in kinds_of(second, truth).items()}
    assert set(later) == set(kinds[1:])
    assert all(later[kind] == names[kind] for kind in kinds[1:6])
    assert not {later[kinds[6]], later[kinds[7]]} & set(names.values())
    again, again_truth = planted(40, kinds[:1], first=2000, seed=4)
    third = discover([*others, *again], first, second)
    back = {next(iter(kind)): name for name, kind in kinds_of(third, truth | again_truth).items()}
    assert back[kinds[0]] == names[kinds[0]]
    assert all(back[kind] == later[kind] for kind in later)


def test_without_one_problem_in_common_names_go_by_the_words():
    problems, truth = planted(120)
    skills = discover(problems)
    others, other_truth = planted(120, first=1000, seed=8)
    assert kinds_of(discover(others, skills), other_truth) == kinds_of(skills, truth)


def test_few_or_like_problems_are_not_divided():
    assert discover(planted(19)[0]) == ()
    assert discover(planted(60, ("story",))[0]) == ()
    tags = [problem.model_copy(update={"skills": ("x",)}) for problem in planted(60)[0]]
    assert discover(tags) == ()


def test_there_are_no_more_kinds_than_are_allowed():
    assert len(discover(planted(120)[0], most=3)) <= 3
    with pytest.raises(InputError, match="kinds 1 is out of range"):
        Discoverer(most=1)


def test_a_tagged_problem_keeps_its_tags_and_the_others_get_what_was_discovered():
    problems, _ = planted(40)
    mine = problems[0].model_copy(update={"skills": ("mine",)})
    skills = discover(problems)
    done = tagged([mine, *problems[1:], Problem(id="new", question="?", answer="!")], skills)
    assert done[0].skills == ("mine",) and done[-1].skills == ()
    assert all(len(problem.skills) == 1 for problem in done[1:-1])


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("What is 3 + 14?", "What is # + # ?"),
        ("Work out 1,000 - 2.5 + 3 - 4 now", "Work out # + # - # now"),
        ("(3 + 4) * 2", "( # * # + #"),
        ("at 12:30\x1b[31m sharp\u202e", "at # [ # m sharp"),
    ],
)
def test_numbers_and_the_length_of_expressions_do_not_count(text, same):
    assert masked(text) == same


def test_signs_between_numbers_are_words():
    assert words(masked("Take 5 - 3, well-known")) == ["take", "minus", "well", "known"]


def test_names_are_unique_and_never_made_of_what_was_asked_to_be_obeyed():
    assert named(("apples", "buys", "ann"), ()) == "apples buys"
    assert named(("apples", "buys", "ann"), {"apples buys"}) == "apples buys ann"
    assert named(("apples",), {"apples"}) == "apples (2)"
    assert named((), {"problems"}) == "problems (2)"
    assert telling_terms([["# # #"], ["? !"]]) == [(), ()]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=80), min_size=1, max_size=30))
def test_any_text_gives_harmless_words(texts):
    for term in telling_terms([[masked(text) for text in texts], ["apples"]])[0]:
        assert term.isprintable() and 2 <= len(term) <= 24 * 3  # lower case may be longer
    for text in texts:
        assert shown(text, 40).isprintable() and len(shown(text, 40)) <= 40


def wrong(number, problem_id, text, skill=None, kind="equation"):
    at = text.index("=") - 8 if "=" in text else 0
    return Attempt(
        id=f"a{number}", problem_id=problem_id, split=Split.PROBE, cycle=1, student="base", text=text, answer="1",
        score=0.0, correct=False, logprob=-1.0, tokens=5, finish_reason="stop",
        wrong_step=WrongStep(kind=kind, start=max(0, at), end=len(text), expected="25", found="24", skill=skill),
    )  # fmt: skip


def test_a_skill_that_fails_in_several_kinds_of_problem_is_a_pattern_of_its_own():
    kind_of = {f"p{n}": f"kind {n % 4}" for n in range(80)}
    borrow = [wrong(n, f"p{n}", "31 - 6 = 24", "subtraction with borrow") for n in range(20)]
    apples = [wrong(100 + n, f"p{4 * n}", "3 * 6 = 24", "multiplication") for n in range(16)]  # all of kind 0
    rare = [wrong(200 + n, f"p{n}", "3 + 6 = 24", "addition") for n in range(4)]
    (pattern,) = find_patterns([*apples, *borrow, *rare], kind_of, 100, TEXTS)
    assert pattern.name == "subtraction with borrow"
    assert {one.id for one in pattern.failures} == {one.id for one in borrow}
    assert pattern.description.startswith("20 of 100 answers take a wrong step of this kind (equation)")


def test_steps_without_a_skill_are_told_apart_by_their_words_and_keep_their_names():
    kind_of = {f"p{n}": f"kind {n % 4}" for n in range(80)}
    half = [wrong(n, f"p{n}", f"Half of the marbles is {n} = 24", kind="unit") for n in range(12)]
    speed = [wrong(50 + n, f"p{n}", f"The speed of the train in miles is {n} = 24", kind="unit") for n in range(10)]
    patterns = find_patterns([*half, *speed], kind_of, 100, TEXTS)
    assert [{one.id for one in p.failures} for p in patterns] == [{a.id for a in half}, {a.id for a in speed}]
    assert all(pattern.name.startswith("unit: ") for pattern in patterns)
    before = found(()).model_copy(update={"weaknesses": tuple(map(weakness, patterns))})
    again = find_patterns([*speed, *half[:9]], kind_of, 100, TEXTS, [before])
    assert [p.name for p in again] == [patterns[1].name, patterns[0].name]


def weakness(pattern):
    return Weakness(name=pattern.name, pass_rate=0.5, support=10, severity=0.5)
