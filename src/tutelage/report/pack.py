"""Data in a page: compressed, and in an alphabet that no markup can be made of."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from .clean import clean


def pack(value: Any) -> str:
    """Return a document as base64 of gzipped JSON; its texts are made harmless."""
    told = json.dumps(clean(value), ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(told.encode(), compresslevel=6, mtime=0)).decode()
