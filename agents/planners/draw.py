"""Draws: problems in the order in which a seeded, weighted draw without replacement takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from ...schema import Problem
from ...seams import PlanningRequest
from .learner_model import LearnerModel

FLOOR: Final = 0.15
"""Least weight of a problem where the weight at p = 0.5 is 1."""


def generator_of(request: PlanningRequest) -> np.random.Generator:
    """Return what a plan's draws come from."""
    return np.random.default_rng([request.seed, request.cycle])


def weighted_order(
    problems: Sequence[Problem], weights: Sequence[float], generator: np.random.Generator
) -> list[Problem]:
    """Order problems as a weighted draw without replacement would.

    Exponential waiting times divided by the weights, smallest first (Efraimidis and Spirakis 2006).

    Args:
        problems: In an order of their own, such as by id: the draw goes by place.
        weights: One a problem, positive.
        generator: Draws as many numbers as there are problems.
    """
    waiting = generator.exponential(size=len(problems)) / np.asarray(weights, dtype=float)
    return [problems[int(at)] for at in np.argsort(waiting, kind="stable")]


def edge_order(
    problems: Sequence[Problem], model: LearnerModel, generator: np.random.Generator, floor: float = FLOOR
) -> list[Problem]:
    """Draw at the edge of ability: the weight is p(1-p) of the predicted pass rate (PACED, arXiv 2603.11178).

    Args:
        problems: As in `weighted_order`.
        model: Predicts.
        generator: As in `weighted_order`.
        floor: Least weight; while every p is near 0, as in a first cycle, it makes the draw uniform.
    """
    chances = [model.predicted(problem) for problem in problems]
    return weighted_order(problems, [max(4 * p * (1 - p), floor) for p in chances], generator)
