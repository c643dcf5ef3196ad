"""What a person wishes of some lessons, given as options of one command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..reviewer import Reviewer
from ..reviews import Proposal, Standing, find_proposal
from ..rundir import RunDir
from ..schema import Rationale, Review
from .edit_check import EditCheck

ALL = "all"


@dataclass(frozen=True)
class Wishes:
    """The options of `tutelage review` that decide something."""

    accept: tuple[str, ...] = ()
    reject: tuple[str, ...] = ()
    edit: str | None = None
    text_file: Path | None = None
    anyway: bool = False
    replace: str | None = None
    by: str | None = None
    why: str = ""

    @property
    def given(self) -> bool:
        """Whether anything is decided."""
        return bool(self.accept or self.reject or self.edit or self.replace)

    def check(self) -> None:
        """Refuse options that belong together and were not given so.

        Raises:
            InputError: Naming what is missing.
        """
        pairs = [
            (self.edit, self.text_file, "--edit", "--text-file"),
            (self.replace, self.by, "--replace", "--by"),
            (self.reject or None, self.why or None, "--reject", "--why"),
        ]
        for one, other, name, needed in pairs:
            if one is not None and other is None:
                raise InputError(f"{name}: needs {needed}; give it too")
            if one is None and other is not None and needed != "--why":
                raise InputError(f"{needed}: belongs to {name}; give it too")
        if self.anyway and self.edit is None:
            raise InputError("--anyway: belongs to --edit; give it too")
        if self.why and not (self.reject or self.edit or self.replace):
            raise InputError("--why: belongs to --reject, --edit or --replace; give one of them")

    def decide(self, rundir: RunDir, standing: Standing, reviewer: Reviewer) -> list[Review]:
        """Return a review for each lesson that is meant; nothing is written.

        Raises:
            InputError: If an option is wrong, or the check turns an edited text away.
        """
        meant = [(name, find_proposal(standing, name, option)) for option, name in self._named()]
        named, ids = dict(meant), [one.id for _, one in meant]
        if twice := next((name for name in ids if ids.count(name) > 1), None):
            raise InputError(f"{twice}: two things are wished of this lesson; say one")
        made = [reviewer.reject(named[name], self.why) for name in self.reject]
        if self.edit is not None and self.text_file is not None:
            made.append(self._edited(rundir, named[self.edit], reviewer, self.text_file))
        if self.replace is not None and self.by is not None:
            other = _rationale(rundir, named[self.replace], self.by)
            made.append(reviewer.replace(named[self.replace], other, self.why))
        made += [reviewer.accept(named[name]) for name in self.accept if name != ALL]
        if ALL in self.accept:
            made += [reviewer.accept(one) for one in standing.left if one.id not in ids]
        return made

    def _named(self) -> list[tuple[str, str]]:
        single = [("--edit", self.edit), ("--replace", self.replace)]
        return [
            *(("--reject", name) for name in self.reject),
            *((option, name) for option, name in single if name is not None),
            *(("--accept", name) for name in self.accept if name != ALL),
        ]

    def _edited(self, rundir: RunDir, proposal: Proposal, reviewer: Reviewer, path: Path) -> Review:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"--text-file {path}: {getattr(error, 'strerror', None) or 'is not UTF-8'}") from error
        reviewer.edit(proposal, text)  # what is no text at all is not worth a check
        against = EditCheck(rundir).objection(proposal, text, self.anyway)
        if against and not self.anyway:
            raise InputError(f"--edit {proposal.id}: {against}; mend the text, or take it with --anyway")
        return reviewer.edit(proposal, text, against, self.why)


def _rationale(rundir: RunDir, proposal: Proposal, name: str) -> Rationale:
    known = {one.id: one for one in rundir.rationales(proposal.lesson.cycle, proposal.lesson.problem_id)}
    others = [known[one] for one in proposal.lesson.chosen_over if one in known]
    found = [one for one in others if one.id.startswith(name)]
    if len(found) != 1:
        some = ", ".join(one.id for one in others) or "none"
        raise InputError(f"--by {name}: is no one rationale that {proposal.id} was chosen over; those are: {some}")
    return found[0]
