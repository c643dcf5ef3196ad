"""Targeted proximal supervised fine-tuning (EtCon, arXiv 2512.04753): imitation in a trust region, in chosen layers.

The objective is PSFT's (Zhu et al. 2025, arXiv 2508.17784): PPO's clipped one with every advantage 1. A token that has
become likelier than it was by more than 1 + epsilon has been learnt for now and is left alone, until the policy that it
is compared with is taken anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import InputError
from ..schema.record import Count, Positive
from . import adapter
from .dropout import disable_dropout
from .layers import Band
from .proximal import TrustRegion, within
from .session import Session
from .sft import SFTStage

SETTLED = frozenset({"loss_type", "label_smoothing_factor", "train_sampling_strategy", "neftune_noise_alpha"})
"""Arguments of TRL that the loss or the order of the lessons leaves no room for."""


def tpsft_loss(log_probs: Any, old_log_probs: Any, mask: Any, epsilon: float) -> Any:
    """Return minus the mean over the target tokens of min(r, clip(r, 1 - epsilon, 1 + epsilon)), r = pi / pi_old.

    The gradient of a token is that of r where r <= 1 + epsilon, and 0 beyond; with an advantage of 1 the lower bound
    never counts (PSFT, section 3).

    Args:
        log_probs: Of the target tokens under the student, (batch, tokens).
        old_log_probs: The same under the policy some steps ago, (batch, tokens); takes no gradient.
        mask: 1 or True where a token is a target, (batch, tokens).
        epsilon: How much likelier a token may become.

    Returns:
        A scalar to minimise; 0 if there is no target.
    """
    import torch

    targets = mask.bool()
    ratio = torch.exp(torch.where(targets, log_probs - old_log_probs.detach(), 0.0))  # padding may be infinite
    proximal = torch.minimum(ratio, ratio.clamp(1.0 - epsilon, 1.0 + epsilon))
    return -torch.where(targets, proximal, 0.0).sum() / targets.sum().clamp(min=1)


@dataclass(frozen=True)
class TPSFTStage(SFTStage):
    """The student imitates each lesson's text within a trust region, in chosen layers."""

    name: ClassVar[str] = "tpsft"

    epochs: Positive = 4.0
    """Passes over the lessons, unless `max_steps` or `max_tokens` is set."""
    modules: Sequence[str] = ("down_proj",)
    """Names of the linear layers that are trained; an empty list means all of them in `band`."""
    band: Band = (0.4, 0.9)
    """The part of the student's depth that is trained: [0.5, 1.0] is its upper half."""
    epsilon: Positive = 0.28
    """A token takes no gradient while it is likelier than before by more than a factor of 1 + epsilon."""
    sync_every: Count = 4
    """Steps after which the policy that tokens are compared with is taken anew."""
    passes: Count = 2
    """How often the lessons of such a stretch of steps are gone through, if there are that many passes over the lessons
    at all. Each time costs less than the first, in which they are scored once more, under the old policy."""

    def check(self) -> None:
        """Raise InputError if the options cannot work, without loading a model."""
        super().check()
        if self.epsilon >= 1.0:
            raise InputError(f"stages: tpsft: epsilon: {self.epsilon:g} is no small change; use for instance 0.28")
        if self.sync_every % self.passes:
            raise InputError(
                f"stages: tpsft: passes: {self.passes} passes cannot make stretches of {self.sync_every} steps; "
                "let it divide sync_every"
            )
        if settled := sorted(SETTLED & set(self.extra or {})):
            raise InputError(f"stages: tpsft: extra: {settled[0]} is decided by the stage; remove it")

    def _trainer(self, work: Session) -> Any:
        disable_dropout(work.setup.model)  # the ratio is one of policies, not of two draws of a mask
        region = TrustRegion(tpsft_loss, self.epsilon, self.sync_every, self.passes)
        return adapter.sft_trainer(work.setup, self.options, self.extra or {}, wrap=within(region))

    def _metrics(self, trainer: Any) -> dict[str, float]:
        return {**super()._metrics(trainer), **trainer.record.metrics()}
