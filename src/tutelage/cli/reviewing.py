"""The command by which a person decides on the lessons that a run waits with."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .app import Json, RunPath, app, make_console, print_json

if TYPE_CHECKING:
    from ..reviewer import Reviewer
    from ..rundir import RunDir


@app.command()
def review(
    run_dir: RunPath,
    list_: Annotated[bool, typer.Option("--list", help="Print the lessons, with what was decided.")] = False,
    as_json: Json = False,
    accept: Annotated[list[str], typer.Option(metavar="ID", help="A lesson to accept, or all.")] = [],  # noqa: B006
    reject: Annotated[list[str], typer.Option(metavar="ID", help="A lesson to reject; say --why.")] = [],  # noqa: B006
    edit: Annotated[str | None, typer.Option(metavar="ID", help="A lesson to teach with the text of a file.")] = None,
    text_file: Annotated[Path | None, typer.Option(help="The text for --edit, in UTF-8.")] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Take an edited text that the check turns away.")] = False,
    replace: Annotated[str | None, typer.Option(metavar="ID", help="A lesson to teach otherwise; name --by.")] = None,
    by: Annotated[str | None, typer.Option(metavar="ID", help="The verified rationale to teach instead.")] = None,
    why: Annotated[str, typer.Option(help="The reason, in your words.")] = "",
    author: Annotated[str | None, typer.Option(help="Your name; by default that of git, or of the login.")] = None,
) -> None:
    """Accept, edit or reject the lessons that a run with `review: true` waits with; without options, one by one."""
    from ..reviewer import Reviewer
    from ..reviews import require_review, write_reviews
    from ..rundir import RunDir
    from ..terminal.review import standing_document, standing_table
    from .review_wishes import Wishes

    rundir = RunDir.open(run_dir)
    wishes = Wishes(tuple(accept), tuple(reject), edit, text_file, anyway, replace, by, why)
    wishes.check()
    if list_ and wishes.given:
        raise InputError("--list: only shows; leave it out, or decide in a command of its own")
    standing = require_review(rundir)
    if wishes.given:
        write_reviews(rundir, standing.cycle, wishes.decide(rundir, standing, Reviewer(author)))
    elif not (list_ or as_json):
        _one_by_one(rundir, Reviewer(author))
    standing = require_review(rundir)
    if as_json:
        print_json(standing_document(standing, {one.id: one for one in rundir.rationales(standing.cycle)}))
        return
    if list_:
        make_console().print(standing_table(standing))
    left, size = len(standing.left), len(standing.proposals)
    typer.echo(f"{left} of {size} lessons of cycle {standing.cycle} are left; go on: tutelage {_next(run_dir, left)}")


def _next(run_dir: Path, left: int) -> str:
    return f"{'review' if left else 'resume'} {shlex.quote(str(run_dir))}"


def _one_by_one(rundir: RunDir, reviewer: Reviewer) -> None:
    from .review_session import ReviewSession

    if not sys.stdin.isatty():
        raise InputError(f"{rundir.path}: a review lesson by lesson needs a terminal; see --list, --accept, --reject")
    ReviewSession(rundir, reviewer, make_console()).run()
