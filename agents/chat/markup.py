r"""Take headings, lists, bold and LaTeX out of what a model says, and leave plain sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BOX = re.compile(r"\\boxed\{((?:[^{}\n]|\{[^{}\n]{0,100}\}){0,200})\}")
_LATEX = (
    (re.compile(r"\\(?:text|mathrm|mathbf|textbf)\{([^{}\n]{0,200})\}"), r"\1"),
    (re.compile(r"\\[dt]?frac\{([^{}\n]{0,100})\}\{([^{}\n]{0,100})\}"), r"\1/\2"),
    (re.compile(r"\\(?:times|cdot)(?![a-z])"), "*"),
    (re.compile(r"\\div(?![a-z])"), "/"),
    (re.compile(r"\\(?:left|right|quad|[,;!])(?![a-z])"), ""),
)
_BOLD = re.compile(r"(?<![\w)*])(\*\*|__|\*)(?=[^\s*_])([^*_\n]{0,400}[^\s*_])\1(?![\w*])")
_DELIMITERS = re.compile(r"\\[()\[\]]|\$\$|`+")
_DOLLARS = re.compile(r"(?<![\\$])\$([^$\n]{0,400}[=+*/^\\][^$\n]{0,400})\$")
_ESCAPED = re.compile(r"\\([$%])")
_START = re.compile(r"(?:[-*•+>]|\(?\d{1,2}[.)])\s+(?=\S)|step\s{0,3}\d{1,3}\s{0,3}[:.)-]\s*(?=\S)", re.IGNORECASE)
_HEADING = re.compile(r"#{1,6}\s+")
_RESULT = re.compile(r"####\s*([-+$]?\d[\d.,/]*%?)")
_TAGGED = re.compile(r"<answer>([^<>]{1,200})</answer>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z_]{1,30}>", re.IGNORECASE)
_ANSWER_TITLE = re.compile(r"(?:the |my )?(?:final )?answer", re.IGNORECASE)
_TITLE = re.compile(
    r"(?:step[- ]by[- ]step |worked )?(?:solution|steps?|explanation|reasoning|problem):?", re.IGNORECASE
)
_TALK = re.compile(
    r"(?:sure|certainly|of course|okay|ok|here(?:'s| is| are)|let's|let us|let me|i hope|hope this)\b", re.IGNORECASE
)


def plain_lines(text: str) -> list[str]:
    """Return a text's lines that are not blank, a title or a tag, without headings' and lists' marks; boxes stay."""
    lines = [_plain(line.strip()) for line in text.splitlines()]
    return [line for line in lines if line and not _TITLE.fullmatch(line) and not _TAG.fullmatch(line)]


def _plain(line: str) -> str:
    if result := _RESULT.fullmatch(line):
        return f"Answer: {result[1]}"
    line = _TAGGED.sub(r"Answer: \1", line)
    heading = _HEADING.match(line)
    line = strip_marks(line[heading.end() :] if heading else line)
    for _ in range(2):
        start = _START.match(line)
        line = line[start.end() :] if start else line
    line = strip_marks(line)
    return f"{line}:" if _ANSWER_TITLE.fullmatch(line) else line


def strip_marks(line: str) -> str:
    """Take out bold and italics, code marks, and what LaTeX puts around a formula."""
    line = _DELIMITERS.sub("", _BOLD.sub(r"\2", line))
    return _ESCAPED.sub(r"\1", _DOLLARS.sub(r"\1", line)).strip()


def unboxed(text: str, only: bool = False) -> str:
    r"""Return a text without `\boxed{}` around what is in it, or only what is in the first box."""
    if only:
        box = _BOX.search(text)
        return box[1] if box else ""
    return _BOX.sub(r"\1", text)


def is_talk(line: str) -> bool:
    """Whether a line says nothing of the matter: `Sure! Here is the solution:`."""
    return _TALK.match(line) is not None and not any(c.isdigit() or c == "=" for c in line)


def sentences(lines: list[str]) -> list[str]:
    """Return lines as sentences: wrapped ones joined, each with an end, talk before and after them left out."""
    told = [_formulas(line) for line in lines]
    while told and is_talk(told[0]):
        told.pop(0)
    while told and is_talk(told[-1]):
        told.pop()
    return [line + "." if line[-1].isalnum() or line[-1] in ")%" else line for line in _joined(told)]


def _joined(lines: list[str]) -> Iterator[str]:
    """Join a line that begins in lower case or with an equals sign to one before it that has no end."""
    whole = ""
    for line in filter(None, lines):
        goes_on = whole and whole[-1] not in ".!?:" and (line[0].islower() or line[0] == "=")
        if whole and not goes_on:
            yield whole
            whole = ""
        whole = f"{whole} {line}".strip()
    if whole:
        yield whole


def _formulas(line: str) -> str:
    line = unboxed(line)
    for pattern, plain in _LATEX:
        line = pattern.sub(plain, line)
    return strip_marks(line)
