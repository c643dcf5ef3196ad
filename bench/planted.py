"""Errors of known kinds, planted by rule into solutions of problems that reasoning_gym draws.

A kind is a generator and a mistake of `mistakes.py`, such as `chain_sum` and `no carry`. The wrong solution is written
in one of several ways, and the question worded in one of several; from there on everything goes through the library:
the task grades, the checker looks for the first wrong step, and the memory gets what a run would give it.
"""

from __future__ import annotations

import random
import re

from mistakes import Worked

from tutelage.agents.steps import find_wrong_step
from tutelage.arithmetic import as_text, evaluate
from tutelage.schema import Attempt, Problem, Split
from tutelage.seams import Task

WORDINGS = {
    "chain_sum": ("Work out {x}.", "What is {x}?", "On the board stands {x}. What is the result?"),
    "decimal_chain_sum": ("Work out {x}.", "What is {x}?", "On the receipt: {x}. What is the total?"),
    "products": ("Work out {x}.", "What do you get for {x}?", "Multiply: {x}"),
    "basic_arithmetic": ("What is the value of {x}?", "Evaluate {x}.", "Find the result: {x}"),
    "gcd": ("What is the largest number that divides all of {x}?", "Give the GCD of {x}.", "gcd of {x} = ?"),
    "lcm": ("What is the smallest number that all of {x} divide?", "Give the LCM of {x}.", "lcm of {x} = ?"),
    "fraction_simplification": ("Reduce {x} as far as it goes.", "Write {x} in lowest terms.", "Simplify {x}."),
    "simple_equations": ("Given {x}, find the unknown.", "Which value makes {x} true?", "Solve {x}."),
    "spell_backward": ("Write {x} from back to front.", "Reverse the letters of {x}.", "Backwards, {x} is spelt how?"),
}
ANY_WORDING = ("{x}", "A question for you. {x}", "{x} Show how you get there.", "Please help me with this one: {x}")
PHRASINGS = (
    ("{e} = {r}. ", "Answer: {a}"),
    ("We see that {e} = {r}. ", "So it is {a}.\nAnswer: {a}"),
    ("Working out {e} gives me {r}.\n", "Answer: {a}"),
    ("", "Answer: {a}"),
)


def ask(problem: Problem, wording: int) -> Problem:
    """Word a question in one of four ways; the first is the generator's own."""
    own = WORDINGS.get(problem.metadata["source_dataset"])
    if wording == 0 or own is None:
        text = ANY_WORDING[wording].replace("{x}", problem.question)
    else:
        text = own[wording - 1].replace("{x}", _core(problem))
    return Problem(question=text, answer=problem.answer, skills=problem.skills, metadata=problem.metadata)


def _core(problem: Problem) -> str:
    facts = problem.metadata
    if "expression" in facts:
        return str(facts["expression"])
    if "numbers" in facts:
        return ", ".join(map(str, facts["numbers"]))
    if "equation" in facts:
        return str(facts["equation"])
    if "numerator" in facts:
        return f"{facts['numerator']}/{facts['denominator']}"
    return f"'{facts['word']}'"


def write(worked: Worked, phrasing: int) -> str:
    """Write a solution in one of four ways; the last gives the answer alone."""
    step, end = PHRASINGS[phrasing]
    return "".join(step.format(e=e, r=r) for e, r in worked.steps) + end.format(a=worked.answer)


def attempt_at(task: Task, problem: Problem, asked: Problem, text: str, name: str) -> Attempt | None:
    """Return a graded attempt as a run makes it; None if it is right after all.

    Args:
        task: Grades.
        problem: As the task drew it.
        asked: The same, worded otherwise.
        text: The attempt.
        name: Its id.
    """
    grade = task.grade(problem, text)
    if grade.score >= 1 or grade.answer is None:
        return None
    return Attempt(
        id=name,
        problem_id=asked.id,
        split=Split.PROBE,
        cycle=1,
        student="base",
        text=text,
        answer=grade.answer,
        score=grade.score,
        correct=False,
        logprob=0,
        tokens=1,
        finish_reason="stop",
        wrong_step=find_wrong_step(asked.question, text),
    )


def slip(problem: Problem, rng: random.Random) -> Worked | None:
    """Answer wrongly by no rule: a number somewhat off, or a list or word with something moved or replaced."""
    value = evaluate(problem.answer)
    if value is not None:
        wrong = value + rng.choice((-1, 1)) * rng.randint(2, max(12, int(abs(value)) // 3))
        shown = as_text(wrong)
        return Worked(shown, [(str(problem.metadata["expression"]), shown)] if "expression" in problem.metadata else [])
    items = re.findall(r"'([^']*)'", problem.answer) or re.split(r", |:", problem.answer)
    parts = items if len(items) > 1 else list(problem.answer)
    moved = parts.copy()
    if rng.random() < 0.5:
        rng.shuffle(moved)
    else:
        moved[rng.randrange(len(moved))] = rng.choice(parts)
    if moved == parts:
        return None
    if problem.answer.startswith("["):
        return Worked(str(moved))
    return Worked((", " if "," in problem.answer else ":" if ":" in problem.answer else "").join(moved))
