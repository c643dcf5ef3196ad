"""Several planners in one: each fills its share of the lessons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ...errors import InputError
from ...plugins import Plugin, build, known_to
from ...refusal import first_refused
from ...schema import LessonPlan
from ...seams import Planner, PlanningRequest
from ...shares import apportion
from .draft import Pick, fill_up, lesson_plan
from .draw import generator_of
from .learner_model import LearnerModel


class Part(BaseModel):
    """A planner and its share of the lessons."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    planner: Annotated[Plugin, AfterValidator(known_to("planners"))]
    share: float = Field(gt=0, allow_inf_nan=False)


_PARTS = TypeAdapter(Annotated[list[Part], Field(min_length=1)])


class MixPlanner:
    """Lets several planners fill the plan in turn, no problem twice.

    A part plans its share of the lessons from the problems that the parts before it left. What it cannot fill the next
    one does, after the last one the first; lessons that no part fills are drawn by p(1-p). `plan.tokens` is divided by
    the same shares. Of what a part assigns only the reason changes: it begins with the part's name.
    """

    def __init__(self, parts: Sequence[dict[str, Any]]) -> None:
        """Make the planners.

        Args:
            parts: Such as `[{planner: replay, share: 0.3}, {planner: {name: paced, options: {fresh: 1}}, share: 0.7}]`;
                shares are relative. A part's option `fill` is false unless it is given.

        Raises:
            InputError: If there is no part, a share is not positive, or a planner cannot be made.
        """
        try:
            self.parts = _PARTS.validate_python([*parts])
        except ValidationError as error:
            raise InputError(f"planner: parts: {first_refused(error, [*parts])}") from error
        try:
            self.planners: list[Planner] = [build("planners", part.planner, fill=False) for part in self.parts]
        except InputError as error:
            raise InputError(f"planner: parts: {error}") from error

    def plan(self, request: PlanningRequest) -> LessonPlan:
        """Return up to `request.lessons` assignments, part by part."""
        model = LearnerModel.of(request)
        chosen: dict[str, Pick] = {}
        spent = 0.0
        for lessons, tokens, name, planner in self._turns(request):
            owed = lessons - len(chosen)
            if owed <= 0:
                continue
            left = [problem for problem in request.problems if problem.id not in chosen]
            budget = None if tokens is None else max(int(tokens - spent), 0)
            made = planner.plan(replace(request, problems=left, lessons=owed, tokens=budget))
            new = {one.problem_id: one for one in made.assignments if one.problem_id in model.by_id}
            fresh = [one for id_, one in new.items() if id_ not in chosen][:owed]
            chosen |= {one.problem_id: Pick(model.by_id[one.problem_id], f"{name}: {one.reason}", one) for one in fresh}
            spent += made.budget.get("tokens", 0.0)
        return lesson_plan(fill_up([*chosen.values()], request, model, generator_of(request)), request, model)

    def _turns(self, request: PlanningRequest) -> Iterator[tuple[int, float | None, str, Planner]]:
        """Yield each planner with the lessons and tokens up to which it may fill the plan; twice around."""
        shares = [part.share for part in self.parts]
        counts = list(accumulate(apportion(max(request.lessons, 0), shares)))
        tokens = [None if request.tokens is None else request.tokens * s / sum(shares) for s in accumulate(shares)]
        names = [part.planner.name for part in self.parts]
        yield from zip(counts, tokens, names, self.planners, strict=True)
        for name, planner in zip(names, self.planners, strict=True):
            yield counts[-1], tokens[-1], name, planner
