"""An OpenAI-compatible chat server on the loopback interface, for tests: deterministic, with faults on demand.

Standalone: `python -m tutelage.testing.chat_server --port 0 --log FILE` prints its base URL and serves until ended.
"""

from __future__ import annotations

import argparse
import json
import select
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self

from ..hashing import content_hash
from ..seams import Message
from .faults import MALFORMED_TEXT, NO_FAULTS, Fault, Faults
from .tutor import reply_as_tutor

ReplyFunction = Callable[[list[Message]], str]


class Sent(NamedTuple):
    """What goes back to a client."""

    status: int
    data: bytes
    headers: dict[str, str]


class ChatServer:
    """A server that answers chat completions; a context manager.

    Attributes:
        base_url: What a client is given, such as `http://127.0.0.1:41231/v1`.
        requests: Chat requests received, failed ones included.
        hashes: A hash of every request's body, in order: what was asked twice shows up twice.
        paid: By that hash, how many sound replies were made, whether or not anybody still listened: what a provider
            charges for.
        faulty: How many requests met each fault.
        peak: Most requests in work at once.
        last_headers: Headers of the last chat request, names in lower case.
        last_body: Its body.
    """

    def __init__(
        self,
        reply: ReplyFunction = reply_as_tutor,
        *,
        models: Sequence[str] = ("fake",),
        latency: float = 0.0,
        fail_first: int = 0,
        fail_status: int = 429,
        retry_after: float | None = None,
        faults: Faults = NO_FAULTS,
        port: int = 0,
        log: Path | None = None,
    ) -> None:
        """Bind to a port; requests are answered from `start` on.

        Args:
            reply: Makes the reply's text from the messages; the default works arithmetic and listens.
            models: What `GET /v1/models` lists.
            latency: Seconds every chat request takes.
            fail_first: How many chat requests fail first.
            fail_status: HTTP status of those.
            retry_after: Seconds named in their `Retry-After` header.
            faults: What becomes of the others.
            port: 0 for any that is free.
            log: A JSONL file that gets one line a chat request.
        """
        self.reply = reply
        self.models = tuple(models)
        self.latency = latency
        self.fail_first = fail_first
        self.fail_status = fail_status
        self.retry_after = retry_after
        self.faults = faults
        self.log = log
        self.hashes: list[str] = []
        self.paid: Counter[str] = Counter()
        self.faulty: Counter[Fault] = Counter()
        self.peak = 0
        self.last_headers: dict[str, str] = {}
        self.last_body: dict[str, Any] = {}
        self._seen: Counter[str] = Counter()
        self._working = 0
        self.stopped = threading.Event()
        self._mutex = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.owner = self
        self._thread: threading.Thread | None = None
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def requests(self) -> int:
        """Chat requests received so far."""
        return len(self.hashes)

    def start(self) -> Self:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the server and free its port."""
        self.stopped.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def counts(self) -> dict[str, Any]:
        """Say what has happened so far; `GET /counts` says the same."""
        with self._mutex:
            return {
                "requests": len(self.hashes),
                "paid": self.paid.total(),
                "paid_twice": sum(times > 1 for times in self.paid.values()),
                "faults": {fault.value: times for fault, times in sorted(self.faulty.items())},
                "peak": self.peak,
            }

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def serve(self, headers: dict[str, str], body: dict[str, Any]) -> Sent | None:
        """Return what a chat request gets; None is nothing at all."""
        with self._mutex:
            number, fault = self._note(headers, body)
            self._working += 1
            self.peak = max(self.peak, self._working)
        try:
            time.sleep(self.latency)
            if number <= self.fail_first:
                return _failure(self.fail_status, self.retry_after)
            return self._answer(body, fault)
        finally:
            with self._mutex:
                self._working -= 1

    def _answer(self, body: dict[str, Any], fault: Fault | None) -> Sent | None:
        request = content_hash(body)
        if fault is Fault.SILENT:
            return None
        if fault is Fault.RATE_LIMITED:
            return _failure(429, self.faults.retry_after)
        if fault is Fault.SERVER_ERROR:
            return _failure(500, None)
        if fault is Fault.MALFORMED_BODY:
            return Sent(200, self.faults.body_of(request), {})
        text = MALFORMED_TEXT if fault is Fault.MALFORMED_TEXT else self.reply(body["messages"])
        with self._mutex:
            self.paid[request] += 1
        return Sent(200, json.dumps(_completion(body, text)).encode(), {})

    def _note(self, headers: dict[str, str], body: dict[str, Any]) -> tuple[int, Fault | None]:
        self.last_headers, self.last_body = headers, body
        request = content_hash(body)
        self.hashes.append(request)
        number = len(self.hashes)
        fault = self.faults.draw(request, self._seen[request]) if number > self.fail_first else None
        self._seen[request] += 1
        if fault is not None:
            self.faulty[fault] += 1
        if self.log is not None:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"number": number, "hash": request}) + "\n")
        return number, fault


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    owner: ChatServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that was killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """List the models, or say what has happened so far."""
        if self.path == "/counts":
            return self._send_json(200, self.server.owner.counts())
        if self.path != "/v1/models":
            return self._send_json(404, {"error": {"message": f"no {self.path}"}})
        rows = [{"id": model, "object": "model", "owned_by": "tutelage"} for model in self.server.owner.models]
        self._send_json(200, {"object": "list", "data": rows})

    def do_POST(self) -> None:
        """Complete a chat."""
        length = int(self.headers.get("Content-Length", 0))
        data = self.rfile.read(length)
        if len(data) < length:
            raise ConnectionResetError  # the client was killed while it wrote
        if self.path != "/v1/chat/completions":
            return self._send_json(404, {"error": {"message": f"no {self.path}"}})
        headers = {name.lower(): value for name, value in self.headers.items()}
        sent = self.server.owner.serve(headers, json.loads(data))
        if sent is None:
            self._wait_for_hangup()
        else:
            self._send(sent)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on stderr."""

    def _wait_for_hangup(self) -> None:
        """Say nothing until the client has closed the connection, or the server ends."""
        while not self.server.owner.stopped.is_set() and not select.select([self.connection], [], [], 0.1)[0]:
            pass
        self.close_connection = True

    def _send_json(self, status: int, body: dict[str, Any]) -> None:
        self._send(Sent(status, json.dumps(body).encode(), {}))

    def _send(self, sent: Sent) -> None:
        try:
            self.send_response(sent.status)
            length = {"Content-Type": "application/json", "Content-Length": str(len(sent.data))}
            for name, value in {**length, **sent.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent.data)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client was killed, which is what some tests do


def _failure(status: int, retry_after: float | None) -> Sent:
    pause = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return Sent(status, json.dumps({"error": {"message": "asked to fail", "type": "fake"}}).encode(), pause)


def _completion(body: dict[str, Any], text: str) -> dict[str, Any]:
    """Wrap a reply, cut to the length that was asked for; a token is a word here."""
    read = sum(len(str(message.get("content", "")).split()) for message in body["messages"])
    words = text.split()
    most = int(body.get("max_completion_tokens") or body.get("max_tokens") or len(words))
    cut = len(words) > most
    text, wrote = (" ".join(words[:most]), most) if cut else (text, len(words))
    return {
        "id": f"chatcmpl-{content_hash(body)}",
        "object": "chat.completion",
        "created": 0,
        "model": body.get("model", "fake"),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "length" if cut else "stop",
            }
        ],
        "usage": {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote},
    }


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--log", type=Path, help="JSONL file: one line a request")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds a request")
    parser.add_argument("--fail-first", type=int, default=0, help="requests that fail first")
    parser.add_argument("--fail-status", type=int, default=429)
    parser.add_argument("--faults", type=json.loads, default={}, help="JSON: the arguments of `Faults`")
    given = parser.parse_args()
    server = ChatServer(
        port=given.port,
        log=given.log,
        latency=given.latency,
        fail_first=given.fail_first,
        fail_status=given.fail_status,
        faults=Faults(**given.faults),
    ).start()
    print(server.base_url, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    main()
