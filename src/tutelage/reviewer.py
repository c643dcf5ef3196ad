"""A person who reviews lessons: makes the record of each decision."""

from __future__ import annotations

import getpass
import subprocess
from datetime import UTC, datetime

from .errors import InputError, harmless
from .reviews import Proposal
from .schema import Rationale, Review, ReviewVerdict

_LONGEST_NAME = 100


class Reviewer:
    """Decides, under one name."""

    def __init__(self, author: str | None = None) -> None:
        """Take a name, or that of git's settings or of the login.

        Raises:
            InputError: If the name is empty, too long, or holds what is no text.
        """
        self.author = _name(author)

    def accept(self, proposal: Proposal) -> Review:
        """Let a lesson be taught as it was proposed, whatever was decided before."""
        return self._review(proposal, ReviewVerdict.ACCEPTED, after=proposal.lesson.text)

    def reject(self, proposal: Proposal, why: str) -> Review:
        """Let a lesson not be taught.

        Raises:
            InputError: If there is no reason.
        """
        why = _clean("why", why).strip()
        if not why:
            raise InputError(f"--reject {proposal.id}: say why, with --why")
        return self._review(proposal, ReviewVerdict.REJECTED, after="", why=why)

    def edit(self, proposal: Proposal, text: str, objection: str | None = None, why: str = "") -> Review:
        """Let another text be taught.

        Args:
            proposal: The lesson.
            text: The person's own.
            objection: What the check has found wrong with it.
            why: In the person's words.

        Raises:
            InputError: If it is empty, or the text that was proposed.
        """
        text = _clean("text", text).strip()
        if not text:
            raise InputError(f"--edit {proposal.id}: the text is empty; to teach nothing, --reject it")
        if text == proposal.lesson.text:
            raise InputError(f"--edit {proposal.id}: the text is the one that was proposed; --accept it")
        told = _clean("why", why).strip()
        return self._review(proposal, ReviewVerdict.EDITED, after=text, why=told, objection=objection)

    def replace(self, proposal: Proposal, other: Rationale, why: str = "") -> Review:
        """Let another verified rationale be taught.

        Raises:
            InputError: If the lesson was not chosen over it.
        """
        if other.id not in proposal.lesson.chosen_over:
            raise InputError(f"--by {other.id}: is no verified rationale that {proposal.id} was chosen over")
        told = _clean("why", why).strip()
        return self._review(proposal, ReviewVerdict.REPLACED, after=other.text.strip(), why=told, taken=other.id)

    def _review(
        self,
        proposal: Proposal,
        verdict: ReviewVerdict,
        *,
        after: str,
        why: str = "",
        taken: str | None = None,
        objection: str | None = None,
    ) -> Review:
        lesson = proposal.lesson
        return Review(
            problem_id=lesson.problem_id,
            rationale_id=lesson.rationale_id,
            cycle=lesson.cycle,
            verdict=verdict,
            author=self.author,
            time=datetime.now(UTC).replace(microsecond=0),
            why=why,
            before=lesson.text,
            after=after,
            taken=taken,
            objection=objection,
        )


def _name(author: str | None) -> str:
    name = _clean("author", _git_name() or _login() if author is None else author).strip()
    if not name or len(name) > _LONGEST_NAME or name != harmless(name) or not name.isprintable():
        raise InputError(f"--author: must be a name of one line and at most {_LONGEST_NAME} characters; give another")
    return name


def _git_name() -> str:
    """Return the name in git's settings; empty without git or a name."""
    try:
        command = ["git", "config", "user.name"]
        found = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip()


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:  # a container's user may have no name
        raise InputError("--author: this user has no name here; give one") from error


def _clean(what: str, text: str) -> str:
    """Return a text that can be written.

    Raises:
        InputError: If it holds what is no text, such as bytes that are not UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"--{what}: holds what is no text ({error.reason}); give it in UTF-8") from error
    return text
