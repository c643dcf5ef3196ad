"""A chat model that is a script: it reads the teacher's prompt as text, nothing else, and acts on what it hears there.

`ChatServer(reply_as_tutor)` serves it. It works the arithmetic of `<question>` itself and writes one equation an
operation. It writes a kind of step (a skill) in finer equations where the prompt says that the student needs it:

- a `First wrong step` among the student's answers to this question names the skill, or a good part of its errors
  elsewhere do: one grain finer (grains as in the textbook teacher: direct, place value, fine);
- the skills after `What the student is weak at` and `Other kinds of step it is weak at`: one grain finer;
- a skill that the student's own answers write rightly, here, elsewhere or before, where no wrong step speaks against
  it: as the student writes it;
- a past error whose solution fixed it: the grain in which that solution writes the skill; one that did not fix it: one
  grain finer than that solution;
- an earlier solution after which the student was still wrong: one grain finer than it; one that was rejected as too
  long: the coarsest again.

A prompt without any of these gets the same reply whatever the student does, so what hearing is worth can be measured.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..agents.teachers.grains import GRAINS, Grain, find_expression, write_step
from ..agents.teachers.heard import habits, ways
from ..arithmetic import as_text, work
from ..schema import TOO_LONG
from ..seams import Message

_SPOKEN = {" plus ": " + ", " minus ": " - ", " times ": " * "}
_WRONG_STEP = re.compile(r"^First wrong step: .* is right \(([^()\n]+)\)$", re.MULTILINE)
_OTHER = re.compile(r"<other_error>\nQuestion: (.*?)\n</other_error>", re.DOTALL)
_WEAK = re.compile(r"^What the student is weak at: ([^:(\n]+)", re.MULTILINE)
_WEAK_TOO = re.compile(r"^Other kinds of step it is weak at: (.+)\.$", re.MULTILINE)


class _Told(NamedTuple):
    """What the prompt says of one solution: to which question, how it went, and which skills went wrong."""

    question: str
    solution: str
    fixed: bool
    skills: tuple[str, ...]


def scripted_tutor(grain: Grain = "direct") -> Callable[[list[Message]], str]:
    """Return a reply function whose coarsest grain is this one."""

    def reply(messages: list[Message]) -> str:
        prompt = next((m["content"] for m in messages if "<question>" in m["content"]), "")
        return _solve(prompt, GRAINS.index(grain))

    return reply


def reply_as_tutor(messages: list[Message]) -> str:
    """Answer as a tutor who works the problem and listens; see the module."""
    return scripted_tutor()(messages)


def _solve(prompt: str, coarsest: int) -> str:
    """Write the solution; a question without arithmetic gets nothing but the answer that the prompt gives."""
    steps = work(_expression(_first(prompt, "question")))
    if not steps:
        answer = _first(prompt, "right_answer")
        return f"It is {answer}.\nAnswer: {answer}"
    levels = _levels(prompt, coarsest)
    lines = [line for step in steps for line in write_step(step, GRAINS[levels.get(step.skill, coarsest)])]
    return " ".join(lines) + f"\nAnswer: {as_text(steps[-1].result)}"


def _levels(prompt: str, coarsest: int) -> dict[str, int]:
    """Return the grain of each skill that the prompt speaks of, as an index of `GRAINS`."""
    earlier, past = list(_earlier(prompt)), list(_past(prompt))
    if TOO_LONG in _after_first(prompt, "</earlier_solution>\n").split("\n", 1)[0]:
        return {}
    finest, finer = len(GRAINS) - 1, min(coarsest + 1, len(GRAINS) - 1)
    levels = dict.fromkeys(_called_weak(prompt), finer)
    levels |= {skill: GRAINS.index(grain) for skill, grain in ways(_answers(prompt)).items()}
    levels |= dict.fromkeys(_failing(prompt), finer)
    for told in (
        *reversed(past),
        *reversed(earlier),
    ):  # what is said first in each is the best, so it has the last word
        for skill in told.skills:
            written = _grain_of(told, skill)
            if written is not None:
                levels[skill] = written if told.fixed else min(written + 1, finest)
    return levels


def _called_weak(prompt: str) -> set[str]:
    """Return the skills that the prompt calls weak."""
    listed = [name for found in _WEAK_TOO.findall(prompt) for name in found.split(", ")]
    return {name.strip() for name in (*_WEAK.findall(prompt), *listed)}


def _failing(prompt: str) -> set[str]:
    """Return the skills of wrong steps here, and of those elsewhere that are a habit; past errors are left out."""
    now = re.sub(r"<past_question>.*?(?=<past_question>|<other_error>|\Z)", "", prompt, flags=re.DOTALL)
    others = [(block, skill) for block in _OTHER.findall(now) for skill in _WRONG_STEP.findall(block)]
    elsewhere = habits([(block.partition("\n")[0], skill) for block, skill in others], least=1)
    return elsewhere | {name.strip() for name in _WRONG_STEP.findall(_OTHER.sub("", now))}


def _answers(prompt: str) -> Iterator[tuple[str, str]]:
    """Yield the questions and the student's answers that the prompt shows."""
    here = re.split("<earlier_solution>|<past_question>|<other_error>", prompt)[0]
    if "<student_answer>" in here:
        yield _first(prompt, "question"), _first(here, "student_answer")
    for block in _OTHER.findall(prompt):
        yield block.partition("\n")[0], _after_first(block, "\nThe student's answer: ").partition("\n")[0]
    for part in prompt.split("<past_question>\n")[1:]:
        yield part.partition("\n</")[0], _first(part, "past_student_answer")


def _past(prompt: str) -> Iterator[_Told]:
    for part in prompt.split("<past_question>\n")[1:]:
        part = part.split("<other_error>")[0]
        if "This solution then fixed it:" in part or "This solution did not fix it:" in part:
            fixed = "This solution then fixed it:" in part
            yield _Told(part.split("\n</")[0], _first(part, "past_solution"), fixed, tuple(_WRONG_STEP.findall(part)))


def _earlier(prompt: str) -> Iterator[_Told]:
    """Yield the earlier solutions after which the student was examined."""
    for part in prompt.split("<earlier_solution>\n")[1:]:
        part = re.split("<earlier_solution>|<past_question>|<other_error>", part)[0]
        if "After it the student was " in part:
            fixed = "After it the student was right" in part
            skills = tuple(_WRONG_STEP.findall(part))
            yield _Told(_first(prompt, "question"), part.split("\n</")[0], fixed, skills)


def _grain_of(told: _Told, skill: str) -> int | None:
    """Return the grain in which a solution writes a skill; None where that cannot be told."""
    for step in work(_expression(told.question)):
        if step.skill == skill:
            fits = [n for n, grain in enumerate(GRAINS) if " ".join(write_step(step, grain)) in told.solution]
            if len(fits) == 1:
                return fits[0]
    return None


def _expression(question: str) -> str:
    for word, sign in _SPOKEN.items():
        question = question.replace(word, sign)
    return find_expression(question)


def _first(text: str, tag: str) -> str:
    """Return what stands between the first pair of these tags."""
    return _after_first(text, f"<{tag}>\n").split(f"\n</{tag}>", 1)[0]


def _after_first(text: str, mark: str) -> str:
    return text.partition(mark)[2]
