"""The lessons of a run as a data set: `datasets` opens it, TRL trains on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import datasets
import pytest
import yaml
from huggingface_hub import DatasetCard

import tutelage
from tutelage.errors import InputError
from tutelage.export.dataset import export_dataset, preferences, row_of
from tutelage.reviewer import Reviewer
from tutelage.reviews import under_review, write_reviews
from tutelage.rundir import RunDir
from tutelage.schema import Lesson, Rationale
from tutelage.testing import fake_config

Run = Callable[..., tuple[int, str, str]]
EVIL = "evil | x |\n---\nlicense: mit\n[l](http://x)"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    path = tmp_path_factory.mktemp("runs") / "fake"
    tutelage.run(fake_config(), run_dir=path)
    return RunDir.open(path)


def opened(folder: Path, name: str = "lessons") -> datasets.Dataset:
    return datasets.load_dataset(str(folder), name, split="train", cache_dir=str(folder.parent / "cache"))


def test_datasets_opens_the_lessons_of_the_best_line(tutelage_cli: Run, finished: RunDir, tmp_path: Path) -> None:
    code, out, err = tutelage_cli("export", "dataset", finished.path, "-o", tmp_path / "d")
    assert code == 0, err
    found = opened(tmp_path / "d")
    best = finished.result()["student"]["best_cycle"]  # type: ignore[index]
    line = [r.cycle for r in finished.reports() if 0 < r.cycle <= best]
    lessons = [lesson for cycle in line for lesson in finished.lessons(cycle)]
    assert (
        out == f"{tmp_path / 'd'}: {len(lessons)} lessons, {len(opened(tmp_path / 'd', 'preferences'))} preferences\n"
    )
    assert [row for row in found] == [row_of(lesson) for lesson in lessons]
    first = found[0]["messages"]
    assert [m["role"] for m in first] == ["system", "user", "assistant"]
    assert first[2]["content"] == lessons[0].text


def test_one_cycle_or_all_of_them(finished: RunDir, tmp_path: Path) -> None:
    export_dataset(finished, tmp_path / "two", cycle=2)
    assert set(opened(tmp_path / "two")["cycle"]) == {2}
    rows = export_dataset(finished, tmp_path / "all", everything=True)
    assert rows["lessons"] == sum(len(finished.lessons(r.cycle)) for r in finished.reports())
    with pytest.raises(InputError, match="--cycle 9: has no lessons; cycles with some: 1, 2"):
        export_dataset(finished, tmp_path / "nine", cycle=9)
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "cache") == ["all", "two"]


def test_a_run_that_made_nothing_better_says_so(tutelage_cli: Run, finished: RunDir, tmp_path: Path) -> None:
    path = tmp_path / "run"
    (path / "reports").mkdir(parents=True)
    for name in ("config.yaml", "task.json", "lessons", "reports/cycle-000.json"):
        (path / name).symlink_to(finished.path / name)
    code, _, err = tutelage_cli("export", "dataset", path, "-o", tmp_path / "d")
    assert (code, len(err.splitlines())) == (2, 1)
    assert "take --all" in err and not (tmp_path / "d").exists()


def test_what_is_turned_away_is_rejected_for_the_lesson_of_its_problem() -> None:
    lesson = Lesson(problem_id="p", cycle=1, question="q", text="right", origin="t", wrong="my error", system="s")
    bad = Rationale(problem_id="p", cycle=1, teacher="u", text="wrong", answer="2", rejected="wrong answer")
    failed = bad.model_copy(update={"text": "HTTP 500", "answer": None, "rejected": "failed"})
    later, other = bad.model_copy(update={"cycle": 2}), bad.model_copy(update={"problem_id": "o"})
    rows = list(preferences([lesson], [bad, failed, later, other]))
    assert [(r["rejected"][0]["content"], r["rejected_origin"], r["reason"]) for r in rows] == [
        ("wrong", "u", "wrong answer"),
        ("my error", "student", "wrong answer"),
    ]
    assert [m["role"] for m in rows[0]["prompt"]] == ["system", "user"]


def test_a_hostile_teacher_and_student_stay_text(finished: RunDir, tmp_path: Path) -> None:
    class Hostile:
        name = EVIL

        def teach(self, request: tutelage.TeachingRequest) -> str:
            return f"---\n<script>{'x' * 1000}\x1b[2J\n``` Answer: {request.problem.answer}"

    result = tutelage.run(fake_config(stop={"cycles": 1}), teachers=[Hostile()], run_dir=tmp_path / "a: b\n---\n#")
    config = yaml.safe_load((result.path / "config.yaml").read_text())
    config["student"]["model"] = EVIL
    (result.path / "config.yaml").write_text(yaml.safe_dump(config))
    export_dataset(RunDir.open(result.path), tmp_path / "d", cycle=1)
    card = DatasetCard.load(tmp_path / "d" / "README.md")
    assert set(card.data.to_dict()) == {"pretty_name", "task_categories", "size_categories", "tags", "configs"}
    assert card.data["pretty_name"] == "Lessons of a: b --- #"
    assert "http://" not in card.text and "\n---\n" not in card.text and "<" not in card.text
    lesson = next(one for one in RunDir(result.path).lessons(1) if one.origin == EVIL)
    row = next(row for row in opened(tmp_path / "d") if row["problem_id"] == lesson.problem_id)
    assert (row["origin"], row["messages"][-1]["content"]) == (EVIL, lesson.text)


def test_trl_trains_on_it_as_it_is(finished: RunDir, base: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig, SFTTrainer

    from tutelage.checkpoints import load_tokenizer

    export_dataset(finished, tmp_path / "d", cycle=1)
    arguments = SFTConfig(output_dir=str(tmp_path / "o"), max_steps=1, report_to=[], use_cpu=True, save_strategy="no",
                          per_device_train_batch_size=2, bf16=False)  # fmt: skip
    model = AutoModelForCausalLM.from_pretrained(base)
    trainer = SFTTrainer(model, arguments, train_dataset=opened(tmp_path / "d"), processing_class=load_tokenizer(base))
    assert trainer.train().training_loss > 0
    seen = load_tokenizer(base).decode(trainer.train_dataset[0]["input_ids"])
    assert opened(tmp_path / "d")[0]["messages"][-1]["content"] in seen


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A run whose only cycle teaches two texts for a problem, one a person's that the check turns away."""
    names = ({"name": "a"}, {"name": "b", "preface": "Let us see. "})
    teachers = [{"name": "tutelage.testing:FakeTeacher", "options": one} for one in names]
    path = tmp_path_factory.mktemp("edited") / "run"
    tutelage.run(
        fake_config(review=True, stop={"cycles": 1}, teachers=teachers, purifier={"name": "all"}), run_dir=path
    )
    standing = under_review(RunDir(path))
    assert standing
    first, *others = standing.proposals
    ann = Reviewer("ann")
    decided = [ann.edit(first, "I say: Answer: 99999", objection="wrong"), *map(ann.accept, others)]
    write_reviews(RunDir(path), 1, decided)
    tutelage.resume(path)
    return RunDir.open(path)


def test_what_a_person_had_taught_is_not_told_as_turned_away(edited: RunDir, tmp_path: Path) -> None:
    (own,) = [one for one in edited.lessons(1) if one.origin == "reviewer ann"]
    (rationale,) = [one for one in edited.rationales(1) if one.teacher == "reviewer ann"]
    assert rationale.rejected and own.rationale_id == rationale.id
    assert [one.origin for one in edited.lessons(1) if one.problem_id == own.problem_id] != ["reviewer ann"]
    rows = export_dataset(edited, tmp_path / "d", cycle=1)
    assert rows["preferences"]
    assert own.text not in [row["rejected"][0]["content"] for row in opened(tmp_path / "d", "preferences")]
    text = (tmp_path / "d" / "README.md").read_text()
    assert "0 of " in text and "rationales were rejected and are not lessons" in text
    assert "Teachers: a, b." in text and "| 1 | reviewer ann | 1 |" in text


def test_where_everything_was_rejected_all_is_not_named_as_the_remedy(tutelage_cli: Run, tmp_path: Path) -> None:
    path = tmp_path / "run"
    tutelage.run(fake_config(review=True, stop={"cycles": 1}), run_dir=path)
    standing = under_review(RunDir(path))
    assert standing
    write_reviews(RunDir(path), 1, [Reviewer("ann").reject(one, "no") for one in standing.left])
    tutelage.resume(path)
    for given, remedy in [("--all", "let the run teach another cycle"), ("--cycle=1", "or --all")]:
        code, out, err = tutelage_cli("export", "dataset", path, given, "-o", tmp_path / "d")
        assert (code, out, err.count("\n")) == (2, "", 1) and remedy in err
    assert "--all" not in tutelage_cli("export", "dataset", path, "--all", "-o", tmp_path / "d")[2]
    code, _, err = tutelage_cli("export", "dataset", path, "--cycle=1", "--all", "-o", tmp_path / "d")
    assert (code, err.count("\n")) == (2, 1) and "leave --accepted and --all out" in err


def test_a_folder_in_a_file_is_refused(tutelage_cli: Run, finished: RunDir, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for place in ("file/x", "file/x/y", "nowhere/x"):
        code, out, err = tutelage_cli("export", "dataset", finished.path, "--all", "-o", tmp_path / place)
        assert (code, out, err.count("\n")) == (2, "", 1) and "is no folder" in err
    assert (tmp_path / "file").read_text() == "mine" and not (tmp_path / "gone").exists()


def test_the_card_counts_what_was_rejected(finished: RunDir, tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir()
    for name in ("config.yaml", "task.json", "lessons", "reports"):
        (path / name).symlink_to(finished.path / name)
    rows = (finished.path / "rationales" / "cycle-001.jsonl").read_text().splitlines()
    told = {"verified": False, "rejected": "wrong step"}
    changed = [{**json.loads(row), **told, "id": f"other-{n}"} for n, row in enumerate(rows[:2])]
    (path / "rationales").mkdir()
    (path / "rationales" / "cycle-001.jsonl").write_text("".join(json.dumps(r) + "\n" for r in changed))
    export_dataset(RunDir.open(path), tmp_path / "d", cycle=1)
    text = (tmp_path / "d" / "README.md").read_text()
    assert "2 of 2 rationales were rejected" in text and "| wrong step | 2 |" in text
    assert f"| 1 | fake | {len(finished.lessons(1))} |" in text
