"""Keep hostile answers away from verifiers that would run them as code.

Some of reasoning_gym's verifiers pass the model's answer to `eval` or to sympy's `parse_expr`, which evaluates
Python too; others read numbers whose exponent alone can exhaust the memory. Here is decided what they may see.
"""

from __future__ import annotations

import ast
import re
from typing import Final

MAX_ANSWER: Final = 4000
"""Longer answers are not verified, unless the gold answer is itself that long."""

LITERALS: Final = frozenset({"string_insertion", "spiral_matrix", "binary_matrix", "n_queens"})
"""Verifiers that call `eval`: they see Python literals only."""
ARITHMETIC: Final = frozenset({"countdown", "puzzle24"})
"""Verifiers that call `parse_expr` on arithmetic."""
ALGEBRA: Final = frozenset({"simple_integration", "intermediate_integration", "polynomial_multiplication"})
"""Verifiers that call `parse_expr` on formulas."""

_HUGE_EXPONENT = re.compile(r"[eE][+-]?[0-9_]{4,}")
_SUM = re.compile(r"[0-9+\-*/() ]{1,200}")
_LONG_NUMBER = re.compile(r"[0-9]{7,}")
_FORMULA = re.compile(r"[A-Za-z0-9+\-*/(). ]{1,300}")
_NAME = re.compile(r"[A-Za-z]+")
_ATTRIBUTE = re.compile(r"\.\s*[A-Za-z]|[A-Za-z)]\s*\.")
_POWER = re.compile(r"\*\*\s*")
_SMALL_POWER = re.compile(r"(?:[A-Za-z]\s*\*\*\s*\(?-?[0-9]{1,2}\b|\)\s*\*\*\s*\(?-?[0-9]\b)")
_FUNCTIONS: Final = frozenset({"C", "sin", "cos", "tan", "exp", "log", "sqrt", "asin", "acos", "atan", "pi"})
_MAX_GROUPS: Final = 6


def may_verify(dataset: str, answer: str, gold: str) -> bool:
    """Whether a data set's own verifier may see an answer.

    Args:
        dataset: The generator's name in reasoning_gym.
        answer: What a model said.
        gold: The generator's own answer.
    """
    if len(answer) > max(MAX_ANSWER, 4 * len(gold)) or _HUGE_EXPONENT.search(answer):
        return False
    if dataset in LITERALS:
        return _is_literal(answer)
    if dataset in ARITHMETIC:
        return bool(_SUM.fullmatch(answer)) and "**" not in answer and not _LONG_NUMBER.search(answer)
    if dataset in ALGEBRA:
        return _is_formula(answer, gold)
    return True


def _is_literal(answer: str) -> bool:
    try:
        ast.literal_eval(answer)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _is_formula(answer: str, gold: str) -> bool:
    """Whether it is a formula in the gold answer's own names, small enough to be expanded."""
    if not _FORMULA.fullmatch(answer) or _ATTRIBUTE.search(answer) or _LONG_NUMBER.search(answer):
        return False
    if not set(_NAME.findall(answer)) <= _FUNCTIONS | set(_NAME.findall(gold)):
        return False
    small = len(_SMALL_POWER.findall(answer))
    return answer.count("(") <= _MAX_GROUPS and len(_POWER.findall(answer)) == small and answer.count(")**") <= 1
