"""The page of a run in a real browser: nothing fails, nothing is fetched, everything can be found and read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tutelage.report import write_comparison, write_report
from tutelage.rundir import RunDir
from tutelage.schema import Attempt, Problem, Rationale, Split
from tutelage.traces.compare import compare

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
ROOT = Path(__file__).parent.parent
SHOTS = Path(os.environ.get("TUTELAGE_SCREENSHOTS", ROOT / "build/screenshots"))
EVIL = "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>\x1b[31m{{7*7}}\u202e"
PHONE, DESK = {"width": 390, "height": 800}, {"width": 1280, "height": 900}
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def rundir(write_large_run: Callable[..., RunDir], tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Return a run of 300 problems, and one of hostile text."""
    found: RunDir = write_large_run(tmp_path_factory.mktemp("run") / "large", problems=300, cycles=3, events=500)
    problems = found.problems()
    hostile = Problem(id="evil", question=EVIL, answer=EVIL, skills=("skill 0", EVIL))
    found.write_problems({**problems, Split.TRAIN: [hostile, *problems[Split.TRAIN]]})
    told: Any = {"split": Split.TRAIN, "answer": EVIL, "score": 0.0, "correct": False, "logprob": -1.0}
    rest: Any = {"tokens": 9, "finish_reason": "stop", "student": "base", "cycle": 0, "problem_id": "evil"}
    found.add_attempts(0, [Attempt(id="evil-0", text="x" * MEGABYTE, **told, **rest)])
    found.add_rationales(1, [Rationale(id="r", problem_id="evil", teacher=EVIL, cycle=1, text=EVIL, rejected=EVIL)])
    return found


@pytest.fixture(scope="module")
def path(rundir: RunDir) -> Path:
    out = rundir.path / "report.html"
    write_report(rundir, out)
    return out


@pytest.fixture(scope="module")
def opened(open_page: Any, path: Path) -> Any:
    return open_page(path)


def problem_with(rundir: RunDir, refined: bool) -> str:
    for rows in (rundir.rationales(cycle) for cycle in (1, 2, 3)):
        for one in rows:
            if (one.revision > 0) == refined and one.problem_id != "evil":
                return one.problem_id
    raise AssertionError("the run has none")


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_and_can_be_read_by_everybody(
    open_page: Any, path: Path, rundir: RunDir, scheme: str, viewport: dict[str, int]
) -> None:
    fragment = f"#problem={problem_with(rundir, refined=True)}"
    opened = open_page(path, fragment, color_scheme=scheme, viewport=viewport)
    opened.page.wait_for_selector("#life:not([hidden])")
    SHOTS.mkdir(parents=True, exist_ok=True)
    opened.page.screenshot(path=SHOTS / f"report-{scheme}-{viewport['width']}.png", full_page=True)
    assert opened.grave() == []
    assert opened.said == [] and [url.partition("#")[0] for url in opened.asked] == [path.as_uri()]
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_no_plot_is_empty(opened: Any) -> None:
    charts = opened.page.locator(".chart").all()
    drawn = [chart.locator(".scatterlayer .point, .barlayer .point, .heatmaplayer image").count() for chart in charts]
    assert len(drawn) >= 6 and all(drawn)


def test_it_does_not_jump_while_it_loads(open_page: Any, path: Path) -> None:
    page = open_page(path).page
    script = """new Promise(done => {
        let sum = 0;
        const watch = new PerformanceObserver(list => { for (const one of list.getEntries()) sum += one.value; });
        watch.observe({type: "layout-shift", buffered: true});
        setTimeout(() => done(sum), 500);
    })"""
    assert page.evaluate(script) < 0.1  # what web.dev calls good


def test_search_finds_a_problem_and_a_refinement_shows_what_changed(open_page: Any, path: Path, rundir: RunDir) -> None:
    from playwright.sync_api import expect

    opened, wanted = open_page(path), problem_with(rundir, refined=True)
    every = opened.page.text_content("#count")
    opened.page.fill("#search", wanted)
    expect(opened.page.locator("#list .link")).to_have_count(1)
    assert opened.ids() == [wanted] and opened.page.text_content("#count") != every
    opened.page.focus("#list .link")
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_selector("#life:not([hidden])")
    assert opened.page.evaluate("document.activeElement.id") == "life"
    first = next(
        one for cycle in (1, 2, 3) for one in rundir.rationales(cycle) if one.parent_id and one.problem_id == wanted
    )
    sides = opened.page.locator(".refinement .sides").first
    assert sides.locator("del").first.is_visible() and sides.locator("ins").first.is_visible()
    assert sides.locator("pre").nth(1).text_content() == first.text


def test_filters_and_pages(open_page: Any, path: Path, rundir: RunDir) -> None:
    opened = open_page(path)
    assert len(opened.ids()) == 50 and opened.page.is_disabled("#back")
    first = opened.ids()
    opened.page.click("#next")
    assert not set(first) & set(opened.ids())
    opened.page.select_option("#changed", "fell 2")
    before, after = ({one.problem_id for one in rundir.attempts(cycle) if one.correct} for cycle in (1, 2))
    assert opened.page.text_content("#count").startswith(f"{len(before - after)} of 301")  # type: ignore[union-attr]
    assert set(opened.ids()) <= before - after
    opened.page.locator("#list .link").first.click()
    opened.page.wait_for_selector("#life .fall")
    sides = opened.page.locator("#life section", has=opened.page.locator("h3", has_text="Cycle 2")).locator(".sides")
    assert [one.text_content() for one in sides.first.locator(".attempt b").all()] == ["right", "wrong"]


def test_only_cycles_that_made_a_student_are_offered(open_page: Any, rundir: RunDir, tmp_path: Path) -> None:
    shutil.copytree(rundir.path, tmp_path / "run")
    copied, out = RunDir(tmp_path / "run"), tmp_path / "report.html"
    last = copied.reports()[-1]
    copied.write_report(last.model_copy(update={"cycle": last.cycle + 1, "accuracy": {}, "n": {}}))
    write_report(copied, out)
    offered = open_page(out).page.locator("#changed option").evaluate_all("all => all.map(one => one.value)")
    assert offered == ["", *(f"{way} {cycle}" for cycle in (1, 2, 3) for way in ("fell", "rose"))]


def test_hostile_text_is_text(open_page: Any, path: Path) -> None:
    opened = open_page(path, "#problem=evil")
    opened.page.wait_for_selector("#life:not([hidden])")
    assert opened.page.evaluate("window.hacked") is None
    assert opened.page.locator("#life img, #life script").count() == 0
    shown = opened.page.locator("#life .draft pre").text_content()
    assert shown == EVIL.replace("\x1b", "�").replace("\u202e", "�")
    assert opened.page.locator("#life .attempt pre").first.text_content() == "x" * MEGABYTE
    assert "<img src=x" in str(opened.page.locator("#teachers").text_content())
    assert opened.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_several_runs(open_page: Any, rundir: RunDir, tmp_path: Path, scheme: str) -> None:
    other = tmp_path / EVIL.replace("/", "").replace("\x1b", "")
    shutil.copytree(rundir.path, other)
    config = (other / "config.yaml").read_text().replace("max_new_tokens: ", "max_new_tokens: 1")
    (other / "config.yaml").write_text(config)
    out = tmp_path / "compare.html"
    write_comparison(compare([rundir.path, other]), out)
    opened = open_page(out, color_scheme=scheme)
    opened.page.screenshot(path=SHOTS / f"compare-{scheme}.png", full_page=True)
    assert opened.grave() == [] and opened.said == [] and opened.asked == [out.as_uri()]
    assert opened.page.evaluate("window.hacked") is None and opened.page.locator("img").count() == 0
    assert "30" in str(opened.page.locator("#pairs tbody tr").text_content())


def test_the_page_shows_every_answer_of_a_problem(open_page: Any, path: Path, rundir: RunDir) -> None:
    asked = [one for cycle in range(4) for one in rundir.attempts(cycle)]
    problem = next(one.problem_id for one in asked if one.split is Split.TEST)
    best = next(one for one in asked if one.problem_id == problem and one.cycle == 2)
    late = best.model_copy(update={"cycle": 3, "id": "late", "text": "asked again in a cycle that it was not made in"})
    other = RunDir(Path(shutil.copytree(rundir.path, rundir.path.parent / "again")))
    rows = [one for one in other.attempts(3) if one.problem_id != problem]
    other.file("attempts", 3).unlink()
    other.add_attempts(3, [*rows, late])
    write_report(other, other.path / "report.html")
    opened = open_page(other.path / "report.html", f"#problem={problem}")
    opened.page.wait_for_selector("#life:not([hidden])")
    assert late.text in str(opened.page.text_content("#life"))


def test_the_address_opens_another_problem_and_the_last_one_asked_for_stays(
    open_page: Any, path: Path, rundir: RunDir
) -> None:
    from playwright.sync_api import expect

    opened, problems = open_page(path), rundir.problems()[Split.GATE]
    opened.page.evaluate(f"location.hash = 'problem={problems[0].id}'; location.hash = 'problem={problems[1].id}'")
    expect(opened.page.locator("#life h3").first).to_have_text(f"Problem {problems[1].id}")
    opened.page.locator("#list .link").first.click()
    opened.page.wait_for_selector("#life:not([hidden])")
    opened.page.go_back()
    expect(opened.page.locator("#life h3").first).to_have_text(f"Problem {problems[1].id}")
    opened.page.evaluate("location.hash = 'problem=nosuch'")
    expect(opened.page.locator("#life")).to_have_text("This run has no problem nosuch.")


def test_charts_are_drawn_where_there_are_no_idle_callbacks(browser: Any, path: Path) -> None:
    page = browser.new_context(offline=True).new_page()
    page.add_init_script("delete window.requestIdleCallback")
    page.goto(path.as_uri())
    page.locator(".chart").last.locator(".point").first.wait_for(state="attached")
