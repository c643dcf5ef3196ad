"""Guard: whatever a purifier's own method raises ends the run in one line that names the purifier and the method."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import InputError, RunError, flat
from .context import RunContext


@contextmanager
def guard(context: RunContext, method: str) -> Iterator[None]:
    """Guard the call of a method of the purifier, and the reading of what it returns.

    Raises:
        RunError: If it raises.
    """
    try:
        yield
    except (InputError, RunError):
        raise
    except Exception as error:  # of somebody's plug-in
        told = f"purifier {context.purifier_name}: {method}: {flat(error)}; mend the plug-in"
        raise RunError(told) from error
