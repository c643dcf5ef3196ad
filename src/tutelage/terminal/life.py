"""One problem's life."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.text import Text

from ..wording import TESTED
from .text import percent, plain

_INDENT = " " * 19
"""Of what belongs to the event above it."""
_SUSPECTED = 300
"""Characters of a lesson that may have done harm."""


def trace_lines(found: dict[str, Any]) -> Group:
    """Return one problem's life."""
    problem = found["problem"]
    head = [
        Text.assemble(("problem ", "bold"), plain(problem["id"]), (" of the split ", "dim"), found["split"]),
        *([Text.assemble(("skills ", "dim"), plain(", ".join(problem["skills"])))] if problem["skills"] else ()),
        Text.assemble(("question ", "dim"), plain(problem["question"])),
        Text.assemble(("answer ", "dim"), plain(problem["answer"])),
    ]
    return Group(*head, *(_event(event) for event in found["events"]))


def _event(event: dict[str, Any]) -> Text:
    line = Text.assemble((f"[{event['cycle']}] ", "dim"), (f"{event['kind']:<12}", "bold"), " ")
    line.append(plain(event["agent"], 60)).append("  ")
    if event["kind"] == "attempt":
        line.append("right  " if event["correct"] else "wrong  ", style="green" if event["correct"] else "red")
    if event["kind"] == "diagnosis" and "skill" in event:
        line.append(plain(f"a problem of the kind {event['skill']!r}: ", 200))
    elif event["kind"] == "diagnosis":
        rate = f"{percent(event['pass_rate'])} right (n={event['support']}), {TESTED[event['confirmed']]}"
        line.append(plain(f"{event['weakness']}, {rate}: ", 200))
    line.append(_under(plain(event["text"])))
    wrong = event.get("wrong_step")
    if wrong:
        skill = f" ({wrong['skill']})" if wrong.get("skill") else ""
        line.append_text(_note(f"first wrong step: {wrong['found']!r}, expected {wrong['expected']!r}{skill}", "red"))
    if event["kind"] == "recall":
        fixed = {True: "fixed", False: "not fixed", None: "not examined since"}[event["fixed"]]
        taught = f"what was taught then: {event['taught']!r} ({fixed})" if event["taught"] else "not taught since"
        line.append_text(_note(f"of {event['question']!r}; {taught}"))
    for one in event.get("suspects", ()):
        line.append_text(_note(_suspect(one), "yellow"))
    if event["kind"] == "review":
        line.append_text(_review(event))
    if event.get("scores"):
        line.append_text(_note(", ".join(f"{name} {value:.2f}" for name, value in event["scores"].items())))
    return line


def _suspect(lesson: dict[str, Any]) -> str:
    """Say which lesson may have done it."""
    shared = f", shares {', '.join(lesson['skills'])}" if lesson["skills"] else ""
    head = f"may be a lesson of {lesson['agent']} (likeness {lesson['likeness']:.2f}{shared})"
    return f"{head}, problem {lesson['problem_id']}: {lesson['text'][:_SUSPECTED]!r}"


def _review(event: dict[str, Any]) -> Text:
    """Say what a person changed, and what the check thought of it."""
    told = _note(f"at {event['time']}")
    if event["after"] not in ("", event["before"]):
        told.append_text(_note(f"before: {event['before']!r}"))
        told.append_text(_note(f"after: {event['after']!r}", "green"))
    if event["objection"]:
        told.append_text(_note(f"taught all the same: {event['objection']}", "red"))
    return told


def _note(text: str, style: str = "") -> Text:
    """Return a line under an event."""
    shown = _under(plain(text))
    shown.stylize(style)
    return Text(f"\n{_INDENT}").append_text(shown)


def _under(text: Text) -> Text:
    """Indent the lines of a text after the first."""
    return Text(f"\n{_INDENT}").join(text.split("\n"))
