"""Choosing by a policy that the student's own loss rewards."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError, RunError
from ...hashing import content_hash
from ...schema import Evidence, Problem, Purified, Rationale
from .labels import Floats
from .learnability import LEARNABILITY, Candidates
from .learner import Learner

if TYPE_CHECKING:
    import torch

ANSWER = "answer likelihood"
"""Key of the score in `Rationale.scores`: the mean log-probability of the right answer alone."""
STEPS = 50
RATE = 1e-2
CLIP = 0.2
"""How far a cycle may move the chance of a choice: the ratio of new to old stays within 1 +- this."""

Group = Sequence[Evidence]
"""The rationales between which the choice for one problem was made."""


class ReinforcePurifier(Learner):
    """Scores each rationale by a policy, and learns from how the student does that was trained on the chosen ones.

    Knowledge Purification's fifth purifier (arXiv 2602.01064): the state of teacher i is s_i = [E(question),
    E(rationale) * 1(right)], its policy pi(a | s) = a sigmoid(W s + b) + (1 - a) (1 - sigmoid(W s + b)), a being
    whether it is taught; the highest-scoring rationale is taught. The reward is r = -L_PR - L_DL, the student's losses
    on the right answer and on the rationale after it was trained on the latter. Here a baseline is taken from it, so
    that easy problems are no merit: the same before the training, for the rationale the mean over all that could have
    been taught. (That of the taught one would reward surprises: what is wrong is least expected, so it gains most.) The
    difference, standardised over the cycle's problems, is the advantage A; the policy gradient is PPO's (arXiv
    1707.06347, equation 7), since one cycle is all there is to learn from at a time:

        max mean over rationales of min(rho A, clip(rho, 1 - 0.2, 1 + 0.2) A),  rho = pi(a | s) / pi_old(a | s).

    It alternates with consolidation: before each cycle is planned it is updated on the choices that made the present
    student; those of a cycle that was rolled back teach it nothing. The rationales must be there to be scored, so every
    teacher is asked. Until it is ready it draws, since it learns from choices that differ.
    """

    name = "reinforce"
    needs_likelihoods = True

    def __init__(self, encoder: str = "static", least: int = 50, explore: float = 0.1, seed: int = 0) -> None:
        """Choose what texts are seen through.

        Args:
            encoder: An embedder by name: what a question or rationale is turned into. It is not trained.
            least: Choices between two rationales or more that it must have been rewarded for before it decides.
            explore: Share of the problems for which one is drawn then, in [0, 1].
            seed: Of what is drawn.

        Raises:
            InputError: If `least` is not positive, or `explore` not in [0, 1].
        """
        super().__init__(encoder, least, seed)
        if not 0 <= explore <= 1:
            raise InputError(f"purifier reinforce: explore {explore} is out of range; give 0 to 1")
        self.explore = explore
        self._rewarded = 0
        self._policy: torch.nn.Linear | None = None

    @property
    def not_ready(self) -> str | None:
        """Why it decides nothing yet; None if it does."""
        if self.labelled >= self.least:
            return None
        return f"not ready: rewarded for {self.labelled} choices, {self.least} needed"

    def fit(self, evidence: Sequence[Evidence]) -> None:
        """Update the policy on the choices that made the present student, if it has not been."""
        if not evidence:  # a run begins
            self.labelled, self._rewarded, self._policy = 0, 0, None
        made = self._student.made_in if self._student else 0
        if made <= self._rewarded:
            return
        self._rewarded = made
        groups = choices(one for one in evidence if one.cycle == made)
        if groups:
            self.labelled += len(groups)
            self._update(groups, self.gains(groups))

    def gains(self, groups: Sequence[Group]) -> list[float]:
        """Return, for each problem, -L_PR - L_DL of the present student less what the one before had on the mean.

        Raises:
            RunError: If the engine cannot tell how likely the student is to write a text.
        """
        taught = [next(one for one in some if one.taught) for some in groups]
        after = self._rewards([(one.problem, one.text) for one in taught])
        before = [fmean(one.scores[ANSWER] + one.scores[LEARNABILITY] for one in some) for some in groups]
        return [now - then for now, then in zip(after, before, strict=True)]

    def score(self, candidates: Candidates) -> Mapping[str, Mapping[str, float]]:
        """Return what each rationale is before it is taught, and what the policy says of it."""
        rows = [
            (problem, one)
            for problem, some in candidates
            if len(some) > 1
            for one in some
            if ANSWER not in one.scores or LEARNABILITY not in one.scores
        ]
        if not rows:
            return {}
        texts = self._likelihoods([(problem, one.text) for problem, one in rows])
        asked = {problem.id: problem for problem, _ in rows}
        likely = self._likelihoods([(problem, _answer(problem)) for problem in asked.values()])
        answers = dict(zip(asked, likely, strict=True))
        found = {
            one.id: {LEARNABILITY: text, ANSWER: answers[problem.id]}
            for (problem, one), text in zip(rows, texts, strict=True)
        }
        for (_, one), chance in zip(rows, self._chances(rows), strict=True):
            found[one.id][self.name] = chance
        return found

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Purified:
        """Return the rationale that the policy scores highest, for some problems one that is drawn.

        Args:
            problem: What the rationales solve.
            rationales: One or more, all verified.
        """
        best, why = super().purify(problem, rationales), self.not_ready
        draw = random.Random(content_hash(self.seed, self._rewarded, problem.id))
        if len(rationales) == 1 or draw.random() >= (1.0 if why else self.explore):
            return best
        told = f"{why}; drawn" if why else "drawn, to explore"
        return best.model_copy(update={"rationales": (draw.choice(list(rationales)),), "fallback": told})

    def _rewards(self, taught: Sequence[tuple[Problem, str]]) -> list[float]:
        texts = self._likelihoods(taught)
        answers = self._likelihoods([(problem, _answer(problem)) for problem, _ in taught])
        return [text + answer for text, answer in zip(texts, answers, strict=True)]

    def _likelihoods(self, texts: Sequence[tuple[Problem, str]]) -> list[float]:
        measure = self._student.likelihoods if self._student else None
        if measure is None:
            raise RunError("purifier reinforce: the engine cannot tell how likely the student is to write a text")
        return measure(texts)

    def _chances(self, rows: Sequence[tuple[Problem, Rationale]]) -> list[float]:
        """Return the policy's chance that each rationale is taught."""
        import torch

        if self._policy is None:
            return [0.5] * len(rows)
        states = self._states([(problem, one.text, one.wrong_step is None) for problem, one in rows])
        with torch.inference_mode():
            return [float(chance) for chance in self._policy(states)[:, 0].sigmoid()]

    def _update(self, groups: Sequence[Group], gains: Sequence[float]) -> None:
        """Take policy-gradient steps on one cycle's choices."""
        import torch

        rows = [one for some in groups for one in some]
        states = self._states([(one.problem, one.text, one.right) for one in rows])
        taken = torch.tensor([float(one.taught) for one in rows])
        gain = torch.tensor([gain for some, gain in zip(groups, gains, strict=True) for _ in some])
        advantage = (gain - gain.mean()) / gain.std(correction=0).clamp(min=1e-6)
        policy = self._policy or _zero(states.shape[1])
        with torch.no_grad():
            before = log_chance(policy(states)[:, 0], taken)
        optimiser = torch.optim.Adam(policy.parameters(), lr=RATE)
        for _ in range(STEPS):
            optimiser.zero_grad()
            loss = policy_loss(log_chance(policy(states)[:, 0], taken), before, advantage)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        self._policy = policy

    def _states(self, texts: Sequence[tuple[Problem, str, bool]]) -> torch.Tensor:
        """Return [E(question), E(rationale) * 1(right)], [texts, 2 * size]."""
        import torch

        questions = list(dict.fromkeys(problem.question for problem, _, _ in texts))
        row = {question: at for at, question in enumerate(questions)}
        asked: Floats = self._vectors(questions)[[row[problem.question] for problem, _, _ in texts]]
        right = np.array([[float(right)] for _, _, right in texts], np.float32)
        return torch.from_numpy(np.concatenate([asked, right * self._vectors([text for _, text, _ in texts])], axis=1))

    def _facts(self) -> dict[str, Any]:
        return {"rewarded": self._rewarded}

    def _arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        state = {} if self._policy is None else self._policy.state_dict()
        return {name: tensor.numpy().copy() for name, tensor in state.items()}

    def _restore(self, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        import torch

        self._rewarded, self._policy = int(facts["rewarded"]), None
        if arrays:
            self._policy = _zero(arrays["weight"].shape[1])
            self._policy.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})


def choices(evidence: Iterable[Evidence]) -> list[Group]:
    """Return, for each problem of a cycle, the rationales of which one was taught and others could have been."""
    groups: defaultdict[str, list[Evidence]] = defaultdict(list)
    for one in evidence:
        if one.verified and {ANSWER, LEARNABILITY} <= one.scores.keys():
            groups[one.problem.id].append(one)
    return [some for _, some in sorted(groups.items()) if len(some) > 1 and sum(one.taught for one in some) == 1]


def log_chance(logits: torch.Tensor, taken: torch.Tensor) -> torch.Tensor:
    """Return log pi(a | s).

    Args:
        logits: W s + b, [rationales].
        taken: a, 1 where the rationale was taught, [rationales].
    """
    from torch.nn.functional import binary_cross_entropy_with_logits

    return -binary_cross_entropy_with_logits(logits, taken, reduction="none")


def policy_loss(now: torch.Tensor, before: torch.Tensor, advantage: torch.Tensor) -> torch.Tensor:
    """Return the loss of PPO: minus the mean of min(rho A, clip(rho) A).

    Args:
        now: Log-chances of what was done, [rationales].
        before: The same under the policy that did it.
        advantage: How much more than usual the student got from it, [rationales].
    """
    import torch

    ratio = (now - before).exp()
    return -torch.minimum(ratio * advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * advantage).mean()


def _answer(problem: Problem) -> str:
    return f"Answer: {problem.answer}"


def _zero(size: int) -> torch.nn.Linear:
    """Return a policy that prefers nothing."""
    from torch import nn

    policy = nn.Linear(size, 1)
    nn.init.zeros_(policy.weight)
    nn.init.zeros_(policy.bias)
    return policy
