"""The teacher that is the student itself, which is told the right answer (STaR's rationalisation)."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import InputError, RunError
from ...schema import TeachingRequest
from ...seams import CurrentStudent, Generation
from ..batcher import MicroBatcher, Prompt

ANSWER = "{answer}"


class SelfTeacher:
    """Asks the current student, with the right answer as a hint in its prompt.

    Rationalisation of STaR (Zelikman et al. 2022, arXiv 2203.14465, section 3.2): a rationale that a model writes when
    it knows where to arrive. The lesson's question is without the hint, and only what arrives there becomes a lesson.
    """

    def __init__(self, hint: str = "(The answer is {answer}.)", sampled: bool = True, name: str = "self") -> None:
        """Set how it is asked.

        Args:
            hint: Added to the question; `{answer}` becomes the right answer.
            sampled: Whether answers are drawn, so that a second draft differs; otherwise the likeliest is taken.
            name: The teacher's name in files and traces.

        Raises:
            InputError: If the hint has no place for the answer.
        """
        if ANSWER not in hint:
            raise InputError(f"teacher {name!r}: hint {hint!r} does not hold {ANSWER}; put it where the answer goes")
        self.name = name
        self._hint = hint
        self._sampled = sampled
        self._student: CurrentStudent | None = None
        self._batcher = MicroBatcher(self._generate)
        self._batches = 0

    def meet(self, student: CurrentStudent) -> None:
        """Take the cycle's student."""
        self._student, self._batches = student, 0

    async def teach(self, request: TeachingRequest) -> str:
        """Return what the student writes when it is told the answer."""
        problem = request.problem
        *before, asked = self._met().prompt(problem.question, [])
        hinted = f"{asked['content']}\n{self._hint.replace(ANSWER, problem.answer)}"
        return (await self._batcher.ask([*before, {**asked, "content": hinted}])).text

    def _generate(self, prompts: Sequence[Prompt]) -> list[Generation]:
        student = self._met()
        self._batches += 1
        made = student.engine.generate(
            student.checkpoint, prompts, sampled=self._sampled, seed=student.seed * 1000 + self._batches
        )
        return [generations[0] for generations in made]

    def _met(self) -> CurrentStudent:
        if self._student is None:
            raise RunError(f"teacher {self.name!r}: has met no student; it can only teach inside a run")
        return self._student
