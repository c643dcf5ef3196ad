"""An OpenAI-compatible chat server on the loopback interface, for tests: deterministic, with faults on demand.

Standalone: `python -m tutelage.testing.chat_server --port 0 --log FILE` prints its base URL and serves until ended.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from ..hashing import content_hash
from ..seams import Message
from .tutor import reply_as_tutor

ReplyFunction = Callable[[list[Message]], str]


class ChatServer:
    """A server that answers chat completions; a context manager.

    Attributes:
        base_url: What a client is given, such as `http://127.0.0.1:41231/v1`.
        requests: Chat requests received, failed ones included.
        hashes: A hash of every request's body, in order: what was asked twice shows up twice.
        peak: Most requests in work at once.
        last_headers: Headers of the last chat request, names in lower case.
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
            port: 0 for any that is free.
            log: A JSONL file that gets one line a chat request.
        """
        self.reply = reply
        self.models = tuple(models)
        self.latency = latency
        self.fail_first = fail_first
        self.fail_status = fail_status
        self.retry_after = retry_after
        self.log = log
        self.hashes: list[str] = []
        self.peak = 0
        self.last_headers: dict[str, str] = {}
        self._working = 0
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
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def serve(self, headers: dict[str, str], body: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Answer one chat request: status, headers and body."""
        with self._mutex:
            number = self._note(headers, body)
            self._working += 1
            self.peak = max(self.peak, self._working)
        try:
            time.sleep(self.latency)
            if number <= self.fail_first:
                pause = {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}
                return self.fail_status, pause, {"error": {"message": "asked to fail", "type": "fake"}}
            return 200, {}, _completion(body, self.reply(body["messages"]))
        finally:
            with self._mutex:
                self._working -= 1

    def _note(self, headers: dict[str, str], body: dict[str, Any]) -> int:
        self.last_headers = headers
        self.hashes.append(content_hash(body))
        if self.log is not None:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"number": len(self.hashes), "hash": self.hashes[-1]}) + "\n")
        return len(self.hashes)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    owner: ChatServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """List the models."""
        if self.path != "/v1/models":
            return self._send(404, {}, {"error": {"message": f"no {self.path}"}})
        rows = [{"id": model, "object": "model", "owned_by": "tutelage"} for model in self.server.owner.models]
        self._send(200, {}, {"object": "list", "data": rows})

    def do_POST(self) -> None:
        """Complete a chat."""
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/v1/chat/completions":
            return self._send(404, {}, {"error": {"message": f"no {self.path}"}})
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(*self.server.owner.serve(headers, json.loads(data)))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on stderr."""

    def _send(self, status: int, headers: dict[str, str], body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        try:
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(data)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client was killed, which is what some tests do


def _completion(body: dict[str, Any], text: str) -> dict[str, Any]:
    """Wrap a reply; a token is a word here."""
    read = sum(len(str(message.get("content", "")).split()) for message in body["messages"])
    wrote = len(text.split())
    return {
        "id": f"chatcmpl-{content_hash(body)}",
        "object": "chat.completion",
        "created": 0,
        "model": body.get("model", "fake"),
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
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
    given = parser.parse_args()
    server = ChatServer(
        port=given.port,
        log=given.log,
        latency=given.latency,
        fail_first=given.fail_first,
        fail_status=given.fail_status,
    ).start()
    print(server.base_url, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    main()
