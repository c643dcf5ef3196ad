"""Descriptions of skills and weaknesses by a chat model; names and numbers never come from it."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from pydantic import ConfigDict

from ...errors import Declined
from ...schema import Diagnosis, Problem, WrongStep
from ...seams import Message
from ...spending import Estimate
from ..chat.asker import ChatAsker
from ..chat.markup import strip_marks
from ..chat.parsing import clean
from ..prompts import PROMPT_TOKENS
from .description_prompt import DESCRIPTION_VERSION, MAX_QUESTIONS, description_messages
from .wording import shown

MOST_WEAKNESSES: Final = 12
"""Weaknesses described in a diagnosis, besides the kinds that were discovered: the most severe."""
MOST_CALLS: Final = 36
"""Kinds and weaknesses described in a diagnosis together, the kinds first."""
LONGEST: Final = 240
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?=\s|$)|$)")


@dataclass(frozen=True, eq=False, kw_only=True)
class Describer(ChatAsker):
    """Asks a chat model for one sentence on each discovered kind of problem and on each of the worst weaknesses.

    A sentence with a digit in it is left out: no figure in a diagnosis comes from the model. The same kind in a later
    cycle is the same call, which the ledger does not pay for again. Nothing is connected to before the first call or
    `check`.

    Raises:
        InputError: If a setting cannot work.
    """

    __pydantic_config__: ClassVar[Any] = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    max_tokens: int = 128
    """Longest reply."""

    @property
    def _who(self) -> str:
        return "the diagnostician"

    async def describe(self, diagnosis: Diagnosis, problems: Mapping[str, Problem]) -> Diagnosis:
        """Return the diagnosis with the model's descriptions: in place of a kind's, before a weakness's own.

        Args:
            diagnosis: What is to be described.
            problems: All problems by id, tagged as the diagnosis has it.

        Raises:
            CallFailed: If the model cannot be reached, refuses the key or answers with an error after all retries.
        """
        wanted = _wanted(diagnosis, problems)
        came = await asyncio.gather(*map(self._sentence, wanted.values()), return_exceptions=True)  # all are paid for
        if failed := next((one for one in came if isinstance(one, BaseException)), None):
            raise failed
        said = {name: str(sentence) for name, sentence in zip(wanted, came, strict=True) if sentence}
        skills = [
            skill.model_copy(update={"description": said.get(skill.name, skill.description)})
            for skill in diagnosis.discovered
        ]
        weaknesses = [
            weakness.model_copy(update={"description": f"{said.get(weakness.name, '')} {weakness.description}".strip()})
            for weakness in diagnosis.weaknesses
        ]
        return diagnosis.model_copy(update={"discovered": tuple(skills), "weaknesses": tuple(weaknesses)})

    def estimate(self, problems: Sequence[Problem]) -> Estimate:
        """Say what describing one diagnosis takes.

        Args:
            problems: Those that are taught; where they have no tags, nobody knows yet how many kinds there are.
        """
        one = self._chat.estimate(description_messages("", problems), PROMPT_TOKENS)
        tags = {skill for problem in problems for skill in problem.skills}
        likely = min(MOST_WEAKNESSES, len(tags) or MOST_WEAKNESSES)
        return Estimate(one.likely.times(likely), one.most.times(MOST_CALLS))

    async def _sentence(self, messages: list[Message]) -> str:
        """Return what the model says, empty if that cannot be used or it declines."""
        try:
            return one_sentence(await self._chat.ask(messages, DESCRIPTION_VERSION))
        except Declined:
            return ""


def one_sentence(reply: str) -> str:
    """Cut a reply to its first sentence without a digit; empty if it has none."""
    for match in _SENTENCE.finditer(strip_marks(clean(reply[: 20 * LONGEST]))):
        said = shown(match.group().strip(" \"'-"), LONGEST)
        if sum(map(str.isalpha, said)) > 2 and not any(map(str.isdigit, said)):
            return said if said.endswith((".", "!", "?")) else f"{said}."
    return ""


def _wanted(diagnosis: Diagnosis, problems: Mapping[str, Problem]) -> dict[str, list[Message]]:
    """Return what is asked of each discovered kind and of the worst other weaknesses, by name."""
    kinds = {skill.name: " ".join(skill.terms) for skill in diagnosis.discovered}
    others = [weakness for weakness in diagnosis.weaknesses if weakness.name not in kinds][:MOST_WEAKNESSES]
    steps: dict[str, WrongStep | None] = {weakness.name: weakness.wrong_step for weakness in others}
    examples = _examples(problems, {*kinds, *steps})
    asked = {name: description_messages(words, examples[name]) for name, words in kinds.items()}
    asked |= {name: description_messages(name, examples[name], step) for name, step in steps.items()}
    return dict(list(asked.items())[:MOST_CALLS])


def _examples(problems: Mapping[str, Problem], skills: Collection[str]) -> defaultdict[str, list[Problem]]:
    """Return some problems of each skill, the same whatever order they come in."""
    found: defaultdict[str, list[Problem]] = defaultdict(list)
    for id_ in sorted(problems):
        for skill in problems[id_].skills:
            if skill in skills and len(found[skill]) < MAX_QUESTIONS:
                found[skill].append(problems[id_])
    return found
