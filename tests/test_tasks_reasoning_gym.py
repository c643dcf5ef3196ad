import json

import pytest

from tutelage.errors import InputError
from tutelage.schema import Problem, Split
from tutelage.shares import apportion
from tutelage.tasks.reasoning_gym import ReasoningGymTask
from tutelage.tasks.splits import check_splits

SMALL = {"min_terms": 2, "max_terms": 3, "min_digits": 1, "max_digits": 2}
SIZES = {Split.TRAIN: 30, Split.PROBE: 10, Split.GATE: 10, Split.TEST: 10}


@pytest.fixture(scope="module")
def sums():
    return ReasoningGymTask("chain_sum", SIZES, params=SMALL)


def test_splits_are_complete_disjoint_and_repeatable(sums):
    check_splits(sums)
    splits = sums.splits()
    assert {split: len(problems) for split, problems in splits.items()} == SIZES
    assert ReasoningGymTask("chain_sum", SIZES, params=SMALL).splits() == splits
    assert ReasoningGymTask("chain_sum", SIZES, seed=1, params=SMALL).splits() != splits


def test_a_larger_train_split_leaves_the_exams_alone(sums):
    larger = ReasoningGymTask("chain_sum", {**SIZES, Split.TRAIN: 60}, params=SMALL).splits()
    for split in (Split.PROBE, Split.GATE, Split.TEST):
        assert larger[split] == sums.splits()[split]


def test_skills_name_the_steps(sums, monkeypatch):
    monkeypatch.setattr("tutelage.tasks.reasoning_gym.skills_of", lambda expression: (f"skill of {expression}",))
    problem = ReasoningGymTask("chain_sum", {"test": 1}, params=SMALL).splits()["test"][0]
    assert problem.skills == (f"skill of {problem.metadata['expression']}",)
    assert problem.metadata["expression"] in problem.question
    mixed = ReasoningGymTask([{"name": "chain_sum"}, {"name": "gcd"}], {"test": 8}).splits()["test"]
    assert {skill for problem in mixed for skill in problem.skills} >= {"chain_sum", "gcd"}


def test_countdown_does_not_take_skills_from_its_answer():
    assert ReasoningGymTask("countdown", {"test": 1}).splits()["test"][0].skills == ("countdown",)


def test_mixture_keeps_its_weights():
    parts = [{"name": "chain_sum", "weight": 3}, {"name": "gcd", "weight": 1}]
    task = ReasoningGymTask(parts, {"train": 20, "gate": 8})
    for split, n in (("train", 5), ("gate", 2)):
        names = [problem.metadata["source_dataset"] for problem in task.splits()[split]]
        assert names.count("gcd") == n and names != sorted(names)


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [(10, [1, 1, 1], [4, 3, 3]), (7, [98, 2], [7, 0]), (3, [1], [3]), (5, [0.5, 2], [1, 4])],
)
def test_apportion(total, weights, shares):
    assert apportion(total, weights) == shares


def test_grading_keeps_partial_credit(sums):
    problem = sums.splits()[Split.TEST][0]
    right = sums.grade(problem, f"Let us see.\n**Answer: {problem.answer}.**")
    assert right == (problem.answer, 1.0)
    assert sums.grade(problem, problem.answer) == (None, 0.0)
    wrong = sums.grade(problem, f"Answer: {int(problem.answer) + 1}")
    assert 0 <= wrong.score < 1
    partly = sums.grade(problem, f"Answer: {problem.answer} apples")
    assert 0 < partly.score < 1


def test_any_valid_answer_is_right():
    task = ReasoningGymTask("countdown", {"test": 1})
    problem = task.splits()["test"][0]
    assert task.grade(problem, f"Answer: ({problem.answer})").score == 1
    assert task.grade(problem, f"Answer: {problem.metadata['target']}").score < 1


@pytest.mark.parametrize(
    "dataset", ["n_queens", "graph_color", "sentence_reordering", "gsm_symbolic", "propositional_logic"]
)
def test_gold_answers_of_unlike_data_sets_are_right(dataset):
    task = ReasoningGymTask(dataset, {"train": 2, "probe": 1, "gate": 1, "test": 1})
    check_splits(task)
    for problem in task.splits()["train"]:
        assert json.loads(json.dumps(problem.metadata)) == problem.metadata


def test_gsm_symbolic_brings_rationales():
    task = ReasoningGymTask("gsm_symbolic", {"train": 3})
    for problem in task.splits()["train"]:
        assert problem.reference and "####" not in problem.reference
        assert task.grade(problem, problem.reference).score == 1


def test_a_verifier_that_raises_scores_zero(sums, monkeypatch):
    class Broken:
        def score_answer(self, answer, entry):
            raise KeyError(answer)

    monkeypatch.setitem(sums._verifiers, "chain_sum", Broken())
    problem = sums.splits()[Split.TEST][0]
    assert sums.grade(problem, "Answer: nonsense") == ("nonsense", 0.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ReasoningGymTask("chain_summ", {"train": 1}), "did you mean 'chain_sum'"),
        (lambda: ReasoningGymTask("chain_sum", {"train": 1}, params={"min_term": 1}), "params.min_term.*'min_terms'"),
        (lambda: ReasoningGymTask("chain_sum", {"train": 1}, params={"max_terms": 1}), "max_terms"),
        (lambda: ReasoningGymTask("chain_sum", {"train": 1}, params={"min_terms": "x"}), "min_terms"),
        (lambda: ReasoningGymTask("chain_sum", {"train": 1}, params={"seed": 1}), "params.seed"),
        (lambda: ReasoningGymTask("chain_sum", {}), "sizes"),
        (lambda: ReasoningGymTask("chain_sum", {"tran": 1}), "'tran'"),
        (lambda: ReasoningGymTask("chain_sum", {"train": 0}), "sizes.train"),
        (lambda: ReasoningGymTask([], {"train": 1}), "dataset"),
        (lambda: ReasoningGymTask([{"nam": "gcd"}], {"train": 1}), r"dataset\.0\.name"),
        (lambda: ReasoningGymTask([{"name": "gcd", "weight": 0}], {"train": 1}), r"dataset\.0\.weight"),
        (lambda: ReasoningGymTask([{"name": "gcd"}], {"train": 1}, params={"a": 1}), "params"),
        (lambda: ReasoningGymTask("rush_hour", {"train": 1}).splits(), "no gold answer"),
    ],
)
def test_wrong_options_name_the_field(make, message):
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_too_few_questions_name_the_split():
    task = ReasoningGymTask("chain_sum", {"test": 20, "train": 500}, params={**SMALL, "max_terms": 2, "max_digits": 1})
    with pytest.raises(InputError, match=r"split 'train' wants 500 problems, but only 180"):
        task.splits()


def test_a_generator_that_fails_names_its_parameters(monkeypatch):
    class Broken:
        def __getitem__(self, index):
            raise RuntimeError("nothing fits\nat all")

    task = ReasoningGymTask("gcd", {"test": 1}, params={"max_value": 50})
    monkeypatch.setattr("tutelage.tasks.generators.Generator.make", lambda self, seed, size: Broken())
    with pytest.raises(InputError, match=r"gcd: params: max_value: nothing fits$"):
        task.splits()


class Canned:
    instruction = None

    def __init__(self, **splits):
        self._splits = {Split(name): problems for name, problems in splits.items()}

    def splits(self):
        return self._splits

    def grade(self, problem, text):
        from tutelage.schema import Grade

        return Grade(None, float(text == f"Answer: {problem.answer}" and problem.answer != "bad"))


def _one(question, answer="1", **more):
    return [Problem(question=question, answer=answer, **more)]


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (Canned(train=_one("a"), probe=_one("b"), gate=_one("c")), "'test' is empty"),
        (
            Canned(train=_one("a"), probe=_one("b"), gate=_one("c"), test=_one("a", "2")),
            r"test\[0\].*question as train\[0\]",
        ),
        (
            Canned(train=_one("a", id="x"), probe=_one("b", id="x"), gate=_one("c"), test=_one("d")),
            r"same id as train\[0\]",
        ),
        (Canned(train=_one("a"), probe=_one("b"), gate=_one("c"), test=_one("d", "bad")), r"test\[0\] \('d'\).*'bad'"),
    ],
)
def test_check_splits(task, message):
    with pytest.raises(InputError, match=message):
        check_splits(task)
    check_splits(Canned(train=_one("a")), required=[Split.TRAIN])


def test_fresh_problems_need_the_skill_and_are_not_known(sums):
    known = {problem.question for some in sums.splits().values() for problem in some}
    found = sums.fresh("from a negative number", 6, 1, known)
    assert len({problem.question for problem in found} - known) == 6
    assert all("from a negative number" in problem.skills for problem in found)
    assert sums.fresh("from a negative number", 6, 1, known) == found
    assert not {p.id for p in found} & {p.id for p in sums.fresh("from a negative number", 6, 2, known)}
    assert sums.fresh("division", 6, 1, known) == []
    assert len(sums.fresh(None, 6, 1, {problem.question for problem in found})) == 6


def test_fresh_problems_of_a_mixture_keep_its_weights():
    task = ReasoningGymTask([{"name": "chain_sum", "weight": 3}, {"name": "gcd", "weight": 1}], {"train": 4})
    assert [problem.skills[0] for problem in task.fresh(None, 8, 0, ())] == ["chain_sum"] * 6 + ["gcd"] * 2
    assert {problem.skills for problem in task.fresh("gcd", 8, 0, ())} == {("gcd",)}


def test_a_fresh_problem_is_graded_alike_when_it_was_read_back():
    task = ReasoningGymTask("countdown", {"test": 1})
    (problem,) = task.fresh(None, 1, 0, ())
    read_back = Problem.model_validate_json(problem.model_dump_json())
    assert task.grade(read_back, f"Answer: ({problem.answer})").score == 1
    assert task._drawn_again(read_back)["metadata"]["source_index"] == read_back.metadata["source_index"]
    assert task.grade(read_back, "Answer: 1").score < 1
