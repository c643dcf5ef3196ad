"""Values as others may see them: those of a configuration with what is known as a secret blacked out."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import yaml

from .secret import BLACK, without_secrets
from .secretname import counts_tokens, names_secret

_WEB = re.compile(r"(https?://)[^/?#\s]*@", re.IGNORECASE)
"""A name alone may be a token."""
_PASSWORD = re.compile(r"((?<!http:)(?<!https:)//[^:/@\s]*:)[^@\n]{0,4000}@(?:[^@/?#\s]*@)*", re.IGNORECASE)
"""Where SQLAlchemy finds a password; other than in the address of a web page, it may hold any sign."""
_ENCODED = r"%(?:25)*"
"""Of a sign in an address; a field of a query may hold others, encoded once more."""
_FIELD = re.compile(
    rf"(?P<before>[?&;]|{_ENCODED}(?:3F|26|3B)|(?<![\w.%-]))(?P<name>(?:[\w.-]|%(?!(?:25)*(?:3D|3B|26|7B)))+)(?:\s*=\s*|{_ENCODED}3D)",
    re.IGNORECASE,
)
"""Of a query, of what a field of it holds, and of a DSN."""
_HELD = re.compile(
    rf"\{{[^}}]*\}}|\"[^\"]*\"|'[^']*'|(?:(?!{_ENCODED}(?:3B|26))[^\s&;#\"'])+",
    re.IGNORECASE,
)
"""What stands behind the name of a field."""
_HEADER = re.compile(r"((?:authorization|cookie|api[-_]?key)\s*:\s*)[^\s\"'][^\r\n\"']*", re.IGNORECASE)
_BEARER = re.compile(r"\b(Bearer\s+)[^\s\"'*]{6,}")
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)", re.DOTALL)
_TOKEN_OF_TEXT = re.compile(r"<[^<>]*>")


def blacked(value: Any) -> Any:
    """Return a value with its secrets blacked out: by the names of fields, and in what texts hold.

    It keeps its form: sections, lists and their lengths are the same. Whatever is below the name of a secret is one,
    but for what is empty, true or false.
    """
    if isinstance(value, dict):
        return _keyed([(key, _black(one) if _is_secret(key, one) else blacked(one)) for key, one in value.items()])
    if isinstance(value, list):
        return [blacked(one) for one in value]
    return _without(value) if isinstance(value, str) else value


def blacked_yaml(value: Any) -> str:
    """Return a configuration as YAML, its secrets blacked out."""
    return yaml.safe_dump(blacked(value), sort_keys=False, allow_unicode=True, width=110)


def _keyed(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """Return a section; none of its fields is lost where two names become alike."""
    section: dict[Any, Any] = {}
    for key, one in pairs:
        shown = _without(key) if isinstance(key, str) else key
        while shown in section:
            shown = f"{shown}*"
        section[shown] = one
    return section


def _is_secret(key: Any, value: Any) -> bool:
    name = str(key)
    if not names_secret(name):
        return False
    if counts_tokens(name) and _is_number(value):
        return False
    return not (name.lower().endswith(("_token", "_tokens")) and _is_text_token(value))


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _is_text_token(value: Any) -> bool:
    """Whether it is such as `<pad>`, or a list of these."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, str) and _is_text_token(one) for one in value)
    return isinstance(value, str) and bool(_TOKEN_OF_TEXT.fullmatch(value))


def _black(value: Any) -> Any:
    if isinstance(value, dict):
        return _keyed([(key, _black(one)) for key, one in value.items()])
    if isinstance(value, list):
        return [_black(one) for one in value]
    return value if value is None or value == "" or isinstance(value, bool) else BLACK


def _without(text: str) -> str:
    text = _PEM.sub(BLACK, without_secrets(text))
    text = _PASSWORD.sub(rf"\g<1>{BLACK}@", _WEB.sub(rf"\g<1>{BLACK}@", text))
    text = _BEARER.sub(rf"\g<1>{BLACK}", _HEADER.sub(rf"\g<1>{BLACK}", text))
    return _without_fields(text)


def _without_fields(text: str) -> str:
    parts, place = [], 0
    while found := _FIELD.search(text, place):
        parts.append(text[place : found.end()])
        place = found.end()
        held = _HELD.match(text, place) if _is_field(found) else None
        if held:
            parts.append(BLACK)
            place = held.end()
    return "".join((*parts, text[place:]))


def _is_field(found: re.Match[str]) -> bool:
    """Whether it is that of a secret; outside of a query a `key=` is rather an argument in some code."""
    name = unquote(unquote(found["name"])).lstrip("-")
    return (names_secret(name) or name.lower().endswith("signature")) and (bool(found["before"]) or name != "key")
