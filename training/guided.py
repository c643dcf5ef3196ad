"""A second chance for groups that fail: where no answer to a question is right, the student is asked with a hint.

The idea is that of hint-on-all-fail and of ThinkTuning (arXiv 2508.07616): a group without variance teaches nothing,
so help the student to an answer worth learning from, by small hints first, and keep one answer of its own to compare.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from .groups import Tally
from .hints import LEVELS, with_hint
from .limits import limits_of
from .samples import Samples


@dataclass(frozen=True)
class Watch:
    """What looks at the samples of each batch."""

    is_right: Callable[[str, str], bool]
    """Of a problem's id and a text."""
    begin: Callable[[], None] = lambda: None
    """Called before each batch."""
    hints: Sequence[Sequence[str]] | None = None
    """By the rows' column `row`, the smallest first; None gives none."""
    tally: Tally = field(default_factory=Tally)


def watched(watch: Watch, trainer_class: Any) -> Any:
    """Return a subclass of TRL's GRPOTrainer whose groups are counted and, where the watch has hints, helped.

    Help comes between sampling and all that follows: of a group without a right answer all but the first are sampled
    again with a hint in the prompt, and if one of these is right they take the place of the old ones. From there on
    everything goes by the prompt without the hint: rewards, loss, the divergence from the start, and the old
    log-probabilities of the importance weights. These are pi_old(answer | prompt without hint), not the probabilities
    that the answers were drawn with. So the weights are 1 on the first pass, as those of any answer, and the clipping
    bounds how far a step goes from what the student says without a hint. Nothing corrects for the hint: on these
    answers a step is no estimate of the policy gradient, but imitates the student's own hinted answers, weighted by
    their advantage. The correction, pi_old(. | prompt) / pi_old(. | prompt with hint), would give next to nothing to
    just those answers that the student does not find by itself.
    """

    class Watched(trainer_class):  # type: ignore[misc]
        def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Any:
            self._asked = inputs
            watch.begin()
            return super()._generate_and_score_completions(inputs)

        def _generate_single_turn(
            self, prompt_ids: Any, images: Any, multimodal_fields: Any, num_generations: int, **more: Any
        ) -> Any:
            sample = partial(super()._generate_single_turn, images=images, multimodal_fields=multimodal_fields, **more)
            ids, logprobs = sample(prompt_ids, num_generations=num_generations)
            if not self.model.training:
                return ids, logprobs
            batch = Samples(self, self._asked, ids, logprobs)
            look(batch, watch, partial(sample, num_generations=1), filler=prompt_ids[0])
            return batch.ids, batch.logprobs

    return Watched


class Drawn(NamedTuple):
    """An answer sampled again."""

    ids: list[int]
    right: bool


def look(batch: Samples, watch: Watch, sample: Callable[[Any], Any], filler: list[int]) -> None:
    """Count the groups of a batch, and help those without a right answer.

    Args:
        batch: The samples; changed where hints help.
        watch: What is right, and the hints.
        sample: Samples answers to prompts given as token ids.
        filler: A prompt that any process can sample an answer to, to be thrown away.
    """
    texts = batch.texts(batch.ids)
    right = [watch.is_right(row["problem_id"], text) for row, text in zip(batch.rows, texts, strict=True)]
    groups = batch.gathered(right)
    watch.tally.count(groups)
    failed = ~groups.any(dim=1)
    for level in range(LEVELS if watch.hints is not None else 0):
        if not failed.any():  # the same in every process, as all that is gathered: they sample together or not at all
            return
        drawn = _draw(batch, watch, level, failed, sample, filler)
        found = batch.gathered([place in drawn and drawn[place].right for place in range(len(batch.ids))])
        saved = failed & found.any(dim=1)
        for place, answer in drawn.items():
            if saved[batch.group_of(place)[0]]:
                batch.replace(place, answer.ids)
        failed &= ~saved
        watch.tally.rescued += int(saved.sum())


def _draw(
    batch: Samples, watch: Watch, level: int, failed: Any, sample: Callable[[Any], Any], filler: list[int]
) -> dict[int, Drawn]:
    """Return new answers by their places, drawn with the hints of a level."""
    wanted = _prompts(batch, watch.hints or (), level, failed)
    room = _room(batch.trainer)
    prompts = {place: ids for place, ids in wanted.items() if len(ids) <= room}
    counts = batch.counts(len(prompts), len(wanted) - len(prompts))
    most = max(sampled for sampled, _ in counts)
    watch.tally.too_long += sum(left for _, left in counts)
    if not most:
        return {}
    # A sharded model samples in all processes at once, and a server hands out as many answers to each.
    ids, _ = sample([*prompts.values(), *[filler] * (most - len(prompts))])
    asked = list(zip(prompts, ids, batch.texts(ids), strict=False))
    return {
        place: Drawn(list(one), watch.is_right(batch.rows[place]["problem_id"], text)) for place, one, text in asked
    }


def _prompts(batch: Samples, hints: Sequence[Sequence[str]], level: int, failed: Any) -> dict[int, list[int]]:
    """Return the hinted prompts as token ids, by the places of the samples that they are for."""
    wanted: dict[int, Any] = {}
    for place, row in enumerate(batch.rows):
        group, number = batch.group_of(place)
        given = hints[row["row"]]
        if failed[group] and number > 0 and level < len(given):  # the first stays as it is
            wanted[place] = with_hint(row["prompt"], given[level])
    tokens = batch.trainer._tokenize_prompts(list(wanted.values()))[0] if wanted else []
    return dict(zip(wanted, tokens, strict=True))


def _room(trainer: Any) -> float:
    """Return how many tokens a prompt may have."""
    context = limits_of(trainer.model.config).context
    return float("inf") if context is None else context - trainer.max_completion_length
