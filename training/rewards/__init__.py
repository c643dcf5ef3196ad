"""What a sampled answer is worth: named parts, each in [0, 1], added up by weight, behind gates."""

from .grader import Graded, Grader
from .mixture import GATED, Mixture
from .part import Reward
from .parts import PARTS, Tools, find_part
from .presets import PRESETS, Recipe, read_recipe

__all__ = [
    "GATED",
    "PARTS",
    "PRESETS",
    "Graded",
    "Grader",
    "Mixture",
    "Recipe",
    "Reward",
    "Tools",
    "find_part",
    "read_recipe",
]
