"""What the page of a run holds: every problem's life, fair figures, and nothing that a model could slip in."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.report import write_report
from tutelage.report.charts import bars, learning_curves, shares_with_intervals
from tutelage.report.clean import clean, label
from tutelage.report.league import teacher_rows
from tutelage.report.revisions import changes
from tutelage.rundir import RunDir
from tutelage.schema import Decision, FreshProblem, Lesson, Problem, Rationale, Split
from tutelage.shares import wilson
from tutelage.traces import trace
from tutelage.traces.path import path_taken
from tutelage.traces.rows import read_cycle
from tutelage.traces.spent import Spent

Run = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def rundir(write_large_run: Callable[..., RunDir], tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Return a run of 120 problems that nobody ran."""
    found: RunDir = write_large_run(tmp_path_factory.mktemp("run") / "large", problems=120, cycles=2, events=60)
    return found


@pytest.fixture(scope="module")
def page(rundir: RunDir) -> str:
    write_report(rundir, rundir.path / "report.html")
    return (rundir.path / "report.html").read_text()


def current_umask() -> int:
    before = os.umask(0)
    os.umask(before)
    return before


def unpack(page: str, id_: str) -> Any:
    packed = re.search(rf'<script type="application/json" id="{id_}">"([A-Za-z0-9+/=]*)"</script>', page)
    assert packed
    return json.loads(gzip.decompress(base64.b64decode(packed[1])))


def test_the_page_tells_every_problem_s_life_as_trace_does(rundir: RunDir, page: str) -> None:
    lives = [one for number in range(2) for one in unpack(page, f"pack-{number}")]
    assert len(lives) == 120 and [row[0] for row in unpack(page, "index")["rows"]] == [
        one["problem"]["id"] for one in lives
    ]
    refined = fell = 0
    for life in lives[::7]:
        told = json.loads(json.dumps(trace(rundir, life["problem"]["id"])))
        refined += sum(bool(event.pop("changes", None)) for event in life["events"])
        fell += sum(event["kind"] == "fall" for event in life["events"])
        assert (life["problem"], life["events"]) == (told["problem"], told["events"])
    assert refined and fell


def test_only_the_page_s_own_scripts_may_run(page: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy and "default-src 'none'" in policy[1] and "unsafe-eval" not in policy[1]
    allowed = set(re.findall(r"sha256-[^']+", policy[1].replace("&#39;", "'")))
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    hashes = {f"sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}" for one in scripts}
    assert len(scripts) == 5 and hashes == allowed


@given(st.text(max_size=60), st.text(max_size=60))
def test_what_changed_and_what_did_not_make_up_both_texts(before: str, after: str) -> None:
    found = changes(before, after)
    assert found is not None
    assert "".join(old for _, old, _ in found) == before and "".join(new for _, _, new in found) == after
    for kind, old, new in found:
        assert {"same": old == new, "less": not new, "more": not old, "other": bool(old and new)}[kind]


def test_a_change_is_of_words_and_one_that_is_too_long_is_not_made() -> None:
    assert changes("5 + 7 = 13. So 13", "5 + 7 = 12. So 12") == [
        ("same", "5 + 7 = ", "5 + 7 = "),
        ("other", "13", "12"),
        ("same", ". So ", ". So "),
        ("other", "13", "12"),
    ]
    assert changes("a " * 5000, "b") is None
    began = time.perf_counter()
    assert changes("a " * 3000, " ".join(f"a x{n}" for n in range(1500))) is not None
    assert time.perf_counter() - began < 5  # difflib alone takes minutes for a text that repeats itself


def test_foreign_text_is_made_harmless_everywhere() -> None:
    evil = "\x1b[31m\u202e\ud800"
    assert clean({evil: [evil, (evil,), 3]}) == {"�[31m��": ["�[31m��", ["�[31m��"], 3]}
    assert label("<b>bold</b> & more") == "&lt;b&gt;bold&lt;/b&gt; &amp; more"
    assert len(label("x" * 500)) == 60


def test_curves_have_wilson_s_intervals(rundir: RunDir) -> None:
    chart = learning_curves(rundir.reports(), {"base": 0.1, "best": 0.6, "n": 12}, 2)
    assert chart.rows[0] == ("probe", "0", "10.0 %", "2.3 % to 25.8 %", "24")  # 2 of 24, as the run says 0.1
    assert [trace["name"] for trace in chart.figure["data"]] == ["probe", "gate", "test (base and best)"]
    low, high = wilson(0.5, 10)
    assert (low, high) == (pytest.approx(0.2366, abs=1e-4), pytest.approx(0.7634, abs=1e-4))
    assert wilson(0.0, 0) == (0.0, 1.0)


def test_a_base_student_that_is_the_best_is_tested_once(rundir: RunDir) -> None:
    chart = learning_curves(rundir.reports(), {"base": 0.2, "best": 0.2, "n": 32}, 0)
    assert [row[1:3] for row in chart.rows if row[0].startswith("test")] == [("0", "20.0 %")]


def test_bars_have_a_cycle_without_anything_too() -> None:
    chart = bars("x", "X", {"<i>": {1: 2.0}}, [0, 1], "lessons")
    assert list(chart.figure["data"][0]["y"]) == [0, 2.0] and chart.rows == (("<i>", "0", "2"),)
    assert chart.figure["data"][0]["name"] == "&lt;i&gt;"
    assert bars("x", "X", {"read": {0: 1_234_567.0}}, [0], "tokens").rows == (("read", "1,234,567"),)


def test_names_that_look_like_numbers_or_dates_stay_names() -> None:
    chart = shares_with_intervals("x", "X", [("20", 0.5, 10), ("2024-01-05", 0.6, 10)])
    assert list(chart.figure["data"][0]["y"]) == [0, 1]
    assert list(chart.figure["layout"]["yaxis"]["ticktext"]) == ["20", "2024-01-05"]


def test_problems_that_are_drawn_while_the_page_is_made_change_nothing(
    rundir: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = RunDir(Path(shutil.copytree(rundir.path, tmp_path / "going")))
    fresh = FreshProblem(
        problem=Problem(id="new", question="?", answer="!"), split="check", student="base", weaknesses=()
    )
    read = RunDir.problems

    def read_and_draw(self: RunDir) -> Any:
        found = read(self)
        self.write_fresh(1, [fresh])
        return found

    monkeypatch.setattr(RunDir, "problems", read_and_draw)
    write_report(going, tmp_path / "going.html")
    page = (tmp_path / "going.html").read_text()
    lives = [one for number in range(2) for one in unpack(page, f"pack-{number}")]
    assert [row[0] for row in unpack(page, "index")["rows"]] == [life["problem"]["id"] for life in lives]


def test_a_teacher_is_judged_by_what_was_wrong_before_its_lesson(tmp_path: Path) -> None:
    rundir = RunDir(tmp_path)
    shared: Any = {"teacher": "t", "cycle": 2, "text": "x"}
    lessons = [
        Lesson(problem_id=name, cycle=2, question="q", text="x", origin="t")
        for name in ("won", "lost", "kept", "unasked")
    ]
    rundir.write_lessons(2, lessons)
    rundir.add_rationales(
        2,
        [
            Rationale(id="a", problem_id="won", rejected="wrong answer", **shared),
            Rationale(id="b", problem_id="won", revision=1, parent_id="a", verified=True, **shared),
            Rationale(id="c", problem_id="lost", verified=True, **shared),
        ],
    )
    right = {"won": {0: 0.0, 2: 1.0}, "lost": {0: 0.0, 2: 0.5}, "kept": {0: 1.0, 2: 1.0}, "unasked": {0: 0.0}}
    (row,) = teacher_rows([read_cycle(rundir, 2)], right, {2: 0}, {"t": Spent(calls=2, tokens=30, usd=0.5)})
    assert (row.drafts, row.refinements, row.verified, row.lessons) == (2, 1, 2, 4)
    assert (row.fixed, row.examined) == (1, 2)  # `kept` was right before, `unasked` was not asked after
    assert (dict(row.rejected), row.tokens, row.usd) == ({"wrong answer": 1}, 30, 0.5)


def test_the_path_tells_what_was_cut_off_failed_or_passed_over(tmp_path: Path) -> None:
    rundir = RunDir(tmp_path)
    for kind, told in (
        ("started", {"node": "baseline", "cycle": 0}),
        ("finished", {"node": "baseline", "cycle": 0, "seconds": 2.0}),
        ("started", {"node": "examine", "cycle": 1}),
        ("resumed", {"node": "examine", "cycle": 1}),
        ("started", {"node": "examine", "cycle": 1}),
        ("failed", {"why": "no power"}),
        ("skipped", {"node": "examine", "cycle": 1, "why": "already done"}),
    ):
        rundir.write_event({"kind": kind, **told})
    visits = [(visit.node, visit.state, visit.seconds) for visit in path_taken(rundir)]
    assert visits == [
        ("baseline", "done", 2.0),
        ("examine", "cut off", None),
        ("examine", "failed", None),
        ("examine", "already done", None),
    ]
    rundir.write_event({"kind": "started", "node": "diagnose", "cycle": 1})
    assert path_taken(rundir)[-1].state == "cut off"
    rundir.lock()
    assert path_taken(rundir)[-1].state == "under way"
    rundir.unlock()


def test_a_run_that_has_hardly_begun_has_a_page(tmp_path: Path, tutelage_cli: Run) -> None:
    rundir = RunDir(tmp_path / "run")
    rundir.write_problems({Split.TRAIN: [Problem(id="p", question="</script><b>1 + 1</b>", answer="2")]})
    rundir.config.write_text("student: {model: '<b>tiny</b>'}\n")
    out = tmp_path / "pages" / "report.html"
    code, told, _ = tutelage_cli("report", rundir.path, "-o", out)
    assert code == 0 and told.startswith(f"{out}: ") and "&lt;b&gt;tiny&lt;/b&gt;" in out.read_text()
    assert unpack(out.read_text(), "index")["rows"][0][2] == "</script><b>1 + 1</b>"
    code, _, err = tutelage_cli("report", rundir.path, "-o", tmp_path)
    assert code == 2 and "is a folder; name a file" in err
    code, _, err = tutelage_cli("report", rundir.path, "-o", out / "below" / "x.html")
    assert code == 2 and f"{out} is a file" in err
    assert out.stat().st_mode & 0o777 == 0o666 & ~current_umask()


def test_a_run_that_was_killed_while_it_wrote_is_told_up_to_its_last_whole_line(
    rundir: RunDir, tmp_path: Path, tutelage_cli: Run
) -> None:
    torn = RunDir(Path(shutil.copytree(rundir.path, tmp_path / "torn")))
    last = torn.attempts(2)[-1]
    for path in (torn.events, torn.file("attempts", 2), torn.file("rationales", 2)):
        path.write_bytes(path.read_bytes()[:-7])
    assert len(torn.attempts(2)) == len(rundir.attempts(2)) - 1
    for arguments in (["show"], ["trace", "--problem", last.problem_id], ["report", "-o", tmp_path / "torn.html"]):
        code, _, err = tutelage_cli(arguments[0], torn.path, *arguments[1:])
        assert (code, err) == (0, "")


def test_what_a_purifier_wrote_itself_is_no_rationale_that_it_kept(tmp_path: Path) -> None:
    rundir = RunDir(tmp_path / "run")
    rundir.write_problems({Split.TRAIN: [Problem(id=id_, question="1 + 1", answer="2") for id_ in "pqrs"]})
    rundir.config.write_text("student: {model: tiny}\n")
    chosen = {"p": ("own",), "q": ("a", "own"), "r": ("own", "too"), "s": ("a", "b")}
    rundir.write_decisions(
        1,
        [Decision(problem_id=id_, cycle=1, purifier="x", candidates=("a", "b"), chosen=chosen[id_]) for id_ in "pqrs"],
    )
    told = [trace(rundir, id_)["events"][0] for id_ in "pqrs"]
    assert [event["text"] for event in told] == [
        "its own text taught over 2 verified rationales",
        "1 of 2 verified rationales taught, and its own text",
        "2 texts of its own taught over 2 verified rationales",
        "2 of 2 verified rationales taught",
    ]
    assert [event["over"] for event in told] == [["a", "b"], ["b"], ["a", "b"], []]
    write_report(rundir, tmp_path / "page.html")
    table = (tmp_path / "page.html").read_text().split('aria-label="Purifiers"')[1].split("</table>")[0]
    head, cells = re.findall(r'<th scope="col">(.*?)</th>', table), re.findall(r'<td class="number">(.*?)</td>', table)
    assert head[2:7] == ["problems", "with several rationales", "kept", "dropped", "its own"]
    assert cells == ["4", "4", "3", "5", "4"]


def test_a_run_of_which_a_part_was_copied_is_told_so(rundir: RunDir, tutelage_cli: Run, tmp_path: Path) -> None:
    part = shutil.copytree(rundir.path, tmp_path / "part", ignore=shutil.ignore_patterns("problems.jsonl"))
    for command in ("trace", "report"):
        code, _, err = tutelage_cli(command, part)
        assert (code, err.count("\n")) == (2, 1) and "problems.jsonl: is missing" in err


def test_a_page_is_not_written_over_something_else(rundir: RunDir, tutelage_cli: Run, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("keep")
    code, _, err = tutelage_cli("report", rundir.path, "-o", tmp_path / "precious.txt")
    assert (code, err.count("\n")) == (2, 1) and "is no page that Tutelage wrote" in err
    assert (tmp_path / "precious.txt").read_text() == "keep"
    (tmp_path / "page.html").touch()  # such as mktemp makes
    assert [tutelage_cli("report", rundir.path, "-o", tmp_path / "page.html")[0] for _ in range(2)] == [0, 0]
