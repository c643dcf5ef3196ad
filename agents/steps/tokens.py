"""Cut a model's text into the tokens that equations are made of.

One pass with one regular expression without nested repeats: linear in the text, whatever it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final, NamedTuple

MAX_TEXT: Final = 20_000
"""Characters of a text that are read; what follows counts as cut off."""
SHOWN: Final = 80
"""Characters of what a wrong step quotes."""


class Token(NamedTuple):
    """A piece of text with its offsets."""

    kind: str
    """`n` number, `o` operator, `(`, `)`, `=`, `w` word, `b` end of a clause, `d` end of a line, `x` anything else."""
    text: str
    """As `arithmetic.evaluate` reads it, without its percent sign."""
    start: int
    end: int
    percent: bool = False
    currency: bool = False


_SCAN = re.compile(
    r"(?P<frac>\\[dt]?frac\{(?P<top>[0-9]{1,20})\}\{(?P<bottom>[0-9]{1,20})\})"
    r"|(?P<number>(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+)"
    r"|(?P<line>\n)"
    r"|(?P<break>->|=>|→|⇒|<<|>>|\\[()\[\]]|[.;,:|#•—…?])"
    r"|(?P<unlike>[<>!≠~]=|:=|[≠≈≤≥~<>^])"
    r"|(?P<equals>==?)"
    r"|(?P<bold>\*\*+)"
    r"|(?P<operator>[-+*/×÷·−–]|\\times\b|\\cdot\b|\\div\b)"
    r"|(?P<paren>[()])"
    r"|(?P<skip>\\?[$€£¥₹]|[\"'`“”])"
    r"|(?P<percent>\\?%)"
    r"|(?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*)"
    r"|(?P<other>\S)"
)
_NUMBER = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?")
_SPELLED = {"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "\\times": "*", "\\cdot": "*", "\\div": "/"}
_WORD_OPERATORS = {"plus": "+", "minus": "-", "times": "*", "x": "*", "X": "*"}
_TWO_WORDS = {"multiplied": "*", "divided": "/"}
_CURRENCIES = frozenset("$€£¥₹")
_ORDINALS = frozenset({"st", "nd", "rd", "th"})
_UNIT_LETTERS = frozenset("mghslaAI")
_SCALES: Final = frozenset(
    {"hundred", "thousand", "million", "billion", "dozen", "dozens", "pair", "pairs", "remainder", "rest", "rem"}
    | {"squared", "cubed", "mod", "modulo", "power", "factorial", "ago", "am", "pm", "score"}
)
"""Words that change the value of the number before them."""


def tokenize(text: str) -> list[Token]:
    """Cut a text into tokens; white space, quotes and currency signs are left out."""
    found: list[Token] = []
    for match in _SCAN.finditer(text):
        if match["frac"]:
            found.extend(_fraction(match))
            continue
        token = _token(match, found, text)
        if token is not None:
            found.append(token)
    return _word_operators(found)


def numbers_in(text: str) -> set[Fraction]:
    """Return the numbers that a text writes in digits, without their signs."""
    found = (match.group().replace(",", "") for match in _NUMBER.finditer(text))
    return {Fraction(number) for number in found if len(number) <= 100}


def _fraction(match: re.Match[str]) -> Iterator[Token]:
    r"""Read `\frac{1}{2}` as `(1 / 2)`."""
    middle = match.end("top")
    yield Token("(", "(", match.start(), match.start("top"))
    yield Token("n", match["top"], *match.span("top"))
    yield Token("o", "/", middle, match.start("bottom"))
    yield Token("n", match["bottom"], *match.span("bottom"))
    yield Token(")", ")", match.end("bottom"), match.end())


def _token(match: re.Match[str], before: list[Token], text: str) -> Token | None:
    group, piece = str(match.lastgroup), match.group()
    start, end = match.span()
    if group == "skip":
        return None
    if group == "percent":
        if before and before[-1].kind == "n":
            before[-1] = before[-1]._replace(percent=True, end=end)
            return None
        return Token("x", piece, start, end)
    if group == "number":
        glued = start > 0 and (text[start - 1].isalnum() or text[start - 1] in "_.")
        glued = glued or (bool(before) and before[-1].kind == "n" and before[-1].end == start)
        kind = "x" if glued and text[start - 1] != "." else "n"
        return Token(kind, piece.replace(",", ""), start, end, currency=text[start - 1 : start] in _CURRENCIES)
    if group == "word":
        return _word(piece, start, end, before)
    if group == "break":
        return Token(_break_kind(piece, start, end, text), piece, start, end)
    if group == "bold":
        return _bold(start, end, before, text)
    if group == "operator":
        return Token("o", _SPELLED.get(piece, piece), start, end)
    kind = {"line": "d", "equals": "=", "paren": piece}.get(group, "x")
    return Token(kind, piece, start, end)


def _word(piece: str, start: int, end: int, before: list[Token]) -> Token | None:
    """A word; a lone letter may be a variable, an ordinal is no number, `percent` is a percent sign."""
    glued = bool(before) and before[-1].kind == "n" and before[-1].end == start
    if piece.lower() in _ORDINALS and glued:
        before[-1] = before[-1]._replace(kind="w")
        return None
    if piece.lower() == "percent" and before and before[-1].kind == "n":
        before[-1] = before[-1]._replace(percent=True, end=end)
        return None
    letter = len(piece) == 1 and (piece not in _UNIT_LETTERS or (glued and piece in "aAI"))
    known = piece in _WORD_OPERATORS
    return Token("x" if (letter and not known) or piece.lower() in _SCALES else "w", piece, start, end)


def _break_kind(piece: str, start: int, end: int, text: str) -> str:
    """Punctuation ends a clause, but `3:30`, `2:1` and `1,5` are something else."""
    inside = start > 0 and text[start - 1].isdigit() and text[end : end + 1].isdigit()
    return "x" if inside and piece in ":,." else "b"


def _bold(start: int, end: int, before: list[Token], text: str) -> Token | None:
    """Two stars between operands are a power; elsewhere they are markup."""
    after = text[end : end + 2].lstrip()[:1]
    power = bool(before) and before[-1].kind in "n)" and "\n" not in text[before[-1].end : start]
    return Token("x", "**", start, end) if power and (after.isdigit() or after == "(") else None


def _word_operators(tokens: list[Token]) -> list[Token]:
    """Read `3 times 4`, `12 divided by 4` and `2 x 3` as operations; elsewhere those words stay words."""
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        token, width = tokens[at], 1
        op = _WORD_OPERATORS.get(token.text) if token.kind == "w" else None
        if token.text in _TWO_WORDS and at + 1 < len(tokens) and tokens[at + 1].text == "by":
            op, width = _TWO_WORDS[token.text], 2
        ahead = tokens[at + width].kind if at + width < len(tokens) else ""
        if op and out and out[-1].kind in "nw)" and ahead in ("n", "("):
            out.append(Token("o", op, token.start, tokens[at + width - 1].end))
            at += width
            continue
        out.append(token._replace(kind="x") if token.kind == "w" and token.text in ("x", "X") else token)
        at += 1
    return out
