"""Where the vectors lie: Chroma in this process with its files in a folder, or a Chroma server."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import httpx

from ..errors import InputError, one_line
from ..hashing import content_hash
from ..secret import is_in_file, read_secret

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.collection_configuration import CreateHNSWConfiguration
    from chromadb.api.models.Collection import Collection

HNSW: CreateHNSWConfiguration = {
    "space": "cosine",
    "ef_construction": 200,
    "ef_search": 256,
    "max_neighbors": 32,
    "num_threads": 1,
}
"""One thread, so that the same journal gives the same graph and so the same neighbours. Many neighbours, because
the same error made over and over fills the neighbourhoods, and what lies outside cannot be reached any more."""
TOKEN_HEADER = "x-chroma-token"
PORTS = {"http": 8000, "https": 443}
"""Where a server is that is named without a port: Chroma's own, and what stands before it for https."""
PROBE_SECONDS = 5.0
"""How long `check_server` waits."""
SERVER_SECONDS = 60.0
"""How long one request to the server may take; Chroma's own client would wait for ever."""


_BUSY = frozenset({429, 502, 503, 504})


class Connection(Protocol):
    """One Chroma collection and how to come by it."""

    where: str
    """Named in messages."""
    files_are_ours: bool
    """Whether the vectors' files can be lost without Chroma's saying so."""

    def exists(self) -> bool:
        """Whether there may be an index; False only if there certainly is none."""
        ...

    def connect(self) -> Collection:
        """Open the collection, making it if it is not there."""
        ...

    def remove(self) -> None:
        """Delete the collection and all that is in it."""
        ...

    def is_away(self, error: BaseException) -> bool:
        """Whether a failure says that Chroma could not be asked, and so nothing of the index."""
        ...

    def close(self) -> None:
        """Let go of files and sockets."""
        ...


class FolderConnection:
    """Chroma in this process; it owns all that is in the folder."""

    files_are_ours = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.where = str(folder)
        self._client: ClientAPI | None = None

    def exists(self) -> bool:
        """Whether there is anything in the folder's place."""
        return self.folder.exists()

    def connect(self) -> Collection:
        """Open the collection, making it if it is not there."""
        import chromadb
        from chromadb.api.shared_system_client import SharedSystemClient
        from chromadb.config import Settings

        settings = Settings(anonymized_telemetry=False)
        try:
            self._client = chromadb.PersistentClient(path=str(self.folder), settings=settings)
        except BaseException:
            # A client that failed stays in Chroma's cache by path and would be handed out again.
            SharedSystemClient.clear_system_cache()
            raise
        return self._client.get_or_create_collection("errors", embedding_function=None, configuration={"hnsw": HNSW})

    def remove(self) -> None:
        """Delete the folder."""
        self.close()
        if self.folder.is_dir() and not self.folder.is_symlink():
            shutil.rmtree(self.folder)
        else:
            self.folder.unlink(missing_ok=True)

    def is_away(self, error: BaseException) -> bool:
        """Never: Chroma is in this process."""
        return False

    def close(self) -> None:
        """Release Chroma's files, so that the folder can be opened again in this process.

        Chroma writes memory that it has not filled into its graph's files, and there a key may lie that this process
        has used. The folder is deleted then: it is built again from the journal.
        """
        if self._client is not None:
            self._client.close()  # type: ignore[attr-defined]
            if any(is_in_file(path) for path in self.folder.rglob("*.bin")):
                shutil.rmtree(self.folder)
        self._client = None


class ServerConnection:
    """A collection of its own on a Chroma server, named after the journal's folder and this machine."""

    files_are_ours = False

    def __init__(self, url: str, folder: Path, token_env: str | None = None) -> None:
        """Remember where to look; nothing is connected to yet.

        Args:
            url: `http://host:port`.
            folder: The journal's folder.
            token_env: Environment variable whose value is sent as `x-chroma-token`.

        Raises:
            InputError: If the URL is none, or the variable is not set.
        """
        self.url = require_url(url)
        self.where = f"{self.url} (memory.server)"
        folder = folder.resolve()
        self.collection = f"tutelage-{content_hash(socket.gethostname(), str(folder))}"
        self._headers = _headers(token_env)

    def exists(self) -> bool:
        """Whether there is an index shows when it is opened."""
        return True

    def connect(self) -> Collection:
        """Open the collection, making it if it is not there."""
        return self._open().get_or_create_collection(
            self.collection, embedding_function=None, configuration={"hnsw": HNSW}
        )

    def remove(self) -> None:
        """Delete the collection."""
        client = self._open()
        if self.collection in {one.name for one in client.list_collections()}:
            client.delete_collection(self.collection)

    def is_away(self, error: BaseException) -> bool:
        """Whether the server was not reached, or is too busy; Chroma's client puts some of these into others."""
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, httpx.TransportError):
                return True
            if isinstance(cause, httpx.HTTPStatusError) and cause.response.status_code in _BUSY:
                return True
            cause = cause.__cause__ or cause.__context__
        return False

    def close(self) -> None:
        """Nothing to let go of: the client keeps no connection that must be closed."""

    def _open(self) -> ClientAPI:
        import chromadb
        from chromadb.config import Settings

        parts = urlsplit(self.url)
        client = chromadb.HttpClient(
            host=parts.hostname or "",
            port=parts.port or PORTS[parts.scheme],
            ssl=parts.scheme == "https",
            headers=dict(self._headers),
            settings=Settings(anonymized_telemetry=False),
        )
        client._server._session.timeout = httpx.Timeout(SERVER_SECONDS)  # type: ignore[attr-defined]
        return client


def require_url(url: str) -> str:
    """Return a server's address as it is used, with the port: Chroma's own if there is none, 443 for https.

    Raises:
        InputError: If it is no plain `http://host:port`.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        raise InputError("memory.server: is no address; give http://host:port") from None
    if parts.username or parts.password or parts.query:
        raise InputError(
            "memory.server: holds a name or secret; give http://host:port, and the variable with the token as "
            "memory.token_env"
        )
    if not sound or parts.path.strip("/") or parts.fragment:
        raise InputError(f"memory.server: {url[:80]!r} is no address; give http://host:port")
    port = f":{PORTS[parts.scheme]}" if parts.port is None else ""
    return f"{parts.scheme}://{parts.netloc.removesuffix(':')}{port}"


def check_server(url: str, token_env: str | None) -> None:
    """Ask a Chroma server whether it is there.

    Raises:
        InputError: If it does not answer, or not as Chroma does.
    """
    address = require_url(url)
    try:
        with httpx.Client(timeout=PROBE_SECONDS, headers=_headers(token_env)) as client:
            reply = client.get(f"{address}/api/v2/heartbeat")
            beats = reply.status_code == 200 and "nanosecond heartbeat" in reply.json()
    except (httpx.HTTPError, ValueError) as error:
        raise InputError(
            f"memory.server: {address} does not answer ({one_line(error)}); start it with `chroma run`, or leave "
            "memory.server out"
        ) from error
    if not beats:
        raise InputError(
            f"memory.server: {address} answers HTTP {reply.status_code}, not as a Chroma server; mend the address or "
            "memory.token_env"
        )


def _headers(token_env: str | None) -> dict[str, str]:
    if token_env is None:
        return {}
    token = read_secret(token_env)
    if not token:
        raise InputError(f"memory.token_env: the environment variable {token_env} is not set; set it, or leave it out")
    return {TOKEN_HEADER: token}
