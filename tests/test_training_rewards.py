"""The parts of the reward, one by one, and the whole."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.agents.steps.checker import ArithmeticChecker
from tutelage.answers import extract_answer, same
from tutelage.errors import InputError, RunError
from tutelage.memory.embedders.static import StaticEmbedder
from tutelage.schema import Grade, Problem
from tutelage.testing.embedder import HashEmbedder
from tutelage.training.rewards import PARTS, Graded, Mixture, Recipe, Tools, read_recipe
from tutelage.training.rewards.clean import clean
from tutelage.training.rewards.consistent import Consistent
from tutelage.training.rewards.length import Length
from tutelage.training.rewards.rationale import take_apart
from tutelage.training.rewards.tiers import Tiers

CHECKER = {"name": "arithmetic", "options": {}}


def graded(text: str, gold: str = "12", question: str = "3 + 4 + 5 =", stopped: bool = True, **metadata) -> Graded:
    problem = Problem(id="p", question=question, answer=gold, metadata=metadata)
    answer = extract_answer(text)
    return Graded(problem, text, Grade(answer, float(answer is not None and same(answer, gold))), stopped)


class Angle:
    """Puts the cosine of any two texts at a given value."""

    name = "angle"

    def __init__(self, cosine: float) -> None:
        self.cosine = cosine

    def embed(self, texts):
        assert len(texts) == 2
        return [[1.0, 0.0], [self.cosine, math.sqrt(1 - self.cosine**2)]]


class Unused:
    name = "unused"

    def embed(self, texts):
        raise AssertionError("nothing to compare")


hostile = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            ["Answer:", "12", " ", "\n", "=", "3 + 4 = 7.", "not", "{0}", "%s", "<|im_end|>", "\\boxed{", "٣"]
        )
    ).map("".join),
)


@pytest.mark.parametrize("name", sorted(PARTS))
@settings(max_examples=25)
@given(text=hostile, gold=hostile.filter(str.strip), stopped=st.booleans())
def test_every_part_is_in_the_unit_interval_for_any_text(name: str, text: str, gold: str, stopped: bool) -> None:
    part = PARTS[name](TOOLS)
    sample = graded(text, gold, stopped=stopped, old="7")
    value = part(*sample)
    assert 0.0 <= value <= 1.0
    assert part(*sample) == value


TOOLS = Tools(checker=CHECKER)


@pytest.mark.parametrize("text", ["", " \n", "Answer:", "Answer: ...", "Answer: \u200b", "12"])
def test_a_text_without_an_answer_gets_nothing_in_tiers(text: str) -> None:
    assert Tiers(Unused())(*graded(text)) == 0.0


@pytest.mark.parametrize(
    ("answer", "gold", "worth"),
    [
        ("Paris", "paris", 1.0),
        ("12.0", "12", 1.0),
        ("the city of Paris", "Paris", 0.75),
        ("it is not Paris", "Paris", 0.0),
        ("it isn't Paris", "Paris", 0.0),
        ("it isn’t Paris", "Paris", 0.0),
        ("definitely not allowed", "not allowed", 0.75),
        ("12 apples", "12", 0.75),
        ("12 or 13", "12", 0.0),
        ("13", "12", 0.0),
    ],
)
def test_tiers_go_by_words(answer: str, gold: str, worth: float) -> None:
    assert Tiers(HashEmbedder())(*graded(f"Answer: {answer}", gold)) == worth


@pytest.mark.parametrize(
    ("cosine", "worth"), [(0.84999, 0.0), (0.85, 0.4), (0.925, 0.5), (1.0, 0.6), (0.0, 0.0), (-1.0, 0.0)]
)
def test_tiers_go_by_likeness_last(cosine: float, worth: float) -> None:
    assert Tiers(Angle(cosine))(*graded("Answer: the French capital", "Paris")) == pytest.approx(worth)


def test_another_number_is_never_near() -> None:
    assert Tiers(Angle(1.0))(*graded("Answer: 17", "18")) == 0.0


def test_the_real_embedder_finds_another_wording() -> None:
    tiers = Tiers(StaticEmbedder())
    assert 0.4 <= tiers(*graded("Answer: tennis players", "tennis player")) <= 0.6
    assert tiers(*graded("Answer: a baker", "professional tennis player")) == 0.0


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("7 + 5 = 12. Answer: 12", 1.0),
        ("Answer: 12\nSo it is 12.", 0.4),
        ("Answer: 12 Answer: 12", 0.8),
        ("Answer: 1\nAnswer: 2\nAnswer: 3\nAnswer: 4\nAnswer: 5\nAnswer: 6\nAnswer: 12", 0.2),
        ("a" * 2000 + " Answer: 12", 0.6),
        ("Answer: 3\nAnswer: 12\nand then", 0.2),
        ("a" * 2000 + "\nAnswer: 12\nand then", 0.0),
        ("12", 0.0),
    ],
)
def test_clean_deducts_as_etcon_does(text: str, worth: float) -> None:
    assert clean(*graded(text)) == pytest.approx(worth)


def test_the_lines_of_a_long_answer_do_not_trail() -> None:
    problem = Problem(question="?", answer="1\n2")
    assert clean(problem, "Answer: 1\n2", Grade("1\n2", 1.0), True) == 1.0


@pytest.mark.parametrize("checker", [None, ArithmeticChecker()])
@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("3 + 4 = 7. 7 + 5 = 12. Answer: 12", 1.0),
        ("3 + 4 = 7. 7 + 5 = 13. Answer: 13", 1.0),  # wrong, and consistent
        ("3 + 4 = 7.\n7 + 5 = 12\nAnswer: 12.0", 1.0),
        ("3 + 4 = 7. 7 + 5 = 12. Answer: 11", 0.0),
        ("12 it was. But now I think otherwise. Answer: 12", 0.5),
        ("3 + 4 + 5 = 12. It cannot be 12. Answer: 12", 0.0),
        ("7 = 3 + 4. Answer: 7", 0.5),
        ("Answer: 12", 0.0),
        ("12. Answer:", 0.0),
        ("", 0.0),
    ],
)
def test_consistent_reads_the_last_step(checker, text: str, worth: float) -> None:
    assert Consistent(checker)(*graded(text)) == worth


def test_the_checker_speaks_against_an_answer_that_an_earlier_step_gave() -> None:
    text = graded("3 + 4 = 7. 7 + 5 = 12. Answer: 7")
    assert Consistent()(*text) == 0.5  # said, but not concluded
    assert Consistent(ArithmeticChecker())(*text) == 0.0


FACT = {"gold": "Rome", "question": "Where was Ada born?", "old": "Paris"}


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("The records say Rome. So she was born in Rome. Answer: Rome", 1.0),
        ("Some say Rome. Still, she was born in Paris. Answer: Rome", 0.0),
        ("Some say Rome. Still, nobody knows. Answer: Rome", 0.5),
        ("Not in Paris, as was thought, but in Rome. Answer: Rome", 1.0),
        ("She was born in Paris. Answer: Rome", 0.0),
        ("Romeo wrote so. Answer: Rome", 0.0),
        ("She was not born in Rome. Answer: Rome", 0.0),
        ("Some say Rome. Rome it isn’t. Answer: Rome", 0.0),
        ("Some say Rome. She was not born in Paris. Answer: Rome", 0.5),
    ],
)
def test_a_rationale_for_the_old_answer_contradicts_the_new_one(text: str, worth: float) -> None:
    assert Consistent(ArithmeticChecker())(*graded(text, **FACT)) == worth


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("The book is old. J. R. R. Tolkien wrote it. Answer: J. R. R. Tolkien", 1.0),
        ("J. R. R. Tolkien wrote it, they say. I doubt it. Answer: J. R. R. Tolkien", 0.5),
        ("J. K. Rowling wrote it. Answer: J. R. R. Tolkien", 0.0),
    ],
)
def test_a_full_stop_within_an_answer_ends_no_step(text: str, worth: float) -> None:
    assert Consistent()(*graded(text, gold="J. R. R. Tolkien", question="Who wrote it?")) == worth


def test_consistency_is_no_constant() -> None:
    """In the code that the authors of EtCon published it is one, so that nothing trains it."""
    mixture = Mixture(read_recipe("etcon", None), Tools(checker=CHECKER))
    texts = ["It is Rome. Answer: Rome", "It is Paris. Answer: Rome", "Rome. Or not. Answer: Rome"]
    values = mixture.values([graded(text, **FACT) for text in texts])
    assert values["consistent"] == [1.0, 0.0, 0.5]
    assert values["tiers"] == [1.0, 1.0, 1.0]


def test_length_falls_from_the_target_to_twice_that() -> None:
    part = Length(10)
    assert [part(*graded("a" * n)) for n in (0, 10, 15, 20, 1000)] == [1.0, 1.0, 0.5, 0.0, 0.0]


@settings(max_examples=25)
@given(st.text(max_size=80))
def test_taking_apart_loses_no_answer(text: str) -> None:
    parts = take_apart(f"{text}\nAnswer: 12")
    assert parts.declared >= 1 and parts.trailing == ""
    assert all(step in text for step in parts.steps if "answer:" not in text.lower())


def worth(text: str, stopped: bool = True) -> float:
    recipe = read_recipe("etcon", None)
    values = Mixture(recipe, Tools(checker=CHECKER)).values([graded(text, stopped=stopped)])
    return sum(weight * values[name][0] for name, weight in recipe.weights.items())


def test_the_preset_is_etcon_s_by_hand() -> None:
    right = "3 + 4 = 7. 7 + 5 = 12. Answer: 12"
    assert worth(right) == pytest.approx(0.70 + 0.15 + 0.10 + 0.05)
    assert worth(right + "\nSo it is.") == pytest.approx(0.70 + 0.15 * 0.4 + 0.10 + 0.05)
    assert worth("Answer: 12") == pytest.approx(0.70 + 0.15 + 0.05)
    assert worth("3 + 4 = 7. Answer: 12 pears") == pytest.approx(0.70 * 0.75 + 0.15 + 0.05)
    assert worth("3 + 4 = 8. 8 + 5 = 13. Answer: 13") == pytest.approx(0.15 + 0.10 + 0.05)


def test_a_shut_gate_leaves_nothing() -> None:
    assert worth("3 + 4 = 7. 7 + 5 = 12. Answer: 12", stopped=False) == 0.0
    assert worth("7 + 5 = 12") == 0.0
    mixture = Mixture(Recipe({"correct": 1.0}, ("format",)), Tools())
    assert mixture.values([graded("Answer: 12", stopped=False), graded("Answer: 12")]) == {
        "correct": [0.0, 1.0],
        "gated": [1.0, 0.0],
    }


def test_gates_are_the_preset_s_unless_they_are_given() -> None:
    assert read_recipe("etcon", None).gates == ("format",)
    assert read_recipe("etcon", []).gates == ()
    with pytest.raises(InputError, match="gates: unknown part 'claen'; did you mean 'clean'"):
        Mixture(read_recipe(None, ["claen"]), Tools())
    assert read_recipe(None, ["clean", "clean"]) == Recipe({"correct": 1.0, "format": 0.1}, ("clean",))


def test_the_embedder_is_made_for_a_part_with_weight_alone() -> None:
    tools = Tools(embedder="tests.nowhere:Embedder")
    Mixture(read_recipe({"tiers": 0.0, "correct": 1.0}, None), tools)
    with pytest.raises(Exception, match="cannot be imported"):
        Mixture(read_recipe({"tiers": 0.1, "correct": 1.0}, None), tools)


def fails(problem: Problem, text: str, grade: Grade, stopped: bool) -> float:
    return [math.nan, 1.0][len(text)]


def test_a_part_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tutelage.training.rewards.parts.resolve", lambda seam, name: fails)
    mixture = Mixture(Recipe({"mine:fails": 1.0}), Tools())
    for text, message in [
        ("", "reward mine:fails: problem p: gave nan"),
        ("xx", "reward mine:fails: problem p: IndexE"),
    ]:
        with pytest.raises(RunError, match=message) as caught:
            mixture.values([graded(text)])
        assert "\n" not in str(caught.value)
