"""Lay failures to the skills that failed: a conjunctive model of one student, fitted by EM.

A problem is answered right if every skill it needs is applied right, or by a lucky guess (NIDA, the model of noisy
inputs and a deterministic "and" gate in Junker and Sijtsma 2001, Applied Psychological Measurement 25(3), for one
student and with a chance level; the same is Pearl's noisy-AND with a leak):

    P(right) = g + (1 - g) prod_s theta_s

theta_s is the probability that the student applies skill s right, g the chance level. What is estimated of a skill is
its pass rate p_s = g_s + (1 - g_s) theta_s: how often a problem that needs it alone would be answered right.

A frequent error pattern (no final answer, say) is one more thing to go wrong, on its own account with the probability
1 - theta_0. A wrong answer that shows it may come from a skill all the same, since who cannot do a thing may say
nothing at all: a share kappa of the failures of skills shows it (our own addition).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from .evidence import Causes, Evidence
from .unexplained import Unseen

PRIOR: Final = 1.0
"""Successes, and failures, that each rate begins with: Beta(1, 1), all pass rates alike."""

_ROUNDS: Final = 500
_TOLERANCE: Final = 1e-6
_TINY: Final = 1e-9


@dataclass(frozen=True)
class Attribution:
    """What is inferred of each name of the evidence, in that order; arrays of shape (names,)."""

    names: tuple[str, ...]
    successes: np.ndarray
    """Expected number of times that it was applied right."""
    failures: np.ndarray
    """Expected number of times that it was applied wrong."""
    support: np.ndarray
    """Attempts that tell something of it, expected."""
    blame: np.ndarray
    """Failed attempts laid to it; every failure counts once."""
    alpha: np.ndarray
    beta: np.ndarray
    """Beta posterior of its pass rate, as wide as the unseen causes make it."""
    chance: np.ndarray
    shares: dict[Causes, dict[str, float]]
    """By the possible causes of unexplained failures, how much of each failure is laid to each."""

    @property
    def pass_rate(self) -> np.ndarray:
        """Share of the successes; 1 where nothing is known. Shape (names,)."""
        total = self.successes + self.failures
        return np.where(total > 0, self.successes / np.maximum(total, _TINY), 1.0)


def attribute(evidence: Evidence) -> Attribution:
    """Fit the model and say what failed.

    E-step: of a wrong answer without a known step, skill s was applied right with the probability
    (theta_s - prod theta) / (1 - prod theta). Of one that went wrong at another skill in an unknown order, s came
    before, and was applied right, with the probability theta_s / (1 + theta_s): either order is as likely beforehand.
    M-step: the mean of the Beta posterior, p_s = (1 + successes) / (2 + successes + failures).
    """
    unseen, chance = Unseen(evidence), evidence.chance()
    right, wrong, elsewhere = (evidence.column(name) for name in ("right", "wrong", "elsewhere"))
    plain = float((wrong + evidence.column("outside")).sum())
    rate = (PRIOR + right) / (2 * PRIOR + right + wrong + unseen.first_guess())
    for _ in range(_ROUNDS):
        theta = _without_chance(rate, chance)
        unseen.infer(theta, plain)
        successes = right + unseen.successes() + elsewhere * theta / (1 + theta)
        failures = wrong + unseen.failures()
        before, rate = rate, (PRIOR + successes) / (2 * PRIOR + successes + failures)
        if np.abs(rate - before).max(initial=0.0) < _TOLERANCE:
            break
    size = _effective_size(unseen, rate, theta, successes + failures)
    return Attribution(
        names=tuple(evidence.direct),
        successes=successes,
        failures=failures,
        support=evidence.column("told") + unseen.support(),
        blame=wrong + evidence.column("outside") + unseen.blame(),
        alpha=rate * size,
        beta=(1 - rate) * size,
        chance=chance,
        shares=unseen.shares(),
    )


def _without_chance(rate: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Return theta from the pass rate: what is left without what guessing gives, within (0, 1]."""
    theta: np.ndarray = np.clip((rate - chance) / np.maximum(1 - chance, _TINY), _TINY, 1.0)
    return theta


def _effective_size(unseen: Unseen, rate: np.ndarray, theta: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Return alpha + beta of each posterior: the trials, fewer where causes are not seen.

    The missing-information principle (Louis 1982, J. R. Stat. Soc. B 44(2)): on the logit scale the observed
    information is diag(n_s p_s (1 - p_s)) less the covariance of the unseen outcomes given what is seen. Its inverse
    gives the marginal variance v_s, which a Beta posterior of the size 1 / (v_s p_s (1 - p_s)) has.
    """
    whole = 2 * PRIOR + trials
    spread = rate * (1 - rate)
    values, vectors = np.linalg.eigh(np.diag(whole * spread) - unseen.covariance(theta))
    variance = (vectors**2 / np.maximum(values, _TINY)).sum(axis=1)
    size: np.ndarray = np.clip(1 / np.maximum(variance * spread, _TINY), 2 * PRIOR, whole)
    return size


def probability_below(alpha: np.ndarray, beta: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Return the probability that a Beta-distributed rate is below a limit in [0, 1]; shapes as given."""
    from scipy.special import betainc  # a command that diagnoses nothing should not wait for it

    found: np.ndarray = betainc(alpha, beta, np.clip(limit, 0.0, 1.0))
    return found
