"""Failures in a row, of a teacher or of the critic."""

from __future__ import annotations

from itertools import count


class Streak:
    """Counts how many calls have failed since the last sound one, in the order in which they began.

    Not in the order in which they ended: a failure takes all its tries, so many at once end with the failures.
    """

    def __init__(self) -> None:
        """Begin with no call."""
        self._numbers = count()
        self._failed: list[int] = []
        self._sound = -1

    def begin(self) -> int:
        """Return the number of a call that begins now."""
        return next(self._numbers)

    def note(self, number: int, *, failed: bool) -> int:
        """Take in whether a call has failed; return how many have, in a row."""
        if failed:
            self._failed.append(number)
        else:
            self._sound = max(number, self._sound)
        self._failed = [one for one in self._failed if one > self._sound]
        return len(self._failed)
