"""The vector index of the error journal: a Chroma collection, trusted only as far as it agrees with the journal."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import RunError, one_line
from ..hashing import content_hash
from ..schema import SCHEMA_VERSION
from ..seams import Embedder
from ..secret import without_secrets
from .connection import HNSW, Connection
from .description import DESCRIPTION
from .journal import ADDED, ErrorEntry

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

BATCH = 512
"""Errors embedded and added at once; below Chroma's own limit of a few thousand."""

PAUSE = 2.0
"""Seconds before a server that was away is asked again."""

T = TypeVar("T")
Vectors = npt.NDArray[np.float32]
_log = logging.getLogger(__name__)


class Hit(NamedTuple):
    """An error found by the index."""

    id: str
    similarity: float
    """Cosine similarity, in [-1, 1]."""


def running_digest(events: Sequence[str], start: str = "") -> str:
    """Hash events one after another, so that the digest of a longer list continues that of its beginning."""
    digest = start
    for one in events:
        digest = hashlib.sha256(f"{digest}{one}".encode()).hexdigest()[:32]
    return digest


class ErrorIndex:
    """Nearest neighbours among errors.

    The collection's metadata says how far it has followed the journal: how many of its events (errors that came and
    went), a running hash of them, the embedder's name, the schema version, and a hash of how errors are described and
    of the graph's settings. An index that has followed exactly a beginning of the journal is completed; any other, or
    one that Chroma cannot read, is deleted and built again.
    """

    def __init__(self, connection: Connection, embedder: Embedder, text: Callable[[ErrorEntry], str]) -> None:
        """Remember where the index lies; nothing is opened before `sync`.

        Args:
            connection: The index's collection, which nobody else may write to.
            embedder: Turns texts into vectors.
            text: What of an error is embedded.
        """
        self._connection = connection
        self._embedder = embedder
        self._text = text
        self._collection: Collection | None = None
        self._followed = 0
        self._digest = ""
        self._held: set[str] = set()
        self.rebuilds = 0

    def sync(self, events: Sequence[str], errors: Mapping[str, ErrorEntry]) -> None:
        """Make the index hold exactly the errors of the journal.

        Args:
            events: The journal's events.
            errors: The errors that are left.

        Raises:
            RunError: If Chroma cannot build it even from nothing, or the embedder gives vectors of no use.
        """
        try:
            if self._collection is None and not self._open(events, errors):
                self.reset()
            self._follow(events, errors)
        except _ChromaFailure:
            self.reset()
            self._again(lambda: self._follow(events, errors))

    def vector(self, text: str) -> list[float]:
        """Return the vector of what is sought."""
        return self._vectors([text])[0]

    def nearest(
        self,
        vector: list[float],
        limit: int,
        events: Sequence[str],
        errors: Mapping[str, ErrorEntry],
        among: Sequence[str] | None = None,
    ) -> list[Hit]:
        """Return the errors nearest to a vector, the nearest first.

        Args:
            vector: From `vector`.
            limit: Errors wanted.
            events: As for `sync`, for building the index again if Chroma finds it damaged only now.
            errors: As for `sync`.
            among: Look only at these ids; slow if they are many.
        """
        self.sync(events, errors)
        if not self._held or among == []:
            return []
        try:
            return self._search(vector, limit, among)
        except _ChromaFailure:
            self.reset()
            self.sync(events, errors)
            return self._again(lambda: self._search(vector, limit, among))

    def vectors_of(self, ids: Sequence[str], events: Sequence[str], errors: Mapping[str, ErrorEntry]) -> Vectors:
        """Return the vectors of errors that the index holds, [ids, size], each of unit length.

        Args:
            ids: The errors.
            events: As for `sync`, for building the index again if Chroma finds it damaged only now.
            errors: As for `sync`.
        """
        self.sync(events, errors)
        try:
            return self._fetch(ids)
        except _ChromaFailure:
            self.reset()
            self.sync(events, errors)
            return self._again(lambda: self._fetch(ids))

    def close(self) -> None:
        """Release Chroma's files and sockets."""
        self._connection.close()
        self._collection = None

    def _open(self, events: Sequence[str], errors: Mapping[str, ErrorEntry]) -> bool:
        """Open the index that is there; return whether it has followed a beginning of the journal."""
        if not self._connection.exists():
            return False
        collection = self._guarded(self._connection.connect)
        facts: Mapping[str, Any] = collection.metadata or self._facts(0, "")
        count = facts.get("events")
        if not isinstance(count, int) or not 0 <= count <= len(events):
            return False
        digest = running_digest(events[:count])
        if dict(facts) != self._facts(count, digest):
            return False
        held, may = self._guarded(lambda: self._ids(collection)), _left(events[:count])
        if not {one for one in may if one in errors} <= held <= may:
            return False
        self._collection, self._followed, self._digest, self._held = collection, count, digest, held
        return True

    def _ids(self, collection: Collection) -> set[str]:
        """Return the ids in the collection, or none if some of their vectors are lost.

        Chroma says nothing when a segment's files are missing: ids and metadata are still there, and a query finds
        next to nothing. So the vectors themselves are asked for, unless a server looks after them.
        """
        if not self._connection.files_are_ours:
            return set(collection.get(include=[])["ids"])
        got = collection.get(include=["embeddings"])
        vectors = got["embeddings"]
        return set(got["ids"]) if vectors is not None and len(vectors) == len(got["ids"]) else set()

    def reset(self) -> None:
        """Begin an empty index; the next `sync` fills it."""
        if self._connection.exists():
            self.rebuilds += 1
            _log.info("%s: disagrees with the journal or is damaged; built again", self._connection.where)
        self.close()
        self._again(self._connection.remove)
        self._followed, self._digest, self._held = 0, "", set()
        self._collection = self._again(self._connection.connect)

    def _again(self, action: Callable[[], T]) -> T:
        """Run what must work on a fresh index."""
        try:
            return self._guarded(action)
        except _ChromaFailure as error:
            raise RunError(f"{self._connection.where}: Chroma cannot build the index: {error}") from error

    def _guarded(self, action: Callable[[], T], tries: int = 2) -> T:
        """Run what Chroma does; a server that is away says nothing of the index, and is asked once more."""
        try:
            return action()
        except (KeyboardInterrupt, SystemExit, GeneratorExit, RunError, _ChromaFailure):
            raise
        except BaseException as error:  # a panic in Chroma's Rust core is no Exception
            if not self._connection.is_away(error):
                raise _ChromaFailure(f"{type(error).__name__}: {without_secrets(str(error))[:200]}") from error
            if tries == 1:
                told = f"{self._connection.where}: does not answer ({one_line(error)}); see to the server, then resume"
                raise RunError(told) from error
        time.sleep(PAUSE)
        return self._guarded(action, tries - 1)

    def _follow(self, events: Sequence[str], errors: Mapping[str, ErrorEntry]) -> None:
        """Add and delete what the journal has beyond the index."""
        for start in range(self._followed, len(events), BATCH):
            batch = events[start : start + BATCH]
            come = [errors[event[1:]] for event in batch if event[0] == ADDED and event[1:] in errors]
            gone = [event[1:] for event in batch if event[0] != ADDED and event[1:] in self._held]
            vectors = self._vectors([self._text(error) for error in come]) if come else []
            self._write(batch, [error.id for error in come], vectors, gone)

    def _vectors(self, texts: list[str]) -> list[list[float]]:
        vectors = self._embedder.embed(texts)
        if len(vectors) != len(texts) or any(not vector for vector in vectors):
            raise RunError(f"embedder {self._embedder.name!r}: gave {len(vectors)} vectors for {len(texts)} texts")
        return vectors

    def _write(self, batch: Sequence[str], come: list[str], vectors: list[list[float]], gone: list[str]) -> None:
        count, digest = self._followed + len(batch), running_digest(batch, self._digest)

        def write() -> None:
            assert self._collection is not None
            # A crash in between leaves errors that the metadata does not tell of; `_open` sees that.
            if come:
                self._collection.upsert(ids=come, embeddings=vectors)  # type: ignore[arg-type]
            if gone:
                self._collection.delete(ids=gone)
            self._collection.modify(metadata=self._facts(count, digest))

        self._guarded(write)
        self._followed, self._digest = count, digest
        self._held.update(come)
        self._held.difference_update(gone)

    def _fetch(self, ids: Sequence[str]) -> Vectors:
        def fetch() -> Vectors:
            assert self._collection is not None
            found: dict[str, Any] = {}
            for start in range(0, len(ids), BATCH):
                got = self._collection.get(ids=list(ids[start : start + BATCH]), include=["embeddings"])
                found.update(zip(got["ids"], () if got["embeddings"] is None else got["embeddings"], strict=True))
            vectors = np.array([found[one] for one in ids], np.float32)
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)

        return self._guarded(fetch)

    def _facts(self, events: int, digest: str) -> dict[str, Any]:
        made = content_hash(HNSW, DESCRIPTION)
        told = {"schema": SCHEMA_VERSION, "embedder": self._embedder.name, "made": made}
        return {**told, "events": events, "digest": digest}

    def _search(self, vector: list[float], limit: int, among: Sequence[str] | None) -> list[Hit]:
        def search() -> list[Hit]:
            assert self._collection is not None
            found = self._collection.query(
                query_embeddings=[vector],  # type: ignore[arg-type]
                n_results=min(limit, len(self._held)),
                ids=None if among is None else list(among),
                include=["distances"],
            )
            distances = (found["distances"] or [[]])[0]
            return [Hit(one, 1.0 - float(far)) for one, far in zip(found["ids"][0], distances, strict=True)]

        return self._guarded(search)


def _left(events: Sequence[str]) -> set[str]:
    """Return the ids that are left after these events; one that went does not come again."""
    come = {event[1:] for event in events if event[0] == ADDED}
    return come - {event[1:] for event in events if event[0] != ADDED}


class _ChromaFailure(Exception):
    """Chroma failed in whatever way; building the index again is the remedy."""
