import json

import pytest

from tutelage.errors import InputError
from tutelage.plugins import Plugin, build
from tutelage.schema import Problem, Split
from tutelage.tasks.dataset import DatasetTask
from tutelage.tasks.multiple_choice import MultipleChoiceTask
from tutelage.tasks.splits import check_splits

ROWS = [{"question": f"What is {n} plus 1?", "answer": n + 1, "kind": ["sums"], "why": f"{n} + 1"} for n in range(40)]


def write(path, rows):
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8"
    )
    return str(path)


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "data.jsonl", ROWS)


def test_one_file_is_cut_the_same_way_every_time(file):
    task = DatasetTask(file, skills="kind", reference="why")
    check_splits(task)
    splits = task.splits()
    assert {split: len(problems) for split, problems in splits.items()} == {
        "train": 24,
        "probe": 4,
        "gate": 6,
        "test": 6,
    }
    assert DatasetTask(file, skills="kind", reference="why").splits() == splits
    assert DatasetTask(file, seed=1).splits() != DatasetTask(file).splits()
    problem = splits[Split.TRAIN][0]
    assert problem.skills == ("sums",) and problem.reference and problem.metadata["source"].startswith(f"{file}:")
    assert task.grade(problem, f"Answer: {problem.answer}.0").score == 1


def test_sizes_and_the_plugin_door(file):
    options = {"path": file, "sizes": {"train": 10, "probe": 2, "gate": 3, "test": 4}}
    task = build("tasks", Plugin(name="dataset", options=options), seed=0)
    assert [len(task.splits()[split]) for split in ("train", "probe", "gate", "test")] == [10, 2, 3, 4]
    with pytest.raises(InputError, match="41 problems and it has 40"):
        DatasetTask(file, sizes={"train": 41}).splits()
    with pytest.raises(InputError, match="'tran'; did you mean 'train'"):
        DatasetTask(file, sizes={"tran": 4})
    with pytest.raises(InputError, match=r"sizes\.test"):
        DatasetTask(file, sizes={"test": 0})


def test_a_file_a_split_and_a_split_column(tmp_path):
    names = ("train", "probe", "gate", "test")
    files = {name: write(tmp_path / f"{name}.jsonl", ROWS[at * 5 : at * 5 + 5]) for at, name in enumerate(names)}
    by_file = DatasetTask(files)
    check_splits(by_file)
    rows = [{**row, "part": names[at // 5]} for at, row in enumerate(ROWS[:20])]
    by_column = DatasetTask(write(tmp_path / "all.jsonl", rows), split_column="part", sizes={"train": 3})
    assert len(by_column.splits()[Split.TRAIN]) == 3
    for split in (Split.PROBE, Split.GATE, Split.TEST):
        assert [p.id for p in by_column.splits()[split]] == [p.id for p in by_file.splits()[split]]
    with pytest.raises(InputError, match=r"sizes\.gate: 9"):
        DatasetTask(files, sizes={"gate": 9}).splits()
    with pytest.raises(InputError, match="split_column"):
        DatasetTask(files, split_column="part")


def test_parquet_saved_and_hub_data_sets_are_read_alike(tmp_path, file, monkeypatch):
    import datasets

    rows = [{"question": row["question"], "answer": str(row["answer"])} for row in ROWS]
    data = datasets.Dataset.from_list(rows)
    data.to_parquet(tmp_path / "data.parquet")
    data.save_to_disk(tmp_path / "saved")
    asked = []

    def load_dataset(*args, **more):
        asked.append((args, more))
        return datasets.DatasetDict(train=data)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    plain = [p.id for p in DatasetTask(file).splits()[Split.TEST]]
    for path in (str(tmp_path / "data.parquet"), str(tmp_path / "saved"), "owner/sums:main@train"):
        assert [p.id for p in DatasetTask(path).splits()[Split.TEST]] == plain
    assert asked == [(("owner/sums", "main"), {"split": "train"})]


def test_the_hub_fails_in_one_line(monkeypatch):
    import datasets

    def load_dataset(*args, **more):
        raise ConnectionError("no route\nto the hub")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(InputError, match=r"owner/sums: cannot be loaded: no route$"):
        DatasetTask("owner/sums").splits()


def test_gsm8k_style_answers(tmp_path):
    rows = [{"question": f"q{n}", "answer": f"It is {n},\nso\n#### 1,0{n:02}"} for n in range(10)]
    task = DatasetTask(write(tmp_path / "gsm.jsonl", rows), answer_after="####")
    for problem in task.splits()[Split.TRAIN]:
        assert problem.reference.startswith("It is ") and task.grade(problem, problem.reference).score == 1
        assert task.grade(problem, f"Answer: {problem.answer.replace(',', '')}").score == 1
    with pytest.raises(InputError, match=r"bare\.jsonl:1: answer: nothing stands after"):
        DatasetTask(write(tmp_path / "bare.jsonl", [{"question": "q", "answer": "5"}]), answer_after="####").splits()


def test_a_repeated_row_is_passed_over(tmp_path):
    assert sum(map(len, DatasetTask(write(tmp_path / "a.jsonl", ROWS + ROWS)).splits().values())) == len(ROWS)


GOOD = {"question": "q", "answer": "a"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([GOOD, "{nonsense"], r"data\.jsonl:2: is not valid JSON"),
        ([GOOD, "[1, 2]"], r"data\.jsonl:2: is a list"),
        (["", {"answer": "a"}], r"data\.jsonl:2: no field 'question'"),
        ([{"Question": "q", "answer": "a"}], "did you mean 'Question'"),
        ([{"question": " ", "answer": "a"}], r"data\.jsonl:1: question: is empty"),
        ([{"question": "q", "answer": None}], r"data\.jsonl:1: answer: is empty"),
        ([{"question": "q", "answer": ["a"]}], r"data\.jsonl:1: answer: is a list"),
        ([{"question": "q", "answer": "two\nlines"}], r"data\.jsonl:1: the answer .* not graded as right"),
        (
            [GOOD, {"question": "q", "answer": "b"}],
            r"data\.jsonl:2: the question has another answer in .*data\.jsonl:1",
        ),
        ([GOOD], "split 'test' is empty; 1 rows are too few"),
        ([], "holds no rows"),
    ],
)
def test_bad_data_is_named_by_file_line_and_field(tmp_path, rows, message):
    with pytest.raises(InputError, match=message) as caught:
        DatasetTask(write(tmp_path / "data.jsonl", rows)).splits()
    assert "\n" not in str(caught.value)


def test_bad_paths_and_bytes(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        DatasetTask(str(tmp_path / "none.jsonl")).splits()
    (tmp_path / "data.csv").write_text("question,answer\n")
    with pytest.raises(InputError, match=r"unknown suffix '\.csv'"):
        DatasetTask(str(tmp_path / "data.csv")).splits()
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe{}\n")
    with pytest.raises(InputError, match=r"bytes\.jsonl:1: is not UTF-8"):
        DatasetTask(str(tmp_path / "bytes.jsonl")).splits()
    (tmp_path / "bad.parquet").write_bytes(b"PAR?")
    with pytest.raises(InputError, match="not a readable Parquet file"):
        DatasetTask(str(tmp_path / "bad.parquet")).splits()
    with pytest.raises(InputError, match="not a saved data set"):
        DatasetTask(str(tmp_path)).splits()


def test_overlap_between_splits_names_both_lines(tmp_path):
    files = {name: write(tmp_path / f"{name}.jsonl", ROWS[at : at + 2]) for at, name in enumerate(("train", "test"))}
    with pytest.raises(InputError, match=r"test\.jsonl:1: the question is also in split train \(.*train\.jsonl:2\)"):
        DatasetTask(files).splits()
    files["test"] = write(tmp_path / "test.jsonl", [])
    with pytest.raises(InputError, match=r"test\.jsonl: split 'test' is empty"):
        DatasetTask(files).splits()
    rows = [{**GOOD, "part": "tests"}]
    with pytest.raises(InputError, match=r"data\.jsonl:1: part: unknown split 'tests'; did you mean 'test'"):
        DatasetTask(write(tmp_path / "data.jsonl", rows), split_column="part").splits()


def test_skills_must_be_names(tmp_path):
    path = write(tmp_path / "data.jsonl", [{**GOOD, "kind": 3}])
    with pytest.raises(InputError, match=r"data\.jsonl:1: kind: must be a name"):
        DatasetTask(path, skills="kind").splits()


CITIES = ["Lyon", "Paris", "Nice"]


@pytest.mark.parametrize(
    ("choices", "gold"),
    [
        (CITIES, "B"),
        (CITIES, "b"),
        (CITIES, 1),
        (CITIES, "1"),
        (CITIES, "paris"),
        ({"A": "Lyon", "B": "Paris"}, "B"),
        ({"label": ["1", "2", "3"], "text": CITIES}, "2"),
        ({"label": ["1", "2", "3"], "text": CITIES}, 2),
    ],
)
def test_multiple_choice_forms(tmp_path, choices, gold):
    files = {
        "test": write(tmp_path / "data.jsonl", [{"question": "Capital of France?", "choices": choices, "answer": gold}])
    }
    task = MultipleChoiceTask(files)
    check_splits(task, required=[Split.TEST])
    problem = task.splits()[Split.TEST][0]
    assert problem.answer == "B" and problem.question.splitlines()[:3] == ["Capital of France?", "A. Lyon", "B. Paris"]


CHOICE = Problem(question="q", answer="B", metadata={"choices": dict(zip("ABC", CITIES, strict=True))})


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("Answer: B", ("B", 1)),
        ("It is\nAnswer: (B)", ("B", 1)),
        ("Answer: b.", ("B", 1)),
        ("Answer: **B**", ("B", 1)),
        ("Answer: B. Paris", ("B", 1)),
        ("Answer: paris", ("B", 1)),
        ("(B)", ("B", 1)),
        ("Paris", ("B", 1)),
        ("Answer: A", ("A", 0)),
        ("Answer: Lyon", ("A", 0)),
        ("Answer: D", ("D", 0)),
        ("Answer: Bordeaux", ("Bordeaux", 0)),
        ("B\nno\nA", (None, 0)),
        ("", (None, 0)),
    ],
)
def test_multiple_choice_grading(text, grade):
    assert MultipleChoiceTask("unread.jsonl").grade(CHOICE, text) == grade


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"choices": CITIES, "answer": "Rome"}, r"data\.jsonl:1: answer: 'Rome' is none of the 3 choices"),
        ({"choices": CITIES, "answer": 3}, r"data\.jsonl:1: answer: '3' is none"),
        ({"choices": CITIES, "answer": -1}, r"data\.jsonl:1: answer: '-1' is none"),
        ({"choices": ["Paris", "paris"], "answer": "A"}, "two choices are the same"),
        ({"choices": ["Paris"], "answer": "A"}, "give 2 to 26 choices"),
        ({"choices": "Paris", "answer": "A"}, "give 2 to 26 choices"),
        ({"choices": ["Paris", None], "answer": "A"}, "each choice must be a text"),
        ({"answer": "A"}, "no field 'choices'"),
    ],
)
def test_bad_choices_are_named(tmp_path, row, message):
    path = write(tmp_path / "data.jsonl", [{"question": "q", **row}])
    with pytest.raises(InputError, match=message):
        MultipleChoiceTask({"test": path}).splits()
