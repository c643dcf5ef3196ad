"""What a reader of a run's page is led to: a problem by the beginning of its id, lasting filters, and what is told."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tutelage import jsonl
from tutelage.report import write_report
from tutelage.rundir import RunDir
from tutelage.schema import Confirmation, Diagnosis, Problem, Split

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
ROOT = Path(__file__).parent.parent
SHOTS = Path(os.environ.get("TUTELAGE_SCREENSHOTS", ROOT / "build/screenshots"))
PHONE, DESK = {"width": 390, "height": 800}, {"width": 1280, "height": 900}
PLAIN = "#life .diagnosis > p"


@pytest.fixture(scope="module")
def rundir(write_large_run: Callable[..., RunDir], tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Return a run with a weakness that was confirmed, one that was not, and one that was not tested."""
    found: RunDir = write_large_run(tmp_path_factory.mktemp("run") / "large", problems=120, cycles=3, events=500)
    problems = found.problems()
    alike = [Problem(id=f"alike-{n}", question="alike?", answer="1", skills=("skill 0", "skill 1")) for n in range(2)]
    found.write_problems({**problems, Split.TRAIN: [*problems[Split.TRAIN], *alike]})
    for cycle in (1, 2, 3):
        report, diagnosis = found.reports()[cycle], found.diagnosis(cycle)
        assert diagnosis
        tested = [Confirmation(asked=8, passed=passed, confirmed=not passed) for passed in (0, 8)]
        weaknesses = tuple(
            one.model_copy(update={"confirmation": test})
            for one, test in zip(diagnosis.weaknesses, [*tested, None], strict=False)
        )
        found.write_diagnosis(Diagnosis.model_validate({**dict(diagnosis), "weaknesses": weaknesses}))
        found.write_report(report.model_copy(update={"weaknesses": weaknesses}))
        curve = {"schema": 1, "stage": "sft", "losses": [1 / step / cycle for step in range(1, 30)]}
        jsonl.write_json(found.checkpoints / f"cycle-{cycle:03d}" / "losses.json", curve)
    return found


@pytest.fixture(scope="module")
def path(rundir: RunDir) -> Path:
    out = rundir.path / "report.html"
    write_report(rundir, out)
    return out


def life(opened: Any, id_: str) -> Any:
    from playwright.sync_api import expect  # a policy of the page's own forbids what waits by evaluating

    expect(opened.page.locator("#life h3").first).to_have_text(f"Problem {id_}")
    return opened.page.locator("#life")


def test_the_beginning_of_an_id_is_enough_where_only_one_begins_so(open_page: Any, path: Path, rundir: RunDir) -> None:
    wanted = rundir.problems()[Split.GATE][0].id
    opened = open_page(path, f"#problem={wanted[:12]}")
    assert wanted != wanted[:12]
    life(opened, wanted)
    opened.page.evaluate("location.hash = 'problem=alike-'")
    opened.page.locator("#life", has_text="2 problems begin with alike-; give more of the id.").wait_for()
    opened.page.locator("#life .link", has_text="alike-1").click()
    assert "alike?" in life(opened, "alike-1").text_content()
    assert opened.page.evaluate("location.hash") == "#problem=alike-1"


def test_a_problem_tells_its_split_and_skills_and_what_was_diagnosed(open_page: Any, path: Path) -> None:
    opened = open_page(path, "#problem=alike-0")
    facts = life(opened, "alike-0").locator(".facts div").all()
    told = {one.locator("dt").text_content(): one.locator("dd").text_content() for one in facts}
    assert told == {"answer": "1", "split": "train", "skills": "skill 0, skill 1"}
    heads = [one.text_content() for one in opened.page.locator(PLAIN).all()]
    assert heads[:2] == [
        "diagnosis diagnostician skill 0, 20.0 % right of 50, confirmed",
        "diagnosis diagnostician skill 1, 20.0 % right of 50, not confirmed",
    ]
    cells = str(opened.page.locator("#cycles tbody tr").nth(1).text_content())
    assert "skill 0 20.0 % (confirmed); skill 1 20.0 % (not confirmed); skill 2 20.0 % (not tested)" in cells


def test_filters_and_the_search_outlive_a_reload_and_lie_on_the_way_back(open_page: Any, path: Path) -> None:
    from playwright.sync_api import expect

    opened = open_page(path)
    page, shown = opened.page, lambda: opened.page.evaluate("location.hash")
    page.select_option("#split", "gate")
    page.fill("#search", "what is")
    page.wait_for_url("**/*#text=what+is&split=gate")
    page.locator("#search").press_sequentially(" 1")
    page.wait_for_url("**/*#text=what+is+1&split=gate")
    few = opened.ids()
    page.locator("#list .link").first.click()
    life(opened, few[0])
    page.reload()
    life(opened, few[0])
    assert (opened.ids(), page.input_value("#search"), page.input_value("#split")) == (few, "what is 1", "gate")
    page.go_back()
    page.wait_for_selector("#life", state="hidden")
    assert opened.ids() == few and "problem" not in shown()
    page.go_back()  # what was typed in one go is one step
    expect(page.locator("#search")).to_have_value("")
    assert shown() == "#split=gate" and len(opened.ids()) > len(few)
    page.go_back()
    expect(page.locator("#split")).to_have_value("")
    assert shown() == "" and len(opened.ids()) == 50
    assert opened.said == []


def test_pages_and_wrong_addresses(open_page: Any, path: Path) -> None:
    from playwright.sync_api import expect

    opened = open_page(path, "#weakness=%3Cb%3Enone%3C%2Fb%3E&page=3")
    page = opened.page
    assert page.text_content("#notice") == "This run has no weakness <b>none</b>, which the address asks for."
    assert str(page.text_content("#page")).startswith("page 3 of") and page.input_value("#weakness") == ""
    page.click("#back")
    assert page.evaluate("location.hash") == "#page=2"
    page.select_option("#split", "gate")
    assert page.evaluate("location.hash") == "#split=gate" and page.text_content("#notice") == ""
    page.click("nav a[href='#charts']")
    assert page.evaluate("location.hash") == "#split=gate" and page.input_value("#split") == "gate"
    assert page.evaluate("document.activeElement.id") == "charts"
    expect(page.locator("#charts")).to_be_in_viewport()
    page.reload()
    expect(page.locator("#split")).to_have_value("gate")
    page.evaluate("location.hash = 'page=x'")
    expect(page.locator("#split")).to_have_value("")
    assert str(page.text_content("#page")).startswith("page 1 of")


def test_escape_closes_a_problem_and_leads_to_its_row(open_page: Any, path: Path, rundir: RunDir) -> None:
    first = rundir.problems()[Split.TRAIN][0].id
    opened = open_page(path, f"#problem={first[:12]}&split=train")
    life(opened, first)
    opened.page.locator("#life:focus").wait_for()
    opened.page.keyboard.press("Escape")
    assert opened.page.is_hidden("#life") and opened.page.evaluate("location.hash") == "#split=train"
    assert opened.page.evaluate("document.activeElement.dataset.problem") == first


def test_the_marks_stand_below_their_cycles_and_are_told_apart_without_colour(open_page: Any, path: Path) -> None:
    opened = open_page(path)
    assert opened.page.locator("#after span").all_text_contents() == ["0", "1", "2", "3"]
    row = opened.page.locator("#list tbody tr").first.locator(".marks")
    places = "all => all.map(one => Math.round(one.getBoundingClientRect().x))"
    head = opened.page.locator("#after span").evaluate_all(places)
    below = row.locator("span").evaluate_all(places)
    assert all(abs(above - under) <= 2 for above, under in zip(head, below, strict=True))
    signs = Counter(opened.page.locator(".marks .right").all_text_contents())
    assert set(signs) == {"✓"} and set(opened.page.locator(".marks .wrong").all_text_contents()) == {"✗"}
    colour = "one => getComputedStyle(one).color"
    found = {
        kind: opened.page.locator(f".legend .{kind}").evaluate(colour)
        for kind in ("right", "wrong", "partly", "unasked")
    }
    assert len(set(found.values())) == 4
    assert opened.page.locator(".marks .right").first.evaluate(colour) == found["right"]


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_training_settings_and_cells_can_be_read(
    open_page: Any, path: Path, scheme: str, viewport: dict[str, int]
) -> None:
    opened = open_page(path, "#problem=alike-", color_scheme=scheme, viewport=viewport)
    opened.page.locator("#settings summary").click()
    opened.page.wait_for_selector("#life:not([hidden])")
    SHOTS.mkdir(parents=True, exist_ok=True)
    opened.page.screenshot(path=SHOTS / f"address-{scheme}-{viewport['width']}.png", full_page=True)
    assert opened.grave() == [] and opened.said == []
    assert "max_new_tokens" in str(opened.page.locator("#settings pre").text_content())
    assert opened.page.locator("#chart-losses .scatterlayer .trace").count() == 3
    assert opened.page.locator("#chart-mastery .heatmap-label").count() > 100
    wide = "one => one.scrollWidth > one.clientWidth"
    for section in ("cycles", "training"):
        assert not opened.page.locator(f"#{section} > .scroll").evaluate(wide)
    tall = opened.page.locator("#cycles tbody tr").evaluate_all("all => all.map(one => one.clientHeight)")
    assert max(tall) < 480


def test_no_arrow_of_the_path_is_cut_off_on_a_phone(open_page: Any, path: Path) -> None:
    opened = open_page(path, viewport=PHONE)
    ends = opened.page.locator(".path li:not(:last-child)").evaluate_all(
        "all => all.map(one => [one.getBoundingClientRect().right - parseFloat(getComputedStyle(one, '::after').right),"
        " getComputedStyle(one, '::before').content, getComputedStyle(one, '::after').content])"
    )
    assert ends and all(right <= PHONE["width"] for right, _, _ in ends)
    assert {(before, after) for _, before, after in ends} == {("none", '"→"')}
