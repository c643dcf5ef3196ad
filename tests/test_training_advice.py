"""What a stage that failed, or learnt nothing, tells to do is what helps."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from tutelage.checkpoints import load_tokenizer
from tutelage.errors import InputError, RunError
from tutelage.schema import CycleReport, Lesson, TrainingReport, Verdict
from tutelage.seams import StageJob
from tutelage.terminal.cycle import cycle_lines
from tutelage.terminal.cycles import training_table
from tutelage.training.checks import check_supervision
from tutelage.training.grpo import UNIFORM, why_nothing
from tutelage.training.layers import chosen_layers, skeleton
from tutelage.training.sft import SFTStage

ENOUGH = re.compile(r"raise the stage's max_length from 30 to the (\d+) tokens of the longest lesson")


def lesson(number: int, text: str) -> Lesson:
    return Lesson(problem_id=f"p{number}", cycle=1, question=f"{number} + 1 =", text=text, origin="t")


@pytest.fixture
def job(base: Path, tmp_path: Path) -> StageJob:
    """Two lessons of one problem, of which only the second is too long; and one that is longer still."""
    lessons = (lesson(1, "2."), lesson(1, "1 + 1 = 2. " * 5), lesson(2, "1 + 1 = 2. " * 9), lesson(3, "4."))
    return StageJob(1, base, None, tmp_path / "out", lessons, seed=3, device="cpu", precision="float32")


def test_one_change_of_max_length_is_enough_for_all_lessons(job: StageJob) -> None:
    with pytest.raises(RunError, match=r"^lesson p[12]: the end .* it is cut off; ") as caught:
        SFTStage(max_steps=1, max_length=30).run(job)
    found = ENOUGH.search(str(caught.value))
    assert found is not None
    assert SFTStage(max_steps=1, max_length=int(found[1])).run(job).steps == 1
    with pytest.raises(RunError, match=r"lesson p2: .*cut off"):
        SFTStage(max_steps=1, max_length=int(found[1]) - 2).run(replace(job, out=job.out.with_name("again")))


def test_the_lesson_whose_question_alone_is_too_long_is_named(job: StageJob) -> None:
    long = Lesson(problem_id="p3", cycle=1, question="3 + 1 = " * 30, text="4.", origin="t")
    with pytest.raises(RunError, match=r"lesson p3: its question alone fills max_length; raise .* from 100 to the"):
        SFTStage(max_steps=1, max_length=100).run(replace(job, lessons=(*job.lessons, long)))


class Rows(dict[str, list[object]]):
    """Tokenised rows, as a trainer has them."""

    @property
    def column_names(self) -> list[str]:
        return list(self)

    def __len__(self) -> int:
        return len(self["labels"])


def test_a_masked_end_is_not_told_to_need_more_tokens(base: Path) -> None:
    ask, say = {"role": "user", "content": "1 + 1 ="}, {"role": "assistant", "content": "2."}
    rows = [{"problem_id": "p1", "prompt": [ask], "completion": [say]}]
    data = Rows(problem_id=["p1"], labels=[[-100, 5, 6, -100]])
    trainer = SimpleNamespace(args=SimpleNamespace(max_length=100), train_dataset=data)
    with pytest.raises(RunError, match="is not trained on, it is masked; let the student's chat") as caught:
        check_supervision(trainer, load_tokenizer(base), rows)
    assert "max_length" not in str(caught.value)


def groups(right: int, wrong: int, **more: float) -> dict[str, float]:
    return {UNIFORM: 1.0, "groups": 4, "groups_all_right": right, "groups_all_wrong": wrong, **more}


@pytest.mark.parametrize(
    ("metrics", "guided", "told", "unsaid"),
    [
        (groups(4, 0), False, "nothing to learn: leave the stage out", "another stage"),
        (groups(4, 0), True, "nothing to learn: leave the stage out", "guided"),
        (groups(0, 4), False, "every answer was wrong: teach it by another stage first, or set guided", "right, so"),
        (groups(0, 4), True, "every answer was wrong, with hints too: teach it by another stage first", "set guided"),
        (groups(3, 1), False, "where not every answer was right, every one was wrong: teach", "nothing to learn"),
        (groups(1, 1), False, "change rewards or gates", "guided"),
        (groups(0, 4, groups_rescued=2), True, "change rewards or gates", "another stage"),
    ],
)
def test_a_stage_that_learnt_nothing_tells_why(
    metrics: Mapping[str, float], guided: bool, told: str, unsaid: str
) -> None:
    why = why_nothing(metrics, guided=guided)
    assert why is not None and why.startswith("learnt nothing: ")
    assert told in why and unsaid not in why
    assert why_nothing({**metrics, UNIFORM: 0.99}, guided=guided) is None


def test_rewards_are_shown_beside_a_note() -> None:
    metrics = {"first_reward": 1.0, "last_reward": 0.5}
    stage = TrainingReport(stage="grpo", steps=3, tokens=40, loss=0.0, seconds=1.0, metrics=metrics, note="learnt [b]")
    report = CycleReport(
        cycle=1, student="a", parent="base", verdict=Verdict.ACCEPTED, why="", accuracy={}, n={},
        training=(stage,),
    )  # fmt: skip
    for shown in (training_table([report]), cycle_lines(report)):
        console = Console(width=200, file=io.StringIO())
        console.print(shown)
        assert "reward 1.00 -> 0.50; learnt [b]" in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("modules", "band", "told"),
    [
        (("nonsense",), (0.0, 1.0), r"^modules: the student has no linear layers named nonsense, .* it has down_proj"),
        (("nonsense",), (0.41, 0.42), r"^modules: the student has no linear layers named nonsense, "),
        (("down_proj",), (0.41, 0.42), r"^band: the student has no layers named down_proj in the band 0.41 to 0.42 of"),
        ((), (0.41, 0.42), r"^band: the student has no linear layers in the band 0.41 to 0.42 of its 2 blocks, "),
    ],
)
def test_layers_that_are_not_there_are_told_of_the_option_that_is_wrong(
    base: Path, modules: tuple[str, ...], band: tuple[float, float], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        chosen_layers(skeleton(base), modules, band)
