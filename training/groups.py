"""Groups of samples: how many answers to a question are right, before and after hints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .ends import ends


@dataclass
class Tally:
    """Counts of groups, over all processes."""

    groups: int = 0
    all_right: int = 0
    all_wrong: int = 0
    """Before any hint."""
    rescued: int = 0
    """Of those all wrong: with a hint at least one answer was right."""
    too_long: int = 0
    """Answers not sampled again because prompt, hint and answer might not fit into the student's context."""
    accuracy: list[float] = field(default_factory=list)
    """Share of right answers before any hint, by batch."""

    def count(self, right: Any) -> None:
        """Count a batch.

        Args:
            right: Whether each answer is right, a boolean tensor (groups, generations).
        """
        self.groups += len(right)
        self.all_right += int(right.all(dim=1).sum())
        self.all_wrong += int((~right).all(dim=1).sum())
        self.accuracy.append(float(right.float().mean()))

    def summary(self, *, guided: bool) -> dict[str, float]:
        """Return the figures of a report: accuracy in the first and the last tenth of the batches, and the groups."""
        accuracy = ends(self.accuracy)
        figures = {
            "first_accuracy": accuracy.first,
            "last_accuracy": accuracy.last,
            "groups": self.groups,
            "groups_all_right": self.all_right,
            "groups_all_wrong": self.all_wrong,
        }
        return figures | ({"groups_rescued": self.rescued, "hints_too_long": self.too_long} if guided else {})
