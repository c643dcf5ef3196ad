"""A replay buffer: a wrong problem returns until it goes right often enough (ZPPO)."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

from ...errors import InputError
from ...schema import Attempt, LessonPlan
from ...seams import PlanningRequest
from .draft import Pick, fill_up, lesson_plan
from .draw import generator_of
from .learner_model import LearnerModel


class ReplayBuffer:
    """The problems that return, the one that has waited longest first."""

    def __init__(self, leave_at: float, window: int, capacity: int | None) -> None:
        """Begin empty; see `ReplayPlanner`."""
        self.leave_at, self.window, self.capacity = leave_at, window, capacity
        self._recent: defaultdict[str, deque[bool]] = defaultdict(lambda: deque(maxlen=window))
        self._waiting: dict[str, None] = {}

    def pass_rate(self, problem_id: str) -> tuple[float, int]:
        """Return the pass rate at a problem over its recent attempts, and how many these are."""
        recent = self._recent[problem_id]
        return sum(recent) / len(recent), len(recent)

    @property
    def waiting(self) -> list[str]:
        """The ids of the problems in the buffer, the first to come first."""
        return [*self._waiting]

    def examine(self, attempts: Iterable[Attempt]) -> None:
        """Take in an exam: a problem enters, stays or leaves by its pass rate; then what is too much is evicted."""
        ordered = sorted(attempts, key=lambda attempt: (attempt.problem_id, attempt.sample))
        for attempt in ordered:
            self._recent[attempt.problem_id].append(attempt.correct)
        for problem_id in dict.fromkeys(attempt.problem_id for attempt in ordered):
            if self.pass_rate(problem_id)[0] < self.leave_at:
                self._waiting.setdefault(problem_id)
            else:
                self._waiting.pop(problem_id, None)
        while self.capacity is not None and len(self._waiting) > self.capacity:
            del self._waiting[next(iter(self._waiting))]


class ReplayPlanner:
    """Returns wrong problems until their pass rate reaches one half (ZPPO, arXiv 2606.18216, prompt replay buffer).

    A problem enters the buffer when its pass rate over its recent attempts is below `leave_at`, and leaves when it is
    not, or when the buffer is full and it has waited longest; wrong once more, an evicted problem enters anew. Attempts
    of the students that this one came from count: the buffer is worked out again from all exams. Lessons that it leaves
    open are drawn by p(1-p) from the rest.
    """

    def __init__(self, leave_at: float = 0.5, window: int = 4, capacity: int | None = None, fill: bool = True) -> None:
        """Set when a problem leaves.

        Args:
            leave_at: Pass rate at which a problem leaves, in (0, 1].
            window: How many of its latest attempts count.
            capacity: Problems that the buffer holds at most; null for no limit.
            fill: Whether lessons that are left open are drawn from the rest of the pool.

        Raises:
            InputError: If a value is out of range.
        """
        if not 0 < leave_at <= 1:
            raise InputError(f"planner: leave_at {leave_at} is out of range; give a number in (0, 1]")
        if window < 1:
            raise InputError(f"planner: window {window} is out of range; give at least 1")
        if capacity is not None and capacity < 1:
            raise InputError(f"planner: capacity {capacity} is out of range; give at least 1, or null for no limit")
        self.leave_at, self.window, self.capacity, self.fill = leave_at, window, capacity, fill

    def plan(self, request: PlanningRequest) -> LessonPlan:
        """Return up to `request.lessons` assignments, the problems that have waited longest first."""
        model = LearnerModel.of(request)
        pool = {problem.id: problem for problem in model.pool}
        buffer = self.buffer(request, pool)
        picks = [
            Pick(pool[name], "right in {:.2f} of its last {} attempts".format(*buffer.pass_rate(name)))
            for name in buffer.waiting
        ]
        return lesson_plan(
            fill_up(picks, request, model, generator_of(request)) if self.fill else picks, request, model
        )

    def buffer(self, request: PlanningRequest, problem_ids: Iterable[str]) -> ReplayBuffer:
        """Return the buffer after all exams, as far as it concerns these problems."""
        known = {*problem_ids}
        buffer = ReplayBuffer(self.leave_at, self.window, self.capacity)
        for exam in _exams([*request.earlier_attempts, *request.attempts]):
            buffer.examine(attempt for attempt in exam if attempt.problem_id in known)
        return buffer


def _exams(attempts: Iterable[Attempt]) -> Iterator[list[Attempt]]:
    """Group attempts by student and cycle, in the order in which these appear."""
    found: defaultdict[tuple[str, int], list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        found[attempt.student, attempt.cycle].append(attempt)
    yield from found.values()
