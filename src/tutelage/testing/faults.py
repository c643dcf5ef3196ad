"""What a chat server does wrong, drawn by what is asked: the same request fails in the same way in every run."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from ..errors import InputError
from ..hashing import content_hash


class Fault(StrEnum):
    """One way to fail a request."""

    RATE_LIMITED = "rate_limited"
    """HTTP 429 with `Retry-After`."""
    SERVER_ERROR = "server_error"
    """HTTP 500."""
    MALFORMED_TEXT = "malformed_text"
    """A sound reply, paid for, whose text holds no answer."""
    MALFORMED_BODY = "malformed_body"
    """HTTP 200 with a body that is no reply."""
    SILENT = "silent"
    """No reply at all, until the client gives up."""


MALFORMED_TEXT = "Let me think about this one for a while."
MALFORMED_BODIES = (
    b"<html><body>Bad gateway</body></html>",
    b'{"id": "x", "object": "chat.completion", "choices": [{"index": 0, "mess',
    b'{"id": "x", "object": "chat.completion", "created": 0, "model": "fake", "choices": []}',
    b'{"id": "x", "object": "chat.completion", "created": 0, "model": "fake", "choices": null}',
    b'{"id": "x", "object": "chat.completion", "created": 0, "model": "fake", "choices": [{"index": 0, '
    b'"finish_reason": "stop", "message": {"role": "assistant", "content": null}}]}',
)


@dataclass(frozen=True)
class Faults:
    """Shares of requests that fail, one share a fault; what is left is answered.

    Attributes:
        retry_after: Seconds named in a 429's `Retry-After` header.
        seed: Of the draw.
        lasting: Whether a request's fate is drawn once for all its tries; otherwise for each try.
    """

    rate_limited: float = 0.0
    server_error: float = 0.0
    malformed_text: float = 0.0
    malformed_body: float = 0.0
    silent: float = 0.0
    retry_after: float = 0.05
    seed: int = 0
    lasting: bool = False

    def __post_init__(self) -> None:
        """Raise InputError for shares that are none."""
        shares = [getattr(self, fault.value) for fault in Fault]
        if min(shares) < 0 or sum(shares) > 1:
            raise InputError("faults: the shares must not be negative and must add up to at most 1")

    def draw(self, request: str, number: int) -> Fault | None:
        """Return what becomes of a try; None is an answer.

        Args:
            request: A hash of the request's body.
            number: How often this very request has come before.
        """
        left = self._chance(request, number)
        for fault in Fault:
            left -= getattr(self, fault.value)
            if left < 0:
                return fault
        return None

    def body_of(self, request: str) -> bytes:
        """Return a body that is no reply."""
        return MALFORMED_BODIES[int(request[:8], 16) % len(MALFORMED_BODIES)]

    def _chance(self, request: str, number: int) -> float:
        return random.Random(content_hash(self.seed, request, 0 if self.lasting else number)).random()


NO_FAULTS = Faults()
