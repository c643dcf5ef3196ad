"""One call of a teacher, whatever it does: it returns a text, or a failure in one line that names the teacher.

What a teacher returns is foreign: it is cut before it is copied, and nothing of it is evaluated or pickled.
"""

from __future__ import annotations

import inspect
import math
from itertools import islice
from typing import Any, NamedTuple

from ...daemon import DaemonCaller, Raised
from ...errors import BudgetSpent, Declined, RunError, RunFileError, flat
from ...schema import Rationale, StrategyRequest, TeachingRequest
from ...seams import CurrentStudent, Teacher

MAX_CHARACTERS = 8000
"""A longer rationale is turned away: a lesson should fit a small student's context many times over."""

DECLINED = "declined"
"""Why there is no rationale where a teacher had nothing to say."""
FAILED = "failed"
TIMED_OUT = "timed out"
EMPTY = "empty"
WRONG_TYPE = "wrong type"
WRONG_SIGNATURE = "wrong signature"
FAILURES = frozenset({FAILED, TIMED_OUT, EMPTY, WRONG_TYPE, WRONG_SIGNATURE})
"""Why there is no rationale where a teacher did not do its part; counted like the reasons of the judge."""
NO_TEXT = FAILURES | {DECLINED}
HOPELESS = frozenset({WRONG_TYPE, WRONG_SIGNATURE})
"""Those that are the same for every problem."""

TOLD = "teacher/"
"""What the name of a score begins with that a teacher has given itself: nobody takes it for one that was measured."""
_MOST_SCORES = 32
_CLOSING_SECONDS = 10.0


class Written(NamedTuple):
    """What came of asking a teacher."""

    text: str
    """The rationale, one character over the limit at most; or why there is none."""
    scores: dict[str, float]
    rejected: str | None
    """Why there is none: DECLINED or one of FAILURES."""


class TeacherCall:
    """Calls one teacher of a run.

    Attributes:
        name: The teacher's name in files and traces.
        cause: What its latest failure was raised by, for the traceback; None if nothing was raised.
        tampered: Whether it has changed a request that it was given.
    """

    def __init__(self, name: str, teacher: Teacher, timeout: float) -> None:
        """Give a call so many seconds."""
        self.name = name
        self.cause: BaseException | None = None
        self.tampered = False
        self._teacher = teacher
        self._timeout = timeout
        self._caller = DaemonCaller(f"teacher {name}")

    async def write(self, request: TeachingRequest) -> Written:
        """Ask for a rationale; the teacher gets a copy of the request, so that it cannot change it.

        Raises:
            BudgetSpent: If the run may pay for no more calls.
            RunFileError: If a file of the run fails.
        """
        given = request.model_copy(deep=True)
        if refused := wrong_signature(self._teacher, given):
            return self._failure(WRONG_SIGNATURE, request, refused)
        try:
            written = await self._caller.call(self._teacher.teach, given, timeout=self._timeout)
        except TimeoutError:
            told = f"did not answer within {self._timeout:g} seconds; raise teach.timeout, or look why it hangs"
            return self._failure(TIMED_OUT, request, told)
        except Raised as raised:
            return self._raised(raised.error, request)
        self.tampered = self.tampered or not _same(given, request)
        return self._read(written, request)

    async def meet(self, student: CurrentStudent) -> str | None:
        """Let the teacher meet a cycle's student, if it asks for that; say what went wrong.

        Raises:
            BudgetSpent: If the run may pay for no more calls.
            RunFileError: If a file of the run fails.
        """
        method = getattr(self._teacher, "meet", None)
        if method is None:
            return None
        who = f"teacher {self.name!r}: meet"
        try:
            await self._caller.call(method, student, timeout=self._timeout)
        except TimeoutError:
            return f"{who} did not end within {self._timeout:g} seconds; raise teach.timeout, or look why it hangs"
        except Raised as raised:
            if isinstance(raised.error, BudgetSpent | RunFileError):
                raise raised.error from raised
            self.cause = raised.error
            return f"{who} failed: {flat(raised.error)}; mend the plug-in"
        return None

    async def strategise(self, request: StrategyRequest) -> Written:
        """Ask for a strategy; declined, without a text, if the teacher writes none.

        Raises:
            BudgetSpent: If the run may pay for no more calls.
            RunFileError: If a file of the run fails.
        """
        method = getattr(self._teacher, "strategise", None)
        if method is None:
            return Written("", {}, DECLINED)
        who = f"teacher {self.name!r}: strategise"
        try:
            told = await self._caller.call(method, request.model_copy(deep=True), timeout=self._timeout)
        except TimeoutError:
            return Written(f"{who} did not answer within {self._timeout:g} seconds", {}, TIMED_OUT)
        except Raised as raised:
            if isinstance(raised.error, BudgetSpent | RunFileError):
                raise raised.error from raised
            return Written(f"{who} failed: {flat(raised.error)}", {}, FAILED)
        if not isinstance(told, str):
            return Written(f"{who} returned {type(told).__name__}; return a string", {}, WRONG_TYPE)
        return Written(cut(told), {}, None)

    async def close(self) -> str | None:
        """Let the teacher close what it has open, on the event loop that it was called on; say what went wrong."""
        return await close_plugin(self._caller, self._teacher, f"teacher {self.name!r}")

    def _raised(self, error: BaseException, request: TeachingRequest) -> Written:
        if isinstance(error, BudgetSpent | RunFileError):
            raise error
        if isinstance(error, Declined):
            return Written(flat(error, bare=True)[:200], {}, DECLINED)
        if len(error.args) == 1 and isinstance(error.args[0], str):
            error.args = (cut(error.args[0]),)  # its traceback is written
        self.cause = error
        if isinstance(error, RunError):  # its one line names the teacher
            return Written(flat(error, limit=600, bare=True), {}, FAILED)
        return self._failure(FAILED, request, f"failed on problem {request.problem.id}: {flat(error)}", error)

    def _read(self, written: Any, request: TeachingRequest) -> Written:
        """Take what is needed of what a teacher returned."""
        try:
            text = written.text if isinstance(written, Rationale) else written
            declined = isinstance(written, Rationale) and written.rejected == DECLINED
            scores = _scores(written.scores) if isinstance(written, Rationale) else {}
        except Exception as error:  # of a Rationale with properties of its own, or made without being checked
            return self._failure(WRONG_TYPE, request, f"returned a Rationale that cannot be read: {flat(error)}", error)
        if isinstance(text, str):
            text = cut(text)
        if text is None or (isinstance(text, str) and not text.strip()):
            told = "returned nothing; return the worked solution, or raise tutelage.Declined"
            return self._failure(EMPTY, request, told)
        if not isinstance(text, str):
            told = f"teach returned {type(text).__name__}; return a string or a Rationale"
            return self._failure(WRONG_TYPE, request, told)
        return Written(text, scores, DECLINED if declined else None)

    def _failure(self, reason: str, request: TeachingRequest, told: str, cause: BaseException | None = None) -> Written:
        self.cause = cause
        return Written(f"teacher {self.name!r} {told}", {}, reason)


async def close_plugin(caller: DaemonCaller, plugin: object, who: str) -> str | None:
    """Await a plug-in's `aclose`, if it has one, then end its event loop; return what went wrong in one line."""
    told = None
    if aclose := getattr(plugin, "aclose", None):
        try:
            await caller.call(aclose, timeout=_CLOSING_SECONDS)
        except TimeoutError:
            told = f"{who}: aclose did not end within {_CLOSING_SECONDS:g} seconds"
        except Raised as raised:
            told = f"{who}: aclose raised {flat(raised.error)}"
    await caller.close()
    return told


def wrong_signature(teacher: Teacher, request: TeachingRequest) -> str | None:
    """Say why `teach` cannot be called with a request; None if it can, or if its signature is not to be had."""
    try:
        signature = inspect.signature(teacher.teach)
    except ValueError:
        return None
    except TypeError as error:
        return f"has a teach that cannot be called: {flat(error)}; make it a method: def teach(self, request)"
    try:
        signature.bind(request)
    except TypeError as error:
        return f"has a teach that does not take one request: {flat(error)}; write it as def teach(self, request)"
    return None


def cut(text: str) -> str:
    """Cut a foreign text of any size without copying the whole of it.

    One character more than is taken shows that it was too long; half a surrogate pair could not be written to a file.
    """
    return str.__getitem__(text, slice(0, MAX_CHARACTERS + 1)).encode("utf-8", "replace").decode()


def _scores(scores: dict[str, float]) -> dict[str, float]:
    some = {TOLD + cut(name)[:80]: float(value) for name, value in islice(scores.items(), _MOST_SCORES)}
    return {name: value for name, value in some.items() if math.isfinite(value)}


def _same(given: TeachingRequest, request: TeachingRequest) -> bool:
    try:
        return bool(given == request)
    except Exception:  # what was put into it cannot even be compared
        return False
