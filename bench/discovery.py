"""Whether kinds of problems and of wrong steps are found where a task has no tags, and what that takes.

    OMP_NUM_THREADS=1 python bench/discovery.py --out bench/results/discovery.json

Kinds: planted questions and mixtures of reasoning_gym data sets, their tags hidden; the adjusted Rand index of what is
discovered against the tags (1 is the same division, 0 is chance). Wrong steps: 20 students, each of which fails at one
or two of three operations wherever they come up in five kinds of story, or at one whole kind of story, and slips now
and then; whether the weaknesses that the diagnostician names are those.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from pathlib import Path
from typing import Any

from made_on import made_on
from sklearn.metrics import adjusted_rand_score

from tutelage.agents.diagnostician import SkillDiagnostician
from tutelage.agents.discovery.discoverer import Discoverer
from tutelage.agents.steps import find_wrong_step
from tutelage.arithmetic import work
from tutelage.schema import Attempt, Diagnosis, Problem, Split
from tutelage.tasks.reasoning_gym import ReasoningGymTask
from tutelage.testing import planted_skills

MIXTURES = {
    "6 data sets": "chain_sum gcd lcm gsm_symbolic letter_counting spell_backward",
    "8 data sets": "basic_arithmetic fraction_simplification gcd leg_counting number_sorting word_sorting "
    "calendar_arithmetic simple_equations",
    "9 data sets": "bitwise_arithmetic caesar_cipher decimal_chain_sum family_relationships knights_knaves "
    "rotate_matrix products time_intervals power_function",
    "12 data sets": "chain_sum products gcd lcm gsm_symbolic letter_counting number_filtering number_sequence "
    "coin_flip dice simple_geometry word_sequence_reversal",
}
PROBLEMS, LARGE, HUGE = 1200, 20_000, 100_000
STORIES = {
    "garden": "A gardener has {} pots of tulips and the neighbour {} pots. {}",
    "train": "A train carries {} people, at the station {} people stand on the platform. {}",
    "money": "Tom has {} cents in a jar, his sister {} cents in her purse. {}",
    "books": "One shelf in the library holds {} novels, another shelf {} novels. {}",
    "race": "Two runners of a race have run {} metres and {} metres. {}",
}
ASKED = {"+": "What is it together?", "-": "What is the difference?", "*": "What is the product of both numbers?"}
HOLES = {"subtraction with borrow": "minus", "addition with carry": "plus", "multiplication": "times"}
"""What fails, and the word that is left of it where the skills of steps are not known."""
PLANTS, SLIPS = 20, 0.03


def kinds(problems: list[Problem], truth: list[str]) -> dict[str, Any]:
    """Discover the kinds of problems without tags."""
    bare = [problem.model_copy(update={"skills": ()}) for problem in problems]
    began = time.perf_counter()
    skills = Discoverer().discover(bare, [])
    took = time.perf_counter() - began
    name_of = {id_: skill.name for skill in skills for id_ in skill.problem_ids}
    index = adjusted_rand_score(truth, [name_of.get(problem.id, "") for problem in problems])
    row = {"problems": len(problems), "kinds": len(set(truth)), "found": len(skills), "seconds": round(took, 1)}
    return {**row, "rand": round(index, 3), "names": sorted(skill.name for skill in skills)}


def planted(count: int) -> tuple[list[Problem], list[str]]:
    """Draw planted questions of eight kinds."""
    rng = random.Random(0)
    drawn = [planted_skills.problem(rng, number) for number in range(count)]
    return drawn, [problem.skills[0] for problem in drawn]


def mixture(names: list[str], count: int) -> tuple[list[Problem], list[str]]:
    """Draw as many problems of each data set as it has, up to an even share."""
    drawn: list[Problem] = []
    for name in names:
        size = {Split.TRAIN: min(count // len(names), 250 if name == "coin_flip" else count)}
        drawn += ReasoningGymTask(name, size).splits()[Split.TRAIN]
    random.Random(0).shuffle(drawn)
    return drawn, [str(problem.metadata["source_dataset"]) for problem in drawn]


def story(rng: random.Random, kind: str) -> tuple[Problem, str]:
    """Draw a story and the operation that answers it."""
    op = rng.choice(list(ASKED))
    a, b = sorted((rng.randint(3, 99), rng.randint(3, 99) if op != "*" else rng.randint(2, 9)), reverse=True)
    question = STORIES[kind].format(a, b, ASKED[op])
    steps = work(f"{a} {op} {b}")
    assert steps is not None
    return Problem(question=question, answer=str(steps[-1].result)), f"{a} {op} {b}"


def answer(problem: Problem, expression: str, fails: bool, number: int, skills: bool) -> Attempt:
    """Work an expression, off by ten if it fails; with or without the skill of the wrong step."""
    said = int(problem.answer) + (10 if fails else 0)
    text = f"We work {expression} = {said}.\nAnswer: {said}"
    step = find_wrong_step(problem.question, text) if fails else None
    return Attempt(
        id=f"a{number}",
        problem_id=problem.id,
        split=Split.PROBE,
        cycle=1,
        student="base",
        text=text,
        answer=str(said),
        score=float(not fails),
        correct=not fails,
        logprob=-1.0,
        tokens=9,
        finish_reason="stop",
        wrong_step=step if step is None or skills else step.model_copy(update={"skill": None}),
    )


def diagnosed(seed: int, answers: int, skills: bool) -> tuple[set[str], set[str]]:
    """Return the holes that a student was given, and the weaknesses that are named."""
    rng = random.Random(seed)
    whole = seed % 4 == 3
    holes = {rng.choice(list(STORIES))} if whole else set(rng.sample(list(HOLES), rng.randint(1, 2)))
    problems, kind_of, attempts = {}, {}, []
    for number in range(answers):
        kind = list(STORIES)[number % len(STORIES)]
        problem, expression = story(rng, kind)
        steps = work(expression)
        assert steps is not None
        weak = kind in holes if whole else any(steps[0].skill.startswith(hole) for hole in holes)
        problems[problem.id], kind_of[problem.id] = problem, kind
        attempts.append(answer(problem, expression, rng.random() < (0.8 if weak else SLIPS), number, skills))
    found = SkillDiagnostician().diagnose(problems, attempts, [])
    return holes, {told(found, weakness.name, kind_of) for weakness in found.weaknesses}


def told(found: Diagnosis, name: str, kind_of: dict[str, str]) -> str:
    """Return the hole that a weakness is about."""
    ids = next((skill.problem_ids for skill in found.discovered if skill.name == name), ())
    if ids:
        return statistics.mode(kind_of[id_] for id_ in ids)
    return next((hole for hole, word in HOLES.items() if name.startswith(hole) or word in name.split()), name)


def patterns(answers: int, skills: bool) -> dict[str, Any]:
    """Plant holes and count what is named of them."""
    pairs = [diagnosed(seed, answers, skills) for seed in range(PLANTS)]
    hits = sum(len(holes & named) for holes, named in pairs)
    named, holes = sum(len(named) for _, named in pairs), sum(len(holes) for holes, _ in pairs)
    wrong = [{"planted": sorted(holes), "named": sorted(found)} for holes, found in pairs if found != holes]
    return {
        "answers": answers,
        "skills": skills,
        "plants": PLANTS,
        "precision": round(hits / named, 3),
        "recall": round(hits / holes, 3),
        "wrong": wrong,
    }


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    out = parser.parse_args().out
    Discoverer().discover(planted(40)[0], [])  # nothing: they have tags
    command = "OMP_NUM_THREADS=1 python bench/discovery.py --out bench/results/discovery.json"
    result: dict[str, Any] = {"command": command, **made_on(("tutelage", "scikit-learn", "reasoning-gym"))}
    result["kinds"] = {"planted": kinds(*planted(PROBLEMS))}
    for name, sets in MIXTURES.items():
        result["kinds"][name] = kinds(*mixture(sets.split(), PROBLEMS))
    result["kinds"]["2 data sets, 20,000"] = kinds(*mixture(["gsm_symbolic", "letter_counting"], LARGE))
    result["kinds"]["planted, 100,000"] = kinds(*planted(HUGE))
    result["wrong steps"] = [patterns(answers, skills) for skills in (True, False) for answers in (200, 60)]
    print(json.dumps(result, indent=1))
    if out:
        out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
