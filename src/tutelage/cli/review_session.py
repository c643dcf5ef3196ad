"""A review lesson by lesson, in a terminal. Each decision is written at once, so that nothing is lost by leaving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.prompt import Prompt
from rich.text import Text

from ..errors import InputError, RunError
from ..reviewer import Reviewer
from ..reviews import Proposal, read_proposals, require_review, write_reviews
from ..rundir import RunDir
from ..schema import Review
from ..terminal.review import Rationales, alternatives, proposal_lines
from ..terminal.text import plain
from .edit_check import EditCheck

if TYPE_CHECKING:
    from rich.console import Console

_KEYS = {"a": "accept", "e": "edit", "r": "reject", "t": "take another", "s": "skip", "q": "quit"}
_AGAIN = {"e": "edit again", "a": "take it anyway", "b": "go back", "q": "quit"}


class ReviewSession:
    """Goes through the lessons that are left."""

    def __init__(self, rundir: RunDir, reviewer: Reviewer, console: Console) -> None:
        """Point at a run that waits."""
        self.rundir, self.reviewer, self.console = rundir, reviewer, console
        self._check = EditCheck(rundir)
        self._written: dict[str, str] = {}  # what was typed for a lesson and is not taken yet

    def run(self) -> None:
        """Ask about each lesson that has no review, until all have one or the person leaves."""
        standing = require_review(self.rundir)
        rationales = {one.id: one for one in self.rundir.rationales(standing.cycle)}
        size, done = len(standing.left), 0
        for number, proposal in enumerate(standing.left, 1):
            if self._decided_meanwhile(proposal, standing.cycle):
                continue
            self.console.print(proposal_lines(proposal, rationales, f"{number} of {size}"))
            try:
                done += self._decide(proposal, rationales)
            except (EOFError, KeyboardInterrupt):
                self.console.print()
                break
            except _Quit:
                break
        self.console.print(f"{done} reviewed as {self.reviewer.author}", highlight=False, markup=False)

    def _decided_meanwhile(self, proposal: Proposal, cycle: int) -> bool:
        """Say whether somebody else has decided on a lesson since this session began."""
        now = read_proposals(self.rundir, cycle, proposal.lesson.problem_id)
        review = next((one.review for one in now if one.id == proposal.id), None)
        if review is not None:
            self.console.print(plain(f"{proposal.id}: {review.verdict.value} by {review.author} meanwhile"))
        return review is not None

    def _decide(self, proposal: Proposal, rationales: Rationales) -> bool:
        """Ask until the lesson is decided on, or skipped; say whether it is decided on."""
        others = alternatives(proposal, rationales)
        keys = {key: what for key, what in _KEYS.items() if key != "t" or others}
        while True:
            key = self._ask(keys)
            if key == "q":
                raise _Quit
            if key == "s":
                return False
            made = self._review(key, proposal, rationales)
            if made is None:
                continue
            try:
                write_reviews(self.rundir, made.cycle, [made], first=True)
            except RunError as error:  # somebody works in the run: nothing that was typed is lost by trying again
                self.console.print(plain(str(error)), style="red")
                continue
            return True

    def _review(self, key: str, proposal: Proposal, rationales: Rationales) -> Review | None:
        if key == "a":
            return self.reviewer.accept(proposal)
        if key == "e":
            return self._edit(proposal)
        if key == "t":
            others = alternatives(proposal, rationales)
            which = Prompt.ask("which", choices=[str(n + 1) for n in range(len(others))], console=self.console)
            return self.reviewer.replace(proposal, others[int(which) - 1])
        why = Prompt.ask("why (empty goes back)", default="", show_default=False, console=self.console).strip()
        return self.reviewer.reject(proposal, why) if why else None

    def _edit(self, proposal: Proposal) -> Review | None:
        """Open the editor until the check has nothing to say, or the person insists or gives up."""
        import click

        text = self._written.get(proposal.id, proposal.lesson.text)
        while True:
            try:
                text = click.edit(text) or text  # left without saving, the text stays as it was
            except UnicodeDecodeError:
                self.console.print("the editor left what is not UTF-8")
                return None
            except click.ClickException as error:
                self.console.print(plain(f"{error.format_message()}; set EDITOR to one that there is"), style="red")
                return None
            if text.strip() in ("", proposal.lesson.text.strip()):
                self.console.print("nothing was changed")
                return None
            self._written[proposal.id] = text
            against = self._objection(proposal, text)
            if against is None:
                return self.reviewer.edit(proposal, text)
            self.console.print(plain(f"the check turns it away: {against}"), style="red")
            key = self._ask(_AGAIN)
            if key == "q":
                raise _Quit
            if key != "e":
                return self.reviewer.edit(proposal, text, against) if key == "a" else None

    def _objection(self, proposal: Proposal, text: str) -> str | None:
        try:
            self.reviewer.edit(proposal, text)
        except InputError as error:
            return str(error)
        return self._check.objection(proposal, text, anyway=True)

    def _ask(self, keys: Mapping[str, str]) -> str:
        """Ask for one of some keys, each with what it does."""
        asked = Text(", ".join(f"{key} = {what}" for key, what in keys.items()))
        return Prompt.ask(asked, choices=list(keys), show_choices=False, console=self.console)


class _Quit(Exception):
    """The person leaves."""
