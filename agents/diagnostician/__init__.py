"""Name what a student cannot do yet, from its graded attempts and their first wrong steps."""

from ...error_patterns import PATTERNS, error_kind
from .evidence import WRONG_ANSWERS
from .patterns import PATTERN_SHARE
from .skills import SkillDiagnostician

__all__ = ["PATTERNS", "PATTERN_SHARE", "WRONG_ANSWERS", "SkillDiagnostician", "error_kind"]
