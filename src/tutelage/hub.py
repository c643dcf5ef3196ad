"""Where a model of the Hugging Face hub lies on this machine, fetched if it is not there yet."""

from __future__ import annotations

from pathlib import Path

_FILES = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
_SECONDS = 5.0
"""Until a hub that does not answer counts as out of reach."""


def hub_folder(model: str) -> Path:
    """Return the folder of a model's configuration, tokenizer and safetensors: from the cache, else from the hub.

    Raises:
        OSError: If it is in neither.
        ValueError: If the name cannot be a hub id.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, allow_patterns=_FILES, local_files_only=True))
    except LocalEntryNotFoundError:
        return Path(snapshot_download(model, allow_patterns=_FILES, etag_timeout=_SECONDS))
