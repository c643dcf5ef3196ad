"""The roster: who teaches in a run, and who is benched because it keeps failing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from ...errors import RunError
from ...schema import Rationale
from ...seams import Teacher
from .call import FAILURES, HOPELESS, TeacherCall
from .streak import Streak

Event = dict[str, Any]


class Roster:
    """The teachers of a run. It lives as long as the process: a resumed run gives every teacher a new chance.

    Attributes:
        calls: How each teacher is called, by its name.
    """

    def __init__(self, teachers: Mapping[str, Teacher], timeout: float, bench_after: int) -> None:
        """Give a call so many seconds, and a teacher so many failures in a row."""
        self.calls = {name: TeacherCall(name, teacher, timeout) for name, teacher in teachers.items()}
        self._bench_after = bench_after
        self._streaks = {name: Streak() for name in teachers}
        self._last: dict[str, str] = {}
        self._benched: set[str] = set()
        self._tampered: set[str] = set()

    @property
    def left(self) -> list[str]:
        """The teachers that are not benched."""
        return [name for name in self.calls if name not in self._benched]

    def stand_in(self, asked: Collection[str], best: Iterable[str] = ()) -> str | None:
        """Name a teacher for a problem that these were asked about, of the best first; None if all left were asked."""
        left = self.left
        return next((name for name in (*best, *left) if name in left and name not in asked), None)

    def begin(self, name: str) -> int:
        """Return the number of a teacher's lesson that begins now."""
        return self._streaks[name].begin()

    def note(self, number: int, last: Rationale, tell: Callable[[Event], None]) -> bool:
        """Take in what came of a lesson, by its last draft; whether that benches the teacher."""
        name = last.teacher
        call = self.calls[name]
        if call.tampered and name not in self._tampered:
            self._tampered.add(name)
            tell({"kind": "note", "teacher": name, "text": _tampered(name)})
        failures = self._streaks[name].note(number, failed=last.rejected in FAILURES)
        if last.rejected not in FAILURES:
            return False
        self._last[name] = last.text
        tell({"kind": "teacher_failed", "teacher": name, "problem_id": last.problem_id, "text": last.text})
        if name in self._benched or (failures < self._bench_after and last.rejected not in HOPELESS):
            return False
        self.bench(name, last.text, tell, failures)
        return True

    def bench(self, name: str, why: str, tell: Callable[[Event], None], failures: int = 1) -> None:
        """Ask a teacher no more in this run."""
        self._benched.add(name)
        self._last[name] = why
        often = f"{failures} failures in a row" if failures > 1 else "1 failure"
        text = f"teacher {name!r} benched after {often}: {why.removeprefix(f'teacher {name!r}').lstrip(': ')}"
        tell({"kind": "benched", "teacher": name, "text": text})

    def nobody_left(self) -> RunError:
        """Return the error that ends a run in which all teachers fail, each with its last failure."""
        error = RunError(f"{'; '.join(self._last.values())}; nobody is left to teach")
        error.__cause__ = next((call.cause for call in self.calls.values() if call.cause), None)
        return error

    async def close(self, tell: Callable[[Event], None]) -> None:
        """Let the teachers close what they have open."""
        for call in self.calls.values():
            if told := await call.close():
                tell({"kind": "note", "teacher": call.name, "text": told})


def _tampered(name: str) -> str:
    return f"teacher {name!r} changes its request; it got a copy, so nothing else did: make new values instead"
