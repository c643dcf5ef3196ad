"""The vector index of the error journal: a Chroma collection, trusted only as far as it agrees with the journal."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ..errors import RunError
from ..schema import SCHEMA_VERSION
from ..seams import Embedder
from .journal import ErrorEntry

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.collection_configuration import CreateHNSWConfiguration
    from chromadb.api.models.Collection import Collection

COLLECTION = "errors"
BATCH = 512
"""Errors embedded and added at once; below Chroma's own limit of a few thousand."""
HNSW: CreateHNSWConfiguration = {
    "space": "cosine",
    "ef_construction": 200,
    "ef_search": 256,
    "max_neighbors": 64,
    "num_threads": 1,
}
"""One thread, so that the same journal gives the same graph and so the same neighbours. Many neighbours, because
the same error made over and over fills the neighbourhoods, and what lies outside cannot be reached any more."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Hit(NamedTuple):
    """An error found by the index."""

    id: str
    similarity: float
    """Cosine similarity, in [-1, 1]."""


def running_digest(ids: Sequence[str], start: str = "") -> str:
    """Hash ids one after another, so that the digest of a longer list continues that of its beginning."""
    digest = start
    for one in ids:
        digest = hashlib.sha256(f"{digest}{one}".encode()).hexdigest()[:32]
    return digest


class ErrorIndex:
    """Nearest neighbours among errors.

    The collection's metadata says which errors it holds: their count, a running hash of their ids, the embedder's
    name and the schema version. An index that is exactly the beginning of the journal is completed; any other, or
    one that Chroma cannot read, is deleted and built again.
    """

    def __init__(self, folder: Path, embedder: Embedder, text: Callable[[ErrorEntry], str]) -> None:
        """Remember where the index lies; nothing is opened before `sync`.

        Args:
            folder: The index's folder; Chroma owns all that is in it.
            embedder: Turns texts into vectors.
            text: What of an error is embedded.
        """
        self.folder = folder
        self._embedder = embedder
        self._text = text
        self._client: ClientAPI | None = None
        self._collection: Collection | None = None
        self._count = 0
        self._digest = ""
        self.rebuilds = 0

    def sync(self, errors: Mapping[str, ErrorEntry]) -> None:
        """Make the index hold exactly the errors of the journal.

        Raises:
            RunError: If Chroma cannot build it even from nothing, or the embedder gives vectors of no use.
        """
        ids = list(errors)
        try:
            if self._collection is None and not self._open(ids):
                self._reset()
            self._extend(ids, errors)
        except _ChromaFailure:
            self._reset()
            self._again(lambda: self._extend(ids, errors))

    def query(self, text: str, limit: int, where: dict[str, Any] | None, errors: Mapping[str, ErrorEntry]) -> list[Hit]:
        """Return the errors nearest to a text, the nearest first.

        Args:
            text: What to look for.
            limit: Errors wanted.
            where: A Chroma filter over `cycle` and `problem_id`.
            errors: The journal, for building the index again if Chroma finds it damaged only now.
        """
        if not errors:
            return []
        self.sync(errors)
        vector = self._vectors([text])[0]
        try:
            return self._search(vector, limit, where)
        except _ChromaFailure:
            self._reset()
            self.sync(errors)
            return self._again(lambda: self._search(vector, limit, where))

    def close(self) -> None:
        """Release Chroma's files, so that the folder can be opened again in this process."""
        if self._client is not None:
            self._client.close()  # type: ignore[attr-defined]
        self._client = self._collection = None

    def _open(self, ids: Sequence[str]) -> bool:
        """Open the index on disk; return whether it is a beginning of the journal."""
        if not self.folder.exists():
            return False
        collection = _guarded(self._connect)
        facts: Mapping[str, Any] = collection.metadata or {}
        count = facts.get("count")
        if not isinstance(count, int) or not 0 <= count <= len(ids):
            return False
        expected = self._facts(count, running_digest(ids[:count]))
        if dict(facts) != expected or sorted(_guarded(self._held)) != sorted(ids[:count]):
            return False
        self._count, self._digest = count, expected["digest"]
        return True

    def _held(self) -> list[str]:
        """Return the ids in the collection, or none if some of their vectors are lost.

        Chroma says nothing when a segment's files are missing: ids and metadata are still there, and a query finds
        next to nothing. So the vectors themselves are asked for.
        """
        assert self._collection is not None
        got = self._collection.get(include=["embeddings"])
        vectors = got["embeddings"]
        return list(got["ids"]) if vectors is not None and len(vectors) == len(got["ids"]) else []

    def _connect(self) -> Collection:
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
        self._collection = self._client.get_or_create_collection(
            COLLECTION, embedding_function=None, configuration={"hnsw": HNSW}
        )
        return self._collection

    def _reset(self) -> None:
        """Begin an empty index."""
        if self.folder.exists():
            self.rebuilds += 1
            _log.info("%s: disagrees with the journal or is damaged; built again", self.folder)
        self.close()
        self._again(self._remove)
        self._count, self._digest = 0, ""
        self._again(self._connect)

    def _remove(self) -> None:
        if self.folder.is_dir() and not self.folder.is_symlink():
            shutil.rmtree(self.folder)
        else:
            self.folder.unlink(missing_ok=True)

    def _again(self, action: Callable[[], T]) -> T:
        """Run what must work on a fresh index."""
        try:
            return _guarded(action)
        except _ChromaFailure as error:
            raise RunError(f"{self.folder}: Chroma cannot build the index: {error}") from error

    def _extend(self, ids: Sequence[str], errors: Mapping[str, ErrorEntry]) -> None:
        """Add what the journal has beyond the index."""
        for start in range(self._count, len(ids), BATCH):
            batch = [errors[one] for one in ids[start : start + BATCH]]
            self._add(batch, self._vectors([self._text(error) for error in batch]))

    def _vectors(self, texts: list[str]) -> list[list[float]]:
        vectors = self._embedder.embed(texts)
        if len(vectors) != len(texts) or any(not vector for vector in vectors):
            raise RunError(f"embedder {self._embedder.name!r}: gave {len(vectors)} vectors for {len(texts)} texts")
        return vectors

    def _add(self, batch: Sequence[ErrorEntry], vectors: list[list[float]]) -> None:
        new = [error.id for error in batch]
        count, digest = self._count + len(new), running_digest(new, self._digest)
        metadatas = [{"cycle": error.cycle, "problem_id": error.problem_id} for error in batch]

        def write() -> None:
            assert self._collection is not None
            # A crash between the two leaves errors that the metadata does not count; `_open` sees that.
            self._collection.upsert(ids=new, embeddings=vectors, metadatas=metadatas)  # type: ignore[arg-type]
            self._collection.modify(metadata=self._facts(count, digest))

        _guarded(write)
        self._count, self._digest = count, digest

    def _facts(self, count: int, digest: str) -> dict[str, Any]:
        return {"schema": SCHEMA_VERSION, "embedder": self._embedder.name, "count": count, "digest": digest}

    def _search(self, vector: list[float], limit: int, where: dict[str, Any] | None) -> list[Hit]:
        def search() -> list[Hit]:
            assert self._collection is not None
            found = self._collection.query(
                query_embeddings=[vector],  # type: ignore[arg-type]
                n_results=min(limit, self._count),
                where=where,
                include=["distances"],
            )
            distances = (found["distances"] or [[]])[0]
            return [Hit(one, 1.0 - float(far)) for one, far in zip(found["ids"][0], distances, strict=True)]

        return _guarded(search)


class _ChromaFailure(Exception):
    """Chroma failed in whatever way; building the index again is the remedy."""


def _guarded(action: Callable[[], T]) -> T:
    try:
        return action()
    except (KeyboardInterrupt, SystemExit, GeneratorExit, RunError, _ChromaFailure):
        raise
    except BaseException as error:  # a panic in Chroma's Rust core is no Exception
        raise _ChromaFailure(f"{type(error).__name__}: {str(error)[:200]}") from error
