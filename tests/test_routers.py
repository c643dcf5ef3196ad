"""Routers choose a right teacher by the question alone, say when they cannot yet, and survive being saved."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from tutelage.agents.purifiers import head
from tutelage.agents.purifiers.classifier import ClassifierRouter
from tutelage.agents.purifiers.labels import Labels
from tutelage.agents.purifiers.learnability import LEARNABILITY
from tutelage.agents.purifiers.personalised import PersonalisedRouter
from tutelage.agents.purifiers.plackett_luce import PlackettLuceRouter
from tutelage.agents.purifiers.router import Router
from tutelage.agents.purifiers.similarity import SimilarityRouter, question_loss, teacher_loss
from tutelage.errors import InputError, RunError
from tutelage.schema import Problem, Rationale
from tutelage.testing.planted_skills import SKILLS, TEACHERS, evidence, held_out, problem, right_teacher

ROUTERS: list[Callable[..., Router]] = [PlackettLuceRouter, ClassifierRouter, SimilarityRouter, PersonalisedRouter]


@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train for a third of the steps: enough where the question is not how well a router learns."""
    monkeypatch.setattr(head, "STEPS", 100)


@pytest.mark.parametrize("make", ROUTERS)
@pytest.mark.parametrize("encoder", ["static", pytest.param("minilm", marks=pytest.mark.slow)])
def test_a_right_teacher_is_chosen_for_new_questions(make: Callable[..., Router], encoder: str) -> None:
    router = make(encoder=encoder)
    router.fit(evidence(400))
    asked = held_out(200)
    chances = router.route(asked, TEACHERS)
    chosen = [max(chances[one.id], key=chances[one.id].__getitem__) for one in asked]
    assert sum(name == right_teacher(one) for name, one in zip(chosen, asked, strict=True)) >= 0.9 * len(asked)
    assert all(sum(row.values()) == pytest.approx(1, abs=1e-4) for row in chances.values())


@pytest.mark.parametrize("make", ROUTERS)
def test_on_few_labels_it_says_so_and_consensus_decides(make: Callable[..., Router]) -> None:
    router = make(encoder="static")
    router.fit(evidence(20))
    assert router.not_ready == "not ready: 20 questions that tell teachers apart, 50 needed"
    assert router.route(held_out(3), TEACHERS) == {}
    some = [
        Rationale(id=f"{n}", teacher=n, text=n, answer=a, verified=True) for n, a in zip(TEACHERS, "1221", strict=True)
    ]
    some[2] = some[2].model_copy(update={"answer": "1"})
    found = router.purify(problem(random.Random(0), 1), some)
    assert found.rationales[0].id == "a" and found.fallback == router.not_ready


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize("make", ROUTERS)
def test_what_was_saved_routes_alike(make: Callable[..., Router], tmp_path: Path) -> None:
    router, again = make(encoder="static"), make(encoder="static")
    router.fit(evidence(120))
    router.save(tmp_path)
    again.load(tmp_path)
    asked = held_out(30)
    assert again.route(asked, TEACHERS) == router.route(asked, TEACHERS)
    with pytest.raises(RunError, match=r"is of '.*' over 'static'; delete the folder"):
        make(encoder="minilm").load(tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.suffix not in (".json", ".safetensors")]


@pytest.mark.parametrize("make", ROUTERS[:3])
def test_questions_on_which_all_are_right_tell_nobody_apart(make: Callable[..., Router], tmp_path: Path) -> None:
    router = make(encoder="static")
    some = evidence(60)
    router.fit([one.model_copy(update={"verified": True}) for one in some[: 4 * 59]] + some[4 * 59 :])
    assert router.not_ready == "not ready: 1 questions that tell teachers apart, 50 needed"
    router.save(tmp_path)
    make(encoder="static").load(tmp_path)


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize("make", ROUTERS)
def test_who_was_seldom_asked_is_not_taken_to_be_wrong(make: Callable[..., Router]) -> None:
    """Teacher c is nearly always right, but was asked about a third of the questions only."""
    rng, some = random.Random(4), []
    for one in evidence(240, teachers=("a", "b", "c")):
        if one.teacher != "c" or int(one.problem.id[1:]) % 3 == 0:
            chance = {"a": 0.3, "b": 0.3, "c": 0.95}[one.teacher]
            some.append(one.model_copy(update={"verified": rng.random() < chance}))
    router = make(encoder="static")
    router.fit(some)
    chances = router.route(held_out(40), ("a", "b", "c"))
    assert sum(max(row, key=row.__getitem__) == "c" for row in chances.values()) >= 30


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize("make", ROUTERS)
def test_only_teachers_that_may_be_asked_and_that_it_knows_are_scored(make: Callable[..., Router]) -> None:
    router = make(encoder="static")
    router.fit(evidence(80))
    (row,) = router.route(held_out(1), ("b", "new", "d")).values()
    assert set(row) == {"b", "d"}
    assert router.route(held_out(1), ("new",)) == {} and router.route([], TEACHERS) == {}


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize("make", ROUTERS)
def test_a_student_that_mostly_fails_turns_no_router_against_the_teacher_it_chose(make: Callable[..., Router]) -> None:
    """On half of the questions all are right, so that failing leaves the chosen one without a label there."""
    rng, some = random.Random(2), []
    for one in evidence(300):
        failed = right_teacher(one.problem) == one.teacher and rng.random() < 0.7
        all_right = int(one.problem.id[1:]) // len(SKILLS) % 2 == 0
        some.append(
            one.model_copy(
                update={"verified": one.verified or all_right, "fixed": False if failed else None, "taught": failed}
            )
        )
    router = make(encoder="static")
    router.fit(some)
    asked = held_out(200)
    chances = router.route(asked, TEACHERS)
    chosen = [max(chances[one.id], key=chances[one.id].__getitem__) for one in asked]
    assert sum(name == right_teacher(one) for name, one in zip(chosen, asked, strict=True)) >= 0.9 * len(asked)


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize("make", ROUTERS)
def test_of_two_that_are_right_the_one_that_does_not_help_is_chosen_less(make: Callable[..., Router]) -> None:
    """Where a is right, it was taught, and never helped; b is right there too, c never."""
    some = [
        one.model_copy(update={"verified": one.teacher != "c", "fixed": False if one.teacher == "a" else None})
        for one in evidence(200, teachers=("a", "b", "c"))
    ]
    router = make(encoder="static")
    router.fit(some)
    chances = router.route(held_out(40), ("a", "b", "c"))
    assert all(max(row, key=row.__getitem__) == "b" for row in chances.values())


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize("make", ROUTERS)
def test_a_second_run_begins_anew(make: Callable[..., Router], tmp_path: Path) -> None:
    router = make(encoder="static")
    router.fit(evidence(80))
    router.fit([])
    router.save(tmp_path)
    router.load(tmp_path)
    assert router.not_ready and router.route(held_out(1), TEACHERS) == {}
    assert sum(array.size for array in load_file(tmp_path / "router.safetensors").values()) == 0


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize("make", ROUTERS)
def test_it_learns_alike_in_whatever_order_evidence_comes(make: Callable[..., Router]) -> None:
    some, other = evidence(80), evidence(80)
    random.Random(1).shuffle(other)
    routers = make(encoder="static"), make(encoder="static")
    for router, given in zip(routers, (some, other), strict=True):
        router.fit(given)
    one, two = (router.route(held_out(20), TEACHERS) for router in routers)
    assert one == two


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize("damage", ["router.json", "router.safetensors"])
def test_damaged_files_are_named_with_the_remedy(damage: str, tmp_path: Path) -> None:
    router = ClassifierRouter(encoder="static")
    router.fit(evidence(80))
    router.save(tmp_path)
    (tmp_path / damage).write_bytes((tmp_path / damage).read_bytes()[:40])
    with pytest.raises(RunError, match=f"{tmp_path}: cannot be read: .*; delete the folder"):
        router.load(tmp_path)


def test_questions_on_which_all_are_wrong_tell_a_personalised_router_nothing() -> None:
    router = PersonalisedRouter(encoder="static")
    router.fit([one.model_copy(update={"verified": False}) for one in evidence(60)])
    assert router.not_ready == "not ready: 0 questions that tell teachers apart, 50 needed"


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize(("make", "asked"), [(ClassifierRouter, 0), (PersonalisedRouter, 1)])
def test_once_ready_the_student_is_asked_only_where_it_matters(make: Callable[..., Router], asked: int) -> None:
    measured: list[int] = []

    class Student:
        def likelihoods(self, texts: list[tuple[Problem, str]]) -> list[float]:
            measured.append(len(texts))
            return [-1.0] * len(texts)

    router = make(encoder="static")
    router.meet(Student())  # type: ignore[arg-type]
    router.fit(evidence(80))
    one = problem(random.Random(0), 1)
    some = [Rationale(id=n, problem_id=one.id, teacher=n, text=n, answer="1", verified=True) for n in TEACHERS]
    scores = router.score([(one, some)])
    assert sum(measured) == 4 * asked
    assert all((LEARNABILITY in row) == bool(asked) and router.name in row for row in scores.values())


def test_plackett_luce_strengths_maximise_the_weighted_likelihood() -> None:
    router = PlackettLuceRouter(encoder="static")
    rng = np.random.default_rng(0)
    right = (rng.random((60, 4)) < [0.9, 0.6, 0.4, 0.2]).astype(np.float32)
    router._keep(np.zeros((60, 3), np.float32), right)
    weights = rng.random(60).astype(np.float32)
    found = np.log(router._strengths(weights))
    xi = torch.zeros(4, requires_grad=True)
    optimiser = torch.optim.LBFGS([xi], max_iter=200)
    marks = torch.from_numpy(right).bool()

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        against = torch.where(marks, -torch.inf, xi[None, :]).logsumexp(1, keepdim=True)
        chosen = torch.where(marks, xi - torch.logaddexp(xi[None, :], against), 0.0).sum(1)
        prior = (torch.nn.functional.logsigmoid(xi) + torch.nn.functional.logsigmoid(-xi)).sum()
        total = -(torch.from_numpy(weights) * chosen).sum() - 0.1 * prior
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    wanted = xi.detach().numpy()
    assert found - found.mean() == pytest.approx(wanted - wanted.mean(), abs=0.005)


def test_the_dual_loss_is_that_of_the_paper() -> None:
    torch.manual_seed(0)
    logits, likeness = torch.randn(5, 4), torch.randn(5, 5)
    right = torch.tensor([[1, 0, 0, 1], [0, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 0], [1, 0, 0, 0]]).bool()
    groups = [0, 0, 1, 1, 0]
    of_teachers = []
    for row in range(5):
        for k in range(4):
            if right[row, k]:
                wrong = sum(float(logits[row, j].exp()) for j in range(4) if not right[row, j])
                own = float(logits[row, k].exp())
                of_teachers.append(-np.log(own / (own + wrong)))
    assert float(teacher_loss(logits, right, ~right)) == pytest.approx(sum(of_teachers) / 5, abs=1e-5)
    of_questions = []
    for i in range(5):
        other = sum(float(likeness[i, j].exp()) for j in range(5) if groups[j] != groups[i])
        own = [float(likeness[i, j].exp()) for j in range(5) if i != j and groups[i] == groups[j]]
        of_questions.append(np.mean([-np.log(x / (x + other)) for x in own]))
    assert float(question_loss(likeness, torch.tensor(groups))) == pytest.approx(np.mean(of_questions), abs=1e-5)


def test_the_reward_weighs_what_is_right_against_what_is_easy() -> None:
    right = np.array([[1, 1, 0], [1, 0, np.nan]], np.float32)
    easy = np.array([[-2.0, -1.0, -3.0], [-1.0, -1.0, np.nan]], np.float32)
    found = PersonalisedRouter(encoder="static").rewards(Labels(("x", "y"), ("a", "b", "c"), right, easy))
    assert found[0] == pytest.approx([0.6 + 0.2, 0.6 + 0.4, 0.0])
    assert found[1, :2] == pytest.approx([0.6, 0.0]) and np.isnan(found[1, 2])


def test_the_easier_of_two_right_teachers_is_preferred() -> None:
    easy = {"a": -0.2, "b": -0.9, "c": -1.5, "d": -0.5}
    some = [
        one.model_copy(update={"verified": True, "scores": {LEARNABILITY: easy[one.teacher]}}) for one in evidence(80)
    ]
    router = PersonalisedRouter(encoder="static")
    router.fit(some)
    for row in router.route(held_out(8), TEACHERS).values():
        assert sorted(row, key=row.__getitem__) == ["c", "b", "d", "a"]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: ClassifierRouter(least=0), "least 0 is out of range"),
        (lambda: PlackettLuceRouter(gamma=0.5), "gamma 0.5 is out of range"),
        (lambda: PersonalisedRouter(learnability=2), "learnability 2 is out of range"),
    ],
)
def test_options_that_cannot_work_are_refused(make: Callable[[], Router], told: str) -> None:
    with pytest.raises(InputError, match=told):
        make()


@pytest.mark.parametrize("make", ROUTERS)
def test_fitting_2000_takes_less_than_a_minute_and_routing_one_less_than_5_ms(make: Callable[..., Router]) -> None:
    router, walls = make(encoder="static"), list[float]()
    some = evidence(2000)
    began = time.perf_counter()
    router.fit(some)
    assert time.perf_counter() - began < 60
    for one in held_out(60):
        began = time.perf_counter()
        router.route([one], TEACHERS)
        walls.append(time.perf_counter() - began)
    assert statistics.median(walls) < 0.005
