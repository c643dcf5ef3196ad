"""Read the arithmetic expressions that stand in a text, among words and units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Final, NamedTuple

from ...arithmetic import evaluate
from .context import is_in_context
from .tokens import Token, tokenize

MAX_UNIT_WORDS: Final = 4
"""`110 plants needed - 14 owned`: so many words may follow a number inside an expression."""

_DOUBTFUL_BEFORE: Final = frozenset(
    {"of", "times", "by", "plus", "minus", "half", "twice", "double", "triple", "over", "than", "per", "and", "root"}
    | {"sum", "from", "to", "third", "quarter", "multiplied", "divided", "add", "subtract", "thrice", "difference"}
)
"""Words before an expression that may belong to the calculation."""


_OF_WHAT = "age amount area balance bill capacity cost distance fee height income length number price profit rest"
_QUANTITIES: Final = frozenset(f"{_OF_WHAT} salary score speed time total volume weight worth".split())
"""`of` after these says what an expression is, not what is done with it."""
_ADDING: Final = frozenset(
    {"add", "added", "adding", "adds", "brings", "compared", "from", "minus", "plus", "ratio", "round", "rounds", "up"}
)
"""`to` after these may belong to the calculation."""


class Expression(NamedTuple):
    """One side of an equation."""

    text: str
    values: tuple[Fraction, ...]
    """Its value; several where a sign can be read in two ways, such as a percent sign."""
    numbers: tuple[Fraction, ...]
    operators: str
    start: int
    end: int
    whole: bool
    """Whether nothing else stands on this side."""
    doubtful: bool
    """Whether what stands around it may belong to it."""
    places: int | None
    """Decimal places, of a single number."""
    words: tuple[str, ...]
    currency: bool
    """Whether a number has a currency sign."""


def read_expression(text: str) -> Expression | None:
    """Read the number or expression that a text begins with, such as what follows `Answer:`."""
    for clause in clauses(text):
        return expression_of(clause, from_left=True)
    return None


def read_expressions(text: str) -> list[Expression]:
    """Return the expressions with an operation that a text's clauses end with, as `What is 51 - 26?` does."""
    found = (expression_of(side, from_left=False) for clause in clauses(text) for side in sides_of(clause))
    return [expression for expression in found if expression is not None and expression.operators]


def clauses(text: str) -> Iterator[list[Token]]:
    """Split at punctuation and line ends; a line that begins with `=` goes on with the line before."""
    clause: list[Token] = []
    tokens = tokenize(text)
    for index, token in enumerate(tokens):
        ahead = tokens[index + 1].kind if index + 1 < len(tokens) else ""
        if token.kind == "b" or (token.kind == "d" and ahead != "="):
            if clause:
                yield clause
            clause = []
        elif token.kind != "d":
            clause.append(token)
    if clause:
        yield clause


def sides_of(clause: Sequence[Token]) -> list[list[Token]]:
    """Split a clause at its equals signs."""
    sides: list[list[Token]] = [[]]
    for token in clause:
        if token.kind == "=":
            sides.append([])
        else:
            sides[-1].append(token)
    return sides


def expression_of(side: list[Token], from_left: bool) -> Expression | None:
    """Read the expression at the left or right end of a side."""
    tokens, words = _without_units(side)
    run, neighbour = _run_from_left(tokens) if from_left else _run_from_right(tokens)
    doubtful = neighbour is not None and (
        neighbour.kind == "x" or (neighbour.kind in "wn" and _may_calculate(neighbour, tokens))
    )
    doubtful = doubtful or is_in_context(run, tokens, from_left)
    signed = _leading_sign(run, neighbour, from_left)
    if signed is None:
        return None
    run, may_drop = signed
    values = _values(run, may_drop)
    if not values:
        return None
    numbers = [t for t in run if t.kind == "n"]
    operators = "".join(t.text for i, t in enumerate(run) if t.kind == "o" and i and run[i - 1].kind in "n)")
    lone = len(numbers) == 1 and not operators
    return Expression(
        text=_spell(run, percent=True),
        values=values,
        numbers=tuple(Fraction(t.text) for t in numbers if len(t.text) < 1000),
        operators=operators,
        start=run[0].start,
        end=run[-1].end,
        whole=len(run) == len(tokens),
        doubtful=doubtful,
        places=len(numbers[0].text.partition(".")[2]) if lone else None,
        words=words,
        currency=any(t.currency for t in numbers),
    )


def _may_calculate(word: Token, tokens: list[Token]) -> bool:
    """Whether a word before an expression may belong to it: `half of 10 + 2`, but not `a total of 10 + 2`."""
    said = word.text.lower()
    if said not in ("of", "to"):
        return said in _DOUBTFUL_BEFORE
    at = next((i for i, token in enumerate(tokens) if token.start == word.start), 0)
    before = tokens[at - 1].text.lower() if at else ""
    if said == "of":
        return before not in _QUANTITIES
    return not before.isalpha() or any(token.text.lower() in _ADDING for token in tokens[:at])


def _without_units(side: list[Token]) -> tuple[list[Token], tuple[str, ...]]:
    """Drop the words that follow a number before an operator or the end, and read `20% of 50` as a product."""
    out: list[Token] = []
    words: list[str] = []
    at = 0
    while at < len(side):
        after_operand = bool(out) and out[-1].kind in ("n", ")")
        width = _of(side, at, out) if after_operand else 0
        if width:
            out.append(Token("o", "*", side[at].start, side[at].end))
            at += width
            continue
        end = _units_end(side, at) if after_operand else at
        if end > at:
            words.extend(t.text.lower() for t in side[at:end])
            at = end
            continue
        out.append(side[at])
        at += 1
    return out, tuple(words)


def _of(side: list[Token], at: int, out: list[Token]) -> int:
    """Return how many tokens `of`, `of the` take after a percentage or fraction and before a number; else 0."""
    fraction = len(out) > 2 and out[-2].text == "/" and out[-3].kind == "n"
    if side[at].text != "of" or not (out[-1].percent or fraction):
        return 0
    width = 2 if at + 1 < len(side) and side[at + 1].text == "the" else 1
    return width if at + width < len(side) and side[at + width].kind in ("n", "(") else 0


def _units_end(side: list[Token], at: int) -> int:
    """Return where the unit words that begin at `at` end, or `at` if these words are no unit."""
    end, words = at, 0
    while end < len(side) and words <= MAX_UNIT_WORDS:
        if side[end].kind == "w" and (words or side[end].text.lower() != "of"):
            end += 1
        elif _glued_unit(side, end):
            end += 2
        else:
            break
        words += 1
    ends = end == len(side) or (side[end].kind in ("o", ")") and not _is_sign(side, end))
    return end if ends and words <= MAX_UNIT_WORDS else at


def _is_sign(side: list[Token], at: int) -> bool:
    """`25 because -3 + 28`: a minus glued to what follows alone belongs to a number, not between two."""
    after = side[at + 1] if at + 1 < len(side) else None
    glued = after is not None and after.kind in ("n", "(") and after.start == side[at].end
    return side[at].text == "-" and glued and side[at - 1].end < side[at].start


def _glued_unit(side: list[Token], at: int) -> bool:
    """`$6/day`, `12 months/year`, `5-day`: an operator glued to a word that follows is part of a unit."""
    if at + 1 >= len(side) or side[at].text not in ("/", "-") or side[at + 1].kind != "w":
        return False
    return side[at].text == "/" or side[at].end == side[at + 1].start


def _run_from_left(tokens: list[Token]) -> tuple[list[Token], Token | None]:
    """Return the longest beginning that may be an expression, and the token that ends it."""
    depth = 0
    for index, token in enumerate(tokens):
        adjacent = index > 0 and token.kind == "n" and tokens[index - 1].kind == "n"
        depth += {"(": 1, ")": -1}.get(token.kind, 0)
        if token.kind in ("w", "x") or depth < 0:
            return tokens[:index], token
        if adjacent:
            mixed = index + 1 < len(tokens) and tokens[index + 1].text == "/"
            return tokens[:index], token._replace(kind="x" if mixed else "n")
    return tokens, None


def _run_from_right(tokens: list[Token]) -> tuple[list[Token], Token | None]:
    """Return the longest end that may be an expression, and the token before it."""
    depth = 0
    for index in range(len(tokens) - 1, -1, -1):
        token = tokens[index]
        adjacent = index + 1 < len(tokens) and token.kind == "n" and tokens[index + 1].kind == "n"
        depth += {")": 1, "(": -1}.get(token.kind, 0)
        if token.kind in ("w", "x") or depth < 0:
            return tokens[index + 1 :], token
        if adjacent:
            mixed = index + 2 < len(tokens) and tokens[index + 2].text == "/"
            return tokens[index + 1 :], token._replace(kind="x" if mixed else "n")
    return _after_numbering(tokens), None


def _after_numbering(tokens: list[Token]) -> list[Token]:
    """Leave out the closing parenthesis of `1) 5 + 3`."""
    return tokens[2:] if len(tokens) > 2 and tokens[0].kind == "n" and tokens[1].kind == ")" else tokens


def _leading_sign(run: list[Token], neighbour: Token | None, from_left: bool) -> tuple[list[Token], bool] | None:
    """Tell a list's dash from a minus.

    Returns:
        The expression and whether its leading minus may be a dash; None if it begins in the middle of something.
    """
    if not run or run[0].kind != "o" or from_left:
        return (run, False) if run else None
    if len(run) < 2:
        return None
    glued = run[0].end == run[1].start
    if run[0].text == "-" and (glued or neighbour is None):
        return run, not glued
    return (run[1:], False) if neighbour is None and run[0].text in "+*" else None


def _spell(run: Sequence[Token], percent: bool) -> str:
    return " ".join(f"({t.text} / 100)" if t.percent and percent else t.text for t in run)


def _values(run: list[Token], may_drop: bool) -> tuple[Fraction, ...]:
    """Evaluate every reading of a run."""
    readings = [run]
    if may_drop:  # it is likelier a list's dash than a minus
        readings = [run[1:], run]
    readings += [grouped for grouped in [_fractions(run)] if grouped]
    kinds = (True, False) if any(t.percent for t in run) else (True,)
    found = [evaluate(_spell(reading, percent)) for reading, percent in product(readings, kinds)]
    return tuple(dict.fromkeys(value for value in found if value is not None))


def _fractions(run: list[Token]) -> list[Token]:
    """Read `14 ÷ 1/2` as a division by a half; empty if there is no such place."""
    out: list[Token] = []
    for index, token in enumerate(run):
        before = run[index - 3 : index] if index > 2 else []
        kinds = [t.kind for t in (*before, token)]
        if kinds == ["o", "n", "o", "n"] and before[0].text == before[2].text == "/":
            slash, numerator = out.pop(), out.pop()
            inner = (numerator, slash, token)
            out += [token._replace(kind="(", text="(", percent=False), *inner]
            out.append(token._replace(kind=")", text=")", percent=False))
        else:
            out.append(token)
    return out if len(out) > len(run) else []
