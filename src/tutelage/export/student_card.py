"""The card of a student: what it was made from, what it learnt and forgot, and how to make it again."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ..checkpoints import CheckpointNote
from ..lineage import lineage
from ..rundir import RunDir
from ..schema import CycleReport, Split
from ..shares import wilson
from .markdown import fenced, inline, line, percent, table
from .recipe import Recipe, read_recipe


class Share(NamedTuple):
    """A share of problems, with the interval that it lies in with 95 % probability (Wilson 1927)."""

    value: float
    n: int
    low: float
    high: float

    def __str__(self) -> str:
        """Return it as a card says it."""
        return f"{percent(self.value)} ({percent(self.low)} to {percent(self.high)}; {self.n} problems)"


def share_of(value: float, n: int) -> Share:
    """Return a share of n problems with its interval; n must be positive."""
    return Share(value, n, *wilson(value, n))


def student_card(rundir: RunDir, report: CycleReport, note: CheckpointNote) -> Any:
    """Return the card, with a header that the hub understands.

    Args:
        rundir: The run.
        report: Of the cycle that made the student.
        note: What its checkpoint says of itself.
    """
    from huggingface_hub import ModelCard, ModelCardData

    recipe = read_recipe(rundir)
    name = line(rundir.path.resolve().name)
    figures = _figures(rundir, report)
    data = ModelCardData(
        model_name=name,
        base_model=recipe.hub_id,
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["tutelage", "distillation"],
        metrics=["accuracy"],
        eval_results=_results(recipe, figures) or None,
    )
    return ModelCard(f"---\n{data.to_yaml()}\n---\n\n{_body(rundir, report, note, recipe, figures)}\n")


def _figures(rundir: RunDir, report: CycleReport) -> dict[str, Share]:
    """Return the student's accuracy on the splits that tell of it, the test first if it has sat it."""
    result = rundir.result()
    found: dict[str, Share] = {}
    if result and result["student"]["best"] == report.student and result["test"]["n"]:
        found["test"] = share_of(result["test"]["best"], result["test"]["n"])
    order = (Split.GATE, Split.PROBE, Split.RETENTION)
    return found | {s.value: share_of(report.accuracy[s], report.n[s]) for s in order if report.n.get(s)}


def _results(recipe: Recipe, figures: dict[str, Share]) -> list[Any]:
    """Return the figures as the hub lists them; retention is of another task, and is told in the text."""
    from huggingface_hub import EvalResult

    return [
        EvalResult(
            task_type="text-generation",
            dataset_type=re.sub(r"[^\w./-]+", "-", line(recipe.task)).strip("-") or "task",
            dataset_name=line(recipe.task),
            dataset_split=split,
            metric_type="accuracy",
            metric_value=round(share.value, 4),
        )
        for split, share in figures.items()
        if split != Split.RETENTION
    ]


def _body(rundir: RunDir, report: CycleReport, note: CheckpointNote, recipe: Recipe, figures: dict[str, Share]) -> str:
    made = [one.cycle for one in lineage(rundir.reports(), report.parent)] + [report.cycle]
    cycles = f"{'cycle' if len(made) == 1 else 'the cycles'} {', '.join(map(str, made))}"
    parts = [
        f"# {inline(rundir.path.resolve().name)}",
        f"The student {inline(recipe.student)}, taught the task {inline(recipe.task)} by Tutelage: in each cycle it "
        "was examined, its weaknesses were named, teachers wrote rationales for them, and what passed a check was "
        f"trained on. This is the student of cycle {report.cycle} ({report.verdict.value.replace('_', ' ')}), made in "
        f"{cycles}, by the stages {inline(', '.join(dict.fromkeys(note.stages)))}.",
        "## How good it is",
        _test(rundir, figures),
        "## What it forgot",
        _retention(rundir, figures),
        "## The cycles",
        _cycles(rundir),
        "Probe problems were diagnosed and gate problems chose the student, so both flatter it; the test did neither.",
        "## How it is asked",
        _asked(recipe, note),
        "## How it was made",
        "Save this as `config.yaml`; paths and servers in it are those of the machine that it was made on, and `***` "
        "stands for what was taken for a secret.",
        fenced("tutelage run config.yaml", "sh"),
        fenced(recipe.text, "yaml"),
        "## Licence",
        "Not set: it depends on the base student, the problems and the teachers. Add `license:` to the header.",
    ]
    return "\n\n".join(parts)


def _test(rundir: RunDir, figures: dict[str, Share]) -> str:
    result = rundir.result()
    if result is None or "test" not in figures:
        return "It has not sat the test, which only the best student of a finished run does; see the cycles below."
    before = share_of(result["test"]["base"], result["test"]["n"])
    return "Right on problems of the test split, which nothing in the run looked at; intervals of 95 %:\n\n" + table(
        ["student", "test"], [("base", before), ("this one", figures["test"])]
    )


def _retention(rundir: RunDir, figures: dict[str, Share]) -> str:
    if Split.RETENTION not in figures:
        return "Not measured: the run asked no questions of other kinds, or the base student was sure of none."
    kept = figures[Split.RETENTION]
    lost = kept.n - round(kept.value * kept.n)
    return (
        f"Of {kept.n} questions of other kinds that the base student was sure of, it answers {lost} wrongly: it keeps "
        f"{kept}."
    )


def _cycles(rundir: RunDir) -> str:
    reports = rundir.reports()
    splits = [s for s in (Split.PROBE, Split.GATE, Split.RETENTION) if any(s in r.accuracy for r in reports)]
    head = ["cycle", "from", *splits, "lessons", "rejected", "stages", "weaknesses before", "verdict", "why"]
    rows = [
        (
            r.cycle,
            r.parent,
            *(percent(r.accuracy.get(split)) for split in splits),
            r.lessons.taught,
            sum(r.lessons.rejected.values()),
            ", ".join(stage.stage for stage in r.training) or "-",
            ", ".join(weakness.name for weakness in r.weaknesses) or "-",
            r.verdict.value.replace("_", " "),
            r.why,
        )
        for r in reports
    ]
    return table(head, rows)


def _asked(recipe: Recipe, note: CheckpointNote) -> str:
    told = "With its chat template, the question as the user's message, greedily"
    told += f", under this system message:\n\n{fenced(recipe.instruction)}" if recipe.instruction else "."
    if note.kind == "strategies":
        told += (
            "\n\nIts figures hold only with the strategies of `strategies.json` in the prompt: those whose questions "
            "are most like the one that is asked."
        )
    return told
