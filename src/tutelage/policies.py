"""Teaching policies: each is a name for a way of filling the seams, beneath what a configuration says itself.

`policy: undo` fills in these settings where the file gives none, so that a run's `config.yaml` has all of them spelled
out. A policy does nothing that the settings do not.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

Settings = dict[str, Any]


def one_shot() -> Settings:
    """Ordinary distillation, the baseline: teachers hear nothing of the student, each problem is taught once.

    What UNDO (arXiv 2504.02521) calls standard distillation and compares itself with. With `plan.lessons` and
    `stop.cycles` the problems are spread over cycles, for a comparison at equal steps.
    """
    return {
        "exam": {"due": 0},
        "planner": {"name": "every", "options": {"once": True}},
        "plan": {"lessons": None},
        "teach": {"hears": [], "keep_correct": False},
        "memory": {"recall": 0},
        "stop": {"cycles": 1},
    }


def undo() -> Settings:
    """Iterative distillation: what the student gets right is kept, what it fails at is explained anew.

    UNDO (Jain, Goyal and Shridhar 2025, arXiv 2504.02521). In each cycle the student attempts every train problem; its
    own right answers are the targets where it has one, the other targets are replaced by a rationale that was written
    with its errors in sight, and the student is trained again from the base. Whether the authors start from the base is
    not known. Iterations peak and fall, so `stop.patience` and the best checkpoint matter.
    """
    return {
        "exam": {"due": None},
        "planner": "every",
        "plan": {"lessons": None},
        "teach": {"keep_correct": True},
        "training": {"start": "base"},
    }


def theory_of_mind() -> Settings:
    """Explain where the predicted benefit per token is largest, under a budget.

    "Can Language Models Teach Weaker Agents?" (Saha, Hase and Bansal 2023, arXiv 2306.09299): a problem's utility is
    p(right | explained) - p(right | not explained). The budget is `plan.lessons` and, if set, `plan.tokens`.
    """
    return {"exam": {"due": None}, "planner": "benefit"}


def star() -> Settings:
    """The student teaches itself: it is told the answer, and what then arrives there is its lesson.

    STaR (Zelikman, Wu, Mu and Goodman 2022, arXiv 2203.14465): own right answers are kept; a problem that it fails at
    is asked again with the answer as a hint, and the rationale is kept if it is right; each iteration trains from the
    base.
    """
    return {
        "exam": {"due": None},
        "planner": "every",
        "plan": {"lessons": None},
        "teachers": [{"name": "self", "options": {}}],
        "teach": {"keep_correct": True, "max_revisions": 0},
        "memory": {"recall": 0},
        "training": {"start": "base"},
    }


def preference() -> Settings:
    """Each teacher writes several drafts; the student's own accuracy with a draft as its example chooses.

    ARTE (arXiv 2406.19227) and learning by teaching (arXiv 2406.14629) score rationales so; ARTE then tunes the teacher
    on the scores, which is not done here.
    """
    return {"teach": {"drafts": 3}, "purifier": "preference"}


def strategies() -> Settings:
    """No weight changes: the student is shown a short strategy and a worked example for what it is weak at.

    A strategy library as in "Beyond Mimicry to Contextual Guidance" (arXiv 2408.07238): a teacher writes reusable
    texts, which the student is given by its question when it is asked. They can be read by anybody.
    """
    return {
        "plan": {"lessons": 40},
        "retention": {"rehearse": 0},
        "training": {"stages": [{"name": "strategies", "options": {}}], "worker": "inline", "min_lessons": 1},
    }


POLICIES: dict[str, Callable[[], Settings]] = {
    "one-shot": one_shot,
    "undo": undo,
    "star": star,
    "theory-of-mind": theory_of_mind,
    "preference": preference,
    "strategies": strategies,
}
"""Every policy by the name that `policy:` takes."""


def fill_in(values: Mapping[str, Any]) -> Settings:
    """Return a configuration's values with those of its policy beneath them.

    What the values say wins, also where they say null. A section is filled in field by field, of a model those that
    were set; a plug-in is one value, its options included.
    """
    policy = POLICIES.get(str(values.get("policy")))
    return dict(values) if policy is None else _beneath(values, policy())


def _beneath(values: Mapping[str, Any], settings: Settings) -> Settings:
    """Put settings beneath values; only a mapping that is no plug-in is looked into."""
    merged = {**settings, **values}
    for key, inner in settings.items():
        given = values.get(key)
        if isinstance(given, BaseModel):
            given = given.model_dump(exclude_unset=True)
        if isinstance(inner, dict) and "name" not in inner and isinstance(given, Mapping):
            merged[key] = _beneath(given, inner)
    return merged


def settings_of(name: str) -> dict[str, Any]:
    """Return what a policy sets, by dotted field."""
    flat: dict[str, Any] = {}
    for section, value in POLICIES[name]().items():
        if isinstance(value, dict) and "name" not in value:
            flat |= {f"{section}.{field}": inner for field, inner in value.items()}
        else:
            flat[section] = value
    return flat


def overruled(config: BaseModel) -> list[str]:
    """Return the fields, dotted, that a configuration has otherwise than its policy would set them."""
    name = getattr(config, "policy", None)
    if name is None:
        return []
    by_policy = type(config).model_validate(_beneath(POLICIES[name](), config.model_dump()))
    return [field for field in settings_of(name) if _at(config, field) != _at(by_policy, field)]


def _at(config: Any, field: str) -> Any:
    for part in field.split("."):
        config = getattr(config, part, None)
    return config


def about(name: str) -> str:
    """Return the first line of what a policy is."""
    return (inspect.getdoc(POLICIES[name]) or "").splitlines()[0]
