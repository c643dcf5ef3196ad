"""Runs side by side: what was set otherwise, and whether what they reached differs by more than chance."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binomtest

from tutelage.errors import InputError
from tutelage.rundir import RunDir
from tutelage.schema import Attempt, CycleReport, Split, Verdict
from tutelage.traces.compare import compare

Run = Callable[..., tuple[int, str, str]]
STUDENT = "checkpoints/cycle-001"


def write_run(path: Path, right: Sequence[bool], problems: str = "p", **settings: Any) -> Path:
    """Write a finished run whose best student answers test problems so."""
    rundir = RunDir(path)
    path.mkdir(parents=True)
    config = {
        "name": path.name,
        "student": {"model": "m"},
        "seed": 0,
        "plan": {"lessons": 5},
        "teachers": [{"name": "a"}],
        **settings,
    }
    rundir.config.write_text(json.dumps(config))
    shared: Any = {"split": Split.TEST, "cycle": 1, "text": "x", "answer": "x", "logprob": 0.0, "tokens": 1}
    asked = [
        Attempt(
            id=str(n),
            problem_id=f"{problems}{n}",
            student=STUDENT,
            correct=one,
            score=one,
            finish_reason="stop",
            **shared,
        )
        for n, one in enumerate(right)
    ]
    base = [one.model_copy(update={"student": "base", "correct": not one.correct}) for one in asked]  # not looked at
    rundir.add_attempts(1, [*asked, *base])
    told: Any = {"accuracy": {Split.GATE: 0.5}, "n": {Split.GATE: 8}, "why": "x"}
    rundir.write_report(CycleReport(cycle=0, student="base", parent="base", verdict=Verdict.BASELINE, **told))
    rundir.write_report(CycleReport(cycle=1, student=STUDENT, parent="base", verdict=Verdict.ACCEPTED, **told))
    test = {"base": 0.0, "best": sum(right) / len(right), "n": len(right)}
    rundir.write_result({"student": {"base": "m", "best": STUDENT, "best_cycle": 1}, "test": test, "stop_reason": "x"})
    return path


def bits(text: str) -> list[bool]:
    return [sign == "1" for sign in text]


def test_a_pair_is_tested_on_the_problems_that_both_were_asked(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", bits("1111100000"))
    other = write_run(tmp_path / "other", bits("11111111101111"), plan={"lessons": 9})
    (pair,) = compare([one, other])["pairs"]
    assert (pair["arms"], pair["n"], pair["better"]) == (["one", "other"], 10, [0, 4])
    assert pair["difference"] == pytest.approx(0.4) and pair["p"] == binomtest(0, 4).pvalue == 0.125
    assert pair["low"] < 0.4 < pair["high"]
    # Bonett and Price by hand: shares (4 + 1) / 12 and 1 / 12
    assert pair["low"] == pytest.approx(4 / 12 - 1.959964 * ((6 / 12 - (4 / 12) ** 2) / 12) ** 0.5)


def test_runs_that_differ_in_seed_are_one_arm_and_beside_the_others_of_their_seed(tmp_path: Path) -> None:
    paths = [
        write_run(tmp_path / "a0", bits("1100"), seed=0, problems="s0-"),
        write_run(tmp_path / "a1", bits("1000"), seed=1, problems="s1-"),
        write_run(tmp_path / "b1", bits("1110"), seed=1, problems="s1-", plan={"lessons": 9}),
        write_run(tmp_path / "b0", bits("1110"), seed=0, problems="s0-", plan={"lessons": 9}),
    ]
    found = compare(paths)
    assert [(arm["arm"], arm["mean"]) for arm in found["arms"]] == [("a0 and 1 more", 0.375), ("b1 and 1 more", 0.75)]
    assert found["arms"][0]["sd"] == pytest.approx(0.1768, abs=1e-4)
    (pair,) = found["pairs"]
    assert (pair["n"], pair["better"], pair["difference"]) == (8, [0, 3], 3 / 8)


def test_several_pairs_are_corrected_after_holm(tmp_path: Path) -> None:
    answers = {"a": "0" * 12, "b": "1" * 12, "c": "1" * 6 + "0" * 6}
    paths = [
        write_run(tmp_path / name, bits(text), plan={"lessons": n}) for n, (name, text) in enumerate(answers.items())
    ]
    found = {tuple(pair["arms"]): pair for pair in compare(paths)["pairs"]}
    p = {names: pair["p"] for names, pair in found.items()}
    assert found["a", "b"]["p_holm"] == pytest.approx(3 * p["a", "b"])
    assert found["a", "c"]["p_holm"] == found["b", "c"]["p_holm"] == pytest.approx(2 * p["a", "c"])


def test_only_settings_that_differ_are_told(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", [True], task={"name": "x"})
    other = write_run(tmp_path / "other", [True], task={"name": "x", "options": {"n": 3}}, teachers=[{"name": "b"}])
    told = compare([one, other])["differences"]
    assert told == {"name": ["one", "other"], "task.options.n": [None, 3], "teachers.0.name": ["a", "b"]}


def test_a_number_that_yaml_takes_for_a_text_is_the_same_number(tmp_path: Path) -> None:
    paths = [write_run(tmp_path / n, [True], seed=s, rate=r) for n, s, r in (("one", 0, "5e-4"), ("other", 1, 0.0005))]
    found = compare(paths)
    assert len(found["arms"]) == 1 and "rate" not in found["differences"]


def test_what_is_no_finite_number_is_a_text_and_a_name_stays_one(tmp_path: Path, tutelage_cli: Run) -> None:
    shared: Any = {"name": "nan", "limit": float("inf"), "model": "nan"}
    one = write_run(tmp_path / "one", [True], rate="1e400", **shared)
    other = write_run(tmp_path / "other", [True], rate="inf", **{**shared, "seed": 1})
    assert compare([one, other])["differences"] == {"seed": [0, 1], "rate": ["1e400", "inf"]}
    config = one / "config.yaml"
    config.write_text(config.read_text().replace("Infinity", ".inf"))  # as YAML writes it
    third = write_run(tmp_path / "third", [True], **{**shared, "name": "5", "limit": 3})
    printed = tutelage_cli("compare", one, third, "--json")[1]
    told = json.loads(printed, parse_constant=pytest.fail)["differences"]
    assert (told["name"], told["limit"]) == (["nan", "5"], ["inf", 3])


def test_runs_of_one_folder_name_are_called_by_their_paths(tmp_path: Path) -> None:
    paths = [write_run(tmp_path / parent / "run", [True], seed=n) for n, parent in enumerate("ab")]
    assert [row["run"] for row in compare(paths)["runs"]] == [str(path) for path in paths]


def test_what_is_not_finished_or_shares_nothing_is_not_tested(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", [True, False], plan={"lessons": 1})
    other = write_run(tmp_path / "other", [True, False], problems="q", plan={"lessons": 2})
    going = write_run(tmp_path / "going", [True, False], plan={"lessons": 3})
    (going / "result.json").unlink()
    found = compare([one, other, going])
    assert [(pair["n"], pair["p"], pair["difference"]) for pair in found["pairs"]] == [(0, None, None)] * 3
    assert found["runs"][2]["status"] == "interrupted"


def test_one_run_is_not_compared_with_itself(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", [True])
    for paths in ([one], [one, one], [one, tmp_path / "one" / ".." / "one"]):
        with pytest.raises(InputError, match="give two or more different run directories"):
            compare(paths)


def test_the_command_shows_writes_and_prints(tmp_path: Path, tutelage_cli: Run) -> None:
    evil = "<script>alert(1)</script>[red]\x1b[31m"
    one = write_run(tmp_path / "one", bits("1100"))
    other = write_run(tmp_path / "other", bits("1111"), teachers=[{"name": evil}])
    code, out, _ = tutelage_cli("compare", one, other)
    assert code == 0 and "+50.0 points" in out and "[red]" in out and "\x1b" not in out
    code, out, _ = tutelage_cli("compare", one, other, "--json")
    assert (code, json.loads(out)["pairs"][0]["n"]) == (0, 4)
    page = tmp_path / "compare.html"
    code, out, _ = tutelage_cli("compare", one, other, "-o", page)
    told = page.read_text()
    assert code == 0 and "&lt;script&gt;alert(1)" in told and "<script>alert(1)" not in told and "+50.0" in told
    code, _, err = tutelage_cli("compare", one, other, "-o", tmp_path)
    assert code == 2 and f"is a folder; name a file, such as {tmp_path / 'compare.html'}" in err


def test_no_answer_counts_twice(tmp_path: Path) -> None:
    """Whatever is given besides: the folder again, the run again by another name, or one that did not finish."""
    one = write_run(tmp_path / "one", bits("1111100000"))
    other = write_run(tmp_path / "other", bits("1111111110"), plan={"lessons": 9})
    again = write_run(tmp_path / "again", bits("1111100000"))
    failed = write_run(tmp_path / "failed", bits("0000000000"), plan={"lessons": 9})
    (failed / "result.json").unlink()
    for paths in (
        [one, one, other],
        [one, again, other],
        [other, one, again],
        [one, other, failed],
        [one, failed, other],
    ):
        (pair,) = compare(paths)["pairs"]
        assert (pair["n"], pair["p"], sorted(pair["better"])) == (10, 0.125, [0, 4]), paths
    seeds = [write_run(tmp_path / f"s{n}", bits("1111100000"), seed=n) for n in (5, 6)]
    others = [write_run(tmp_path / f"o{n}", bits("1111111110"), seed=n, plan={"lessons": 9}) for n in (5, 6)]
    assert compare([*seeds, *others])["pairs"][0]["n"] == 10  # both seeds have the same test problems


def test_retention_is_that_of_the_best_student(tmp_path: Path) -> None:
    paths = [write_run(tmp_path / name, [True], plan={"lessons": n}) for n, name in enumerate("ab")]
    for path in paths:
        rundir = RunDir(path)
        first = rundir.reports()[1]
        rundir.write_report(first.model_copy(update={"accuracy": {Split.RETENTION: 0.98}, "n": {Split.RETENTION: 50}}))
        worse = {"cycle": 2, "verdict": Verdict.ROLLED_BACK, "accuracy": {Split.RETENTION: 0.3}}
        rundir.write_report(first.model_copy(update=worse))
    assert [row["retention"] for row in compare(paths)["runs"]] == [0.98, 0.98]


@pytest.mark.parametrize("config", ["a: 1\n", "[1, 2]\n", "a: [\n", "student: 3\n"])
def test_a_folder_with_another_program_s_configuration_is_refused(
    tmp_path: Path, tutelage_cli: Run, config: str
) -> None:
    (tmp_path / "config.yaml").write_text(config)
    for command in ("show", "report"):
        code, _, err = tutelage_cli(command, tmp_path, *(["-o", tmp_path / "x.html"] if command == "report" else []))
        assert code == 2 and "config.yaml: not the configuration of a run" in err


def test_seeds_that_share_the_test_and_disagree_are_averaged(tmp_path: Path) -> None:
    one = [write_run(tmp_path / f"a{s}", bits(sign * 10), seed=s) for s, sign in enumerate("110")]
    other = [
        write_run(tmp_path / f"b{s}", bits(sign * 10), seed=s, plan={"lessons": 9}) for s, sign in enumerate("001")
    ]
    for some in permutations(one):
        found = compare([*some, *other])
        (pair,) = found["pairs"]
        means = [row["mean"] for row in found["arms"]]
        assert pair["difference"] == pytest.approx(means[1] - means[0]) == pytest.approx(-1 / 3)
        assert (pair["seeds"], pair["n"], pair["answers"], pair["better"]) == (3, 10, 30, [10, 0])
        assert (pair["low"], pair["high"]) == (None, None)  # all problems differ alike
        assert pair["p"] == binomtest(10, 10).pvalue
    (pair,) = compare([*other, *one])["pairs"]
    assert pair["difference"] == pytest.approx(1 / 3) and pair["better"] == [0, 10]


def test_what_is_not_finished_is_called_so(tmp_path: Path, tutelage_cli: Run) -> None:
    one = write_run(tmp_path / "one", [True, False])
    going = write_run(tmp_path / "going", [True, False], plan={"lessons": 3})
    (going / "result.json").unlink()
    page = tmp_path / "compare.html"
    assert tutelage_cli("compare", one, going, "-o", page)[0] == 0
    assert '<td colspan="5">not finished</td>' in page.read_text() and "no problem in common" not in page.read_text()
    assert "not finished" in tutelage_cli("compare", one, going)[1]
    (pair,) = json.loads(tutelage_cli("compare", one, going, "--json")[1])["pairs"]
    assert pair["untested"] == "not finished"


def test_that_secrets_differ_is_told_and_no_more(tmp_path: Path, tutelage_cli: Run) -> None:
    paths = []
    for number, model in enumerate(("x", "y")):
        options = {"api_key": f"LEAK-{number}", "headers": {f"Bearer LEAK-{number}": 1, "Cookie": 1}, "model": model}
        paths.append(write_run(tmp_path / f"r{number}", bits("10"), teachers=[{"name": "a", "options": options}]))
    found = compare(paths)
    assert found["differences"]["teachers.0.options.api_key"] == ["***", "***"]
    assert found["differences"]["teachers.0.options.model"] == ["x", "y"]
    assert "teachers.0.options.headers.Cookie" not in found["differences"]
    assert [arm["runs"] for arm in found["arms"]] == [["r0"], ["r1"]]
    page = tmp_path / "compare.html"
    for said in (tutelage_cli("compare", *paths)[1], tutelage_cli("compare", *paths, "-o", page)[1], page.read_text()):
        assert said and "LEAK" not in said
    assert page.read_text().count('<th scope="col">interval</th>') == 1
