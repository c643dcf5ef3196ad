"""The two ways in which Tutelage fails, and the exit code of each."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from .secret import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable


class InputError(Exception):
    """What the user gave is wrong; nothing was written and nothing was paid for (exit code 2)."""


class RunError(Exception):
    """A run failed in the middle; what it has done is kept and `resume` goes on (exit code 1)."""


class CallFailed(RunError):
    """A call of a model failed for good; another teacher may go on."""


class RunFileError(RunError):
    """A file of the run, or of its call ledger, cannot be read or written: no teacher is to blame."""


class BudgetSpent(RunError):
    """The run may pay for no more calls: `stop.max_usd` or `stop.max_tokens` is reached."""

    def __init__(self, told: str, override: str) -> None:
        """Say what is spent, and with what override a resume could go on."""
        super().__init__(told)
        self.override = override


class Declined(Exception):
    """A teacher has nothing to say on this one problem; it gets no lesson from it, and the run goes on."""


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that a terminal obeys, line breaks and tabs apart; some turn the direction of text. Half a surrogate pair
is none and cannot be written at all.
"""


def harmless(text: str) -> str:
    """Return foreign text that a terminal only shows."""
    return _CONTROL.sub("�", text)


def encodable(text: str) -> str:
    """Return foreign text that any file takes: half a surrogate pair, which no encoding has, is a question mark."""
    return text.encode(errors="replace").decode()


MOST_NAMES = 60
"""More than these are not read in one line."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the remedy for an unknown name: the nearest known one, or the list of all (of very many, the first)."""
    names = sorted(str(name) for name in known)
    near = get_close_matches(str(word), names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    more = f", ... ({len(names)} in all)" if len(names) > MOST_NAMES else ""
    return "known: " + (", ".join(names[:MOST_NAMES]) or "none") + more


def first_line(error: BaseException, limit: int = 300) -> str:
    """Return the first line of what a library says of an error; its type where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0][:limit] if lines else type(error).__name__


def short(value: object, limit: int = 60) -> str:
    """Return a value as it is written in Python, cut to a length that a message bears."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def flat(error: BaseException, limit: int = 300, bare: bool = False) -> str:
    """Return somebody else's exception as one line, whatever it holds; secrets are blacked out.

    Args:
        error: The exception; one that cannot even be printed is named by its type.
        limit: Characters that are kept.
        bare: Only what it says, as of an exception of ours; otherwise its kind too.
    """
    kind, said = type(error).__name__, error.args[0] if len(error.args) == 1 else None
    try:
        if isinstance(said, str):  # not by `repr` of the whole, which would copy a text of any size
            said = without_secrets(said)
            text = said[: 2 * limit] if bare else f"{kind}({said[:limit]!r})"
        else:
            text = without_secrets(str(error) if bare else repr(error))
    except Exception:
        text = kind
    return " ".join(text[: 2 * limit].split())[:limit] or kind


def blamed(who: str, error: BaseException) -> BaseException:
    """Return what a plug-in raised as a line that begins with who it was.

    What the run itself raised, or what says that there is no text this time, is returned as it is.
    """
    if isinstance(error, BudgetSpent | RunFileError | CallFailed | Declined):
        return error
    if isinstance(error, InputError | RunError):
        return RunError(f"{who}: {flat(error, limit=600, bare=True)}")
    return RunError(f"{who}: {flat(error)}; mend the plug-in")


def one_line(error: BaseException, limit: int = 300) -> str:
    """Return an exception as one line: its kind and the first line of what it says; secrets are blacked out."""
    lines = without_secrets(str(error)).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:limit] if lines else 'no message'}"
