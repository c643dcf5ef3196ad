"""Guard: whatever a purifier's own method raises ends the run in one line that names the purifier and the method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite

from ..errors import RunError, blamed
from .context import RunContext


@contextmanager
def guard(context: RunContext, method: str) -> Iterator[None]:
    """Guard the call of a method of the purifier, and the reading of what it returns.

    Raises:
        RunError: If it raises.
    """
    try:
        yield
    except Exception as error:
        named = blamed(f"purifier {context.purifier_name}: {method}", error)
        if named is error:
            raise
        raise named from error


def scores_of(
    returned: Mapping[str, Mapping[str, float]], problem_of: Mapping[str, str]
) -> dict[str, dict[str, float]]:
    """Read the scores that a purifier's method has returned.

    Args:
        returned: Scores by name, by the id of what has them.
        problem_of: The problem that each of these ids belongs to.

    Raises:
        RunError: If one is no finite number: it cannot be compared, nor written as JSON.
    """
    scores = {id_: {name: float(score) for name, score in some.items()} for id_, some in returned.items()}
    for id_, some in scores.items():
        for name, score in some.items():
            if not isfinite(score):
                told = f"{name!r} for problem {problem_of.get(id_, id_)} is {score}"
                raise RunError(f"{told}; return finite numbers, and leave out what is not known")
    return scores
