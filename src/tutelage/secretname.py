"""Names that hold a secret: of fields, headers, parts of an address, and environment variables."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
"""Of a name in any manner of writing, such as `api_key`, `X-API-Key` and `apiKey`."""
_SECRET = re.compile(
    r"key|sig|jwt|o?auth|bearer|cookie|cred|credential|authorization|passcode|(key|user|db|store|ssl)?pass"
    r"|.*((api|access|secret|private|auth)key|token|secret|password|passwd|passphrase|pwd)"
)
"""A name's last word, not in the plural."""
_PLURAL = re.compile(r"..+[^s]s")
"""Longer than `eos`, and no `pass`."""
_WRITTEN_AS = ("pem", "json", "value", "raw", "plain")
"""Last words that tell how a secret is written; `env`, `file` and the like tell that it is not there."""
_OF_DATA = re.compile(
    "answer|cache|choice|column|completion|context|field|foreign|gold|group|id|image|index|input|label|map|message|metric"
    "|output|primary|problem|prompt|public|question|rationale|record|response|reward|row|solution|sort|split|target|text"
)
"""Before `key`: the name of a field of data, or what anybody may know."""
_OF_FILES = ("ssl",)
"""Before `key`: the name of a file that holds one."""
_OF_TEXT = ("audio", "bos", "cls", "eos", "image", "mask", "pad", "per", "sep", "special", "stop", "unk", "video")
"""Before `token`: a piece of text."""


def names_secret(name: str) -> bool:
    """Whether what has this name is a secret itself; `api_key_env` and the like are names of one."""
    return any(_is_secret(_words(form)) for form in (name, name.lower()))


def counts_tokens(name: str) -> bool:
    """Whether a number of this name is likely no secret, but says how many tokens, such as `max_tokens`."""
    return name.lower().endswith("tokens")


def _words(name: str) -> list[str]:
    words = [word.lower() for word in _WORD.findall(name)]
    return [word[:-1] if _PLURAL.fullmatch(word) else word for word in words]


def _is_secret(words: list[str]) -> bool:
    while len(words) > 1 and (words[-1] in _WRITTEN_AS or words[-2:] == ["key", "id"]):
        words = words[:-1]
    if not words or not _SECRET.fullmatch(words[-1]):
        return False
    before = words[-2] if len(words) > 1 else ""
    if words[-1] == "key":
        return not _OF_DATA.fullmatch(before) and before not in _OF_FILES
    return words[-1] != "token" or before not in _OF_TEXT
