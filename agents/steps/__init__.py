"""Steps: finds the first wrong step of a worked solution, without a model."""

from .finder import find_wrong_step

__all__ = ["find_wrong_step"]
