"""How long does it take to diagnose 100,000 attempts, the first wrong steps of the wrong ones included?

    OMP_NUM_THREADS=1 python bench/diagnosis_speed.py

Answers have about 300 characters and five equations, no two of them the same. Tagged problems need one to four of 40 or
of 1,000 skills and are answered once; the 20,000 problems without tags are answered five times each, and their kinds
and the patterns of their wrong steps are discovered. Of the wrong answers half have a wrong equation, the others a
wrong final answer. Steps are looked for in wrong answers only, by two processes; a run looks for them in one, during
its exams, as the answers come. The diagnosis itself is one process.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from discovery import ASKED, STORIES
from made_on import made_on

from tutelage.agents.diagnostician import SkillDiagnostician
from tutelage.agents.steps import find_wrong_step
from tutelage.arithmetic import PREREQUISITES, SKILLS, as_text, work
from tutelage.schema import Attempt, Problem, Split

OUT = Path(__file__).parent / "results" / "diagnosis_speed.json"
LENGTH = 275
"""Characters of a solution from which no further equation is begun."""
SENTENCES = (
    "First we look at what the question gives, and so {}.",
    "With what we have by now the next part comes to {}.",
    "That leaves one more thing to work out, which is {}.",
    "As the question says, this then makes it {}.",
)
WORDED = {"+": "plus", "-": "minus", "*": "times"}
UNTAGGED = 20_000
"""Problems of the task without tags."""

Sums = Mapping[str, Sequence[tuple[str, str]]]
"""By skill, expressions with what they come to."""


def make_sums(rng: random.Random, count: int = 20_000) -> Sums:
    """Draw expressions of one operation, sorted by the skill that they need."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for _ in range(count):
        left, right, op = rng.randint(1, 99), rng.choice((rng.randint(2, 9), rng.randint(10, 99))), rng.choice("+-*/")
        expression = f"{left * right if op == '/' else left} {op} {right}"
        (step,) = work(expression)
        found[step.skill].append((expression, as_text(step.result)))
    return dict(sorted(found.items()))


def solution(skills: Sequence[str], failed: str | None, seen: bool, sums: Sums, rng: random.Random) -> tuple[str, str]:
    """Write a solution and return it with its answer; what fails is wrong where it first comes up, or only at the end.

    Args:
        skills: In the order in which they come up, again and again until the solution is long enough.
        failed: The first of them that goes wrong.
        seen: Whether an equation is wrong; otherwise the final answer is.
        sums: Skills that are not in it are shown by equations of others.
        rng: Draws.
    """
    others, lines, size, slipped = list(sums), [], 0, failed is None or not seen
    result = "0"
    while size < LENGTH or not slipped:
        skill = skills[len(lines) % len(skills)]
        expression, result = rng.choice(sums[skill if skill in sums else rng.choice(others)])
        if skill == failed and not slipped:
            result, slipped = f"1{result}" if result[0] != "-" else f"-1{result[1:]}", True
        lines.append(SENTENCES[len(lines) % len(SENTENCES)].format(f"{expression} = {result}"))
        size += len(lines[-1])
    answer = result if failed is None or seen else f"{result}7"
    return " ".join(lines) + f"\nAnswer: {answer}", answer


def tagged_task(count: int, skills: int, rng: random.Random) -> tuple[dict[str, Problem], list[Attempt]]:
    """Return as many problems, with an answer each."""
    names, sums = [*sorted(SKILLS), *(f"skill {n}" for n in range(skills - len(SKILLS)))], make_sums(rng)
    rates = {name: rng.uniform(0.4, 0.98) for name in names}
    problems, attempts = {}, []
    for number in range(count):
        order = rng.sample(names, rng.randint(1, 4))
        problem = Problem(id=f"p{number}", question=f"question {number}", answer="a", skills=tuple(sorted(order)))
        problems[problem.id] = problem
        failed = next((skill for skill in order if rng.random() >= rates[skill]), None)
        attempts.append(_attempt(number, problem, order, failed, sums, rng))
    return problems, attempts


def untagged_task(count: int, problems: int, rng: random.Random) -> tuple[dict[str, Problem], list[Attempt]]:
    """Return problems of fifteen kinds, and as many answers, every problem answered in turn."""
    sums, signs = make_sums(rng), list(ASKED)
    skills = {sign: [name for name in sums if sums[name][0][0].split()[1] == sign] for sign in signs}
    rates = {name: rng.uniform(0.4, 0.98) for name in sums}
    made, signs_of = {}, []
    for number in range(problems):
        sign, story = rng.choice(signs), rng.choice(list(STORIES.values()))
        question = story.format(rng.randint(2, 99), rng.randint(2, 99), ASKED[sign])
        made[f"p{number}"] = Problem(id=f"p{number}", question=f"{question} ({WORDED[sign]})", answer="a")
        signs_of.append(sign)
    attempts = []
    for number in range(count):
        at = number % problems
        order = rng.choices(skills[signs_of[at]], k=2)
        failed = next((skill for skill in order if rng.random() >= rates[skill]), None)
        attempts.append(_attempt(number, made[f"p{at}"], order, failed, sums, rng))
    return made, attempts


def _attempt(
    number: int, problem: Problem, order: Sequence[str], failed: str | None, sums: Sums, rng: random.Random
) -> Attempt:
    text, answer = solution(order, failed, rng.random() < 0.5, sums, rng)
    return Attempt(
        id=f"a{number}",
        problem_id=problem.id,
        split=Split.PROBE,
        cycle=1,
        student="base",
        text=text,
        answer=answer,
        score=float(failed is None),
        correct=failed is None,
        logprob=-1.0,
        tokens=100,
        finish_reason="stop",
    )


def clocked(act: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what an act returns, with the wall and CPU seconds that it took, in all processes."""
    wall, cpu = time.perf_counter(), sum(os.times()[:4])
    made = act()
    return made, round(time.perf_counter() - wall, 1), round(sum(os.times()[:4]) - cpu, 1)


def with_steps(problems: Mapping[str, Problem], attempts: Sequence[Attempt], processes: int) -> list[Attempt]:
    """Return the attempts, the wrong ones with the first wrong step that is found."""
    wrong = [attempt for attempt in attempts if not attempt.correct]
    questions = [problems[attempt.problem_id].question for attempt in wrong]
    with ProcessPoolExecutor(processes) as pool:
        steps = pool.map(find_wrong_step, questions, [attempt.text for attempt in wrong], chunksize=500)
        step_of = {attempt.id: step for attempt, step in zip(wrong, steps, strict=True)}
    return [
        attempt.model_copy(update={"wrong_step": step_of[attempt.id]}) if attempt.id in step_of else attempt
        for attempt in attempts
    ]


def measure(problems: dict[str, Problem], bare: list[Attempt], processes: int) -> dict[str, Any]:
    """Find the wrong steps, diagnose, and return what either took."""
    load = os.getloadavg()[0]
    attempts, finding, finding_cpu = clocked(lambda: with_steps(problems, bare, processes))
    diagnostician = SkillDiagnostician(task_prerequisites=PREREQUISITES)
    diagnosis, diagnosing, diagnosing_cpu = clocked(lambda: diagnostician.diagnose(problems, attempts, ()))
    return {
        "attempts": len(attempts),
        "problems": len(problems),
        "skills": len({skill for problem in problems.values() for skill in problem.skills}),
        "characters": round(sum(len(attempt.text) for attempt in attempts) / len(attempts)),
        "equations": round(sum(attempt.text.count("=") for attempt in attempts) / len(attempts), 1),
        "wrong": sum(not attempt.correct for attempt in attempts),
        "steps_found": sum(attempt.wrong_step is not None for attempt in attempts),
        "kinds_discovered": len(diagnosis.discovered),
        "weaknesses": len(diagnosis.weaknesses),
        "finding_seconds": finding,
        "finding_cpu_seconds": finding_cpu,
        "diagnosing_seconds": diagnosing,
        "diagnosing_cpu_seconds": diagnosing_cpu,
        "wall_seconds": round(finding + diagnosing, 1),
        "cpu_seconds": round(finding_cpu + diagnosing_cpu, 1),
        "load_before": round(load, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attempts", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2, help="of those that look for wrong steps")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    rows = []
    for skills in (40, 1000, 0):
        rng = random.Random(0)
        task = tagged_task(given.attempts, skills, rng) if skills else untagged_task(given.attempts, UNTAGGED, rng)
        rows.append(measure(*task, given.processes))
        print(json.dumps(rows[-1]), flush=True)
    command = f"OMP_NUM_THREADS=1 python bench/diagnosis_speed.py --attempts {given.attempts}"
    threads = os.environ.get("OMP_NUM_THREADS")
    machine = {"threads": threads, **made_on(("tutelage", "numpy", "scipy", "scikit-learn"))}
    given.out.write_text(json.dumps({"command": command, **machine, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
