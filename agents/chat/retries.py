"""When a call that failed is tried again, and after how long."""

from __future__ import annotations

import random
import time
from email.utils import parsedate_to_datetime
from typing import Any

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_random_exponential

TRY_AGAIN = frozenset({408, 409, 429})
"""HTTP statuses under 500 that may go away: time-out, conflict, too many requests."""
OUT_OF_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
"""Codes of a 429 that waiting does not mend."""
FIRST_PAUSE = 0.5
"""Seconds: the longest pause before the second try; it doubles with every try after."""
LONGEST_PAUSE = 30.0
LONGEST_TOLD = 60.0
"""Seconds that a server may make us wait with `Retry-After`."""
SPREAD = 0.1
"""Share by which a pause that a server asks for is drawn out, so that not all who were told come back at once."""


def retrying(retries: int, patience: float) -> AsyncRetrying:
    """Return what calls a coroutine function until it succeeds or there is no use in going on.

    The pauses grow exponentially with full jitter (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog,
    2015), unless the server names one.

    Args:
        retries: Tries after the first.
        patience: Seconds after which no further try begins.
    """
    return AsyncRetrying(
        retry=retry_if_exception(is_worth_another_try),
        wait=_pause,
        stop=stop_after_attempt(retries + 1) | stop_before_delay(patience),
        reraise=True,
    )


def is_worth_another_try(error: BaseException) -> bool:
    """Whether a failure may go away; what no client understands is taken for a passing fault of the server."""
    from langchain_core.exceptions import ModelError

    if not isinstance(error, Exception) or getattr(error, "code", None) in OUT_OF_MONEY:
        return False
    status = status_of(error)
    if status is not None and status >= 400:
        return status in TRY_AGAIN or status >= 500
    return not isinstance(error, ModelError) or error.is_retryable


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status of a provider's exception, as most of them carry it."""
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def told_pause(error: BaseException | None) -> float | None:
    """Return the seconds that the server asks us to wait; None if it does not say.

    `Retry-After` is seconds or a date (RFC 9110, section 10.2.3); `retry-after-ms` is OpenAI's own.
    """
    headers: Any = getattr(getattr(error, "response", None), "headers", None) or {}
    milliseconds, seconds = _number(headers.get("retry-after-ms")), _number(headers.get("retry-after"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    return max(0.0, seconds) if seconds is not None else _until(headers.get("retry-after"))


_backoff = wait_random_exponential(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE)


def _pause(state: RetryCallState) -> float:
    told = told_pause(state.outcome.exception() if state.outcome else None)
    if told is None:
        return _backoff(state)
    return min(told, LONGEST_TOLD) * random.uniform(1, 1 + SPREAD)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if number == number else None  # not NaN


def _until(date: str | None) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date or "").timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
