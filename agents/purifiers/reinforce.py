"""Choosing by a policy that the student's own loss rewards."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError, RunError
from ...hashing import content_hash
from ...schema import Evidence, Problem, Purified, Rationale
from .labels import Floats
from .learnability import Candidates
from .learner import Learner

if TYPE_CHECKING:
    import torch

STEPS = 50
RATE = 1e-2
DECAY = 1e-2


class ReinforcePurifier(Learner):
    """Scores each rationale by a policy, and learns from how the student does that was trained on the chosen ones.

    Knowledge Purification's fifth purifier (arXiv 2602.01064): the state of teacher i is s_i = [E(question),
    E(rationale) * 1(right)], its policy pi(a | s) = a sigmoid(W s + b) + (1 - a) (1 - sigmoid(W s + b)), a being
    whether it is taught; the highest-scoring rationale is taught. The reward is r = -L_PR - L_DL, the student's losses
    on the right answer and on the rationale, measured after it was trained on the latter; policy gradient on

        -mean over rationales of (r - mean r) / sd r * log pi(a | s).

    It alternates with consolidation: before each cycle is planned it is updated on the last one's choices. The
    rationales must be there to be scored, so every teacher is asked.
    """

    name = "reinforce"

    def __init__(self, encoder: str = "minilm", least: int = 50, explore: float = 0.1, seed: int = 0) -> None:
        """Choose what texts are seen through.

        Args:
            encoder: An embedder by name: what a question or rationale is turned into. It is not trained.
            least: Problems with two sound rationales or more that it must have been rewarded for before it decides.
            explore: Share of the problems for which one is drawn instead, in [0, 1].
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

    def fit(self, evidence: Sequence[Evidence]) -> None:
        """Update the policy on the choices of the last cycle that is known of, if it has not been.

        Raises:
            RunError: If the engine cannot tell how likely the student is to write a text.
        """
        last = max((one.cycle for one in evidence), default=0)
        if last <= self._rewarded:
            return
        self._rewarded = last
        groups: defaultdict[str, list[Evidence]] = defaultdict(list)
        for one in evidence:
            if one.cycle == last and one.verified:
                groups[one.problem.id].append(one)
        chosen = [some for some in groups.values() if len(some) > 1 and any(one.taught for one in some)]
        if chosen:
            self.labelled += len(chosen)
            self._update(chosen, self.rewards(chosen))

    def rewards(self, groups: Sequence[Sequence[Evidence]]) -> list[float]:
        """Return -L_PR - L_DL for each problem: of its right answer, and of what it was taught."""
        measure = self._student.likelihoods if self._student else None
        if measure is None:
            raise RunError("purifier reinforce: the engine cannot tell how likely the student is to write a text")
        taught = [next(one for one in some if one.taught) for some in groups]
        answers = measure([(one.problem, f"Answer: {one.problem.answer}") for one in taught])
        texts = measure([(one.problem, one.text) for one in taught])
        return [answer + text for answer, text in zip(answers, texts, strict=True)]

    def score(self, candidates: Candidates) -> Mapping[str, Mapping[str, float]]:
        """Return each rationale's learnability, or, once it is ready, what the policy says of it."""
        if self.not_ready or self._policy is None:
            return self.learnabilities(candidates)
        rows = [(problem.question, one) for problem, some in candidates if len(some) > 1 for one in some]
        if not rows:
            return {}
        import torch

        with torch.inference_mode():
            chances = self._policy(self._states([(question, one.text) for question, one in rows])).sigmoid()[:, 0]
        return {one.id: {self.name: float(chance)} for (_, one), chance in zip(rows, chances, strict=True)}

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Purified:
        """Return the rationale that the policy scores highest, for some problems one that is drawn.

        Args:
            problem: What the rationales solve.
            rationales: One or more, all verified.
        """
        draw = random.Random(content_hash(self.seed, self._rewarded, problem.id))
        best = super().purify(problem, rationales)
        if self.not_ready or draw.random() >= self.explore:
            return best
        return best.model_copy(update={"rationales": (draw.choice(rationales),), "fallback": "drawn, to explore"})

    def _update(self, groups: Sequence[Sequence[Evidence]], rewards: Sequence[float]) -> None:
        """Take policy-gradient steps on one cycle's choices."""
        import torch

        rows = [one for some in groups for one in some]
        states = self._states([(one.problem.question, one.text) for one in rows])
        taken = torch.tensor([float(one.taught) for one in rows])
        reward = torch.tensor([r for some, r in zip(groups, rewards, strict=True) for _ in some])
        advantage = (reward - reward.mean()) / reward.std(correction=0).clamp(min=1e-6)
        policy = self._policy or _zero(states.shape[1])
        optimiser = torch.optim.AdamW(policy.parameters(), lr=RATE, weight_decay=DECAY)
        for _ in range(STEPS):
            optimiser.zero_grad()
            loss = policy_loss(policy(states)[:, 0], taken, advantage)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        self._policy = policy

    def _states(self, texts: Sequence[tuple[str, str]]) -> torch.Tensor:
        """Return [E(question), E(rationale)] of sound rationales, [texts, 2 * size]."""
        import torch

        questions = list(dict.fromkeys(question for question, _ in texts))
        row = {question: at for at, question in enumerate(questions)}
        seen: Floats = self._vectors(questions)[[row[question] for question, _ in texts]]
        return torch.from_numpy(np.concatenate([seen, self._vectors([text for _, text in texts])], axis=1))

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


def policy_loss(logits: torch.Tensor, taken: torch.Tensor, advantage: torch.Tensor) -> torch.Tensor:
    """Return -mean(advantage * log pi(a | s)).

    Args:
        logits: W s + b, [rationales].
        taken: a, 1 where the rationale was taught, [rationales].
        advantage: How much better than usual its problem was then answered, [rationales].
    """
    from torch.nn.functional import binary_cross_entropy_with_logits

    return (advantage * binary_cross_entropy_with_logits(logits, taken, reduction="none")).mean()


def _zero(size: int) -> torch.nn.Linear:
    """Return a policy that prefers nothing."""
    from torch import nn

    policy = nn.Linear(size, 1)
    nn.init.zeros_(policy.weight)
    nn.init.zeros_(policy.bias)
    return policy
