"""The figures of the pages are those that the benches measured: bench/results has them."""

from __future__ import annotations

import json
import runpy
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from tutelage.config import RunConfig
from tutelage.memory.search import DENSE

ROOT = Path(__file__).parent.parent


def test_the_demo_s_figures_are_those_that_were_measured() -> None:
    measured = json.loads((ROOT / "bench" / "results" / "demo.json").read_text())
    page, readme = ((ROOT / name).read_text() for name in ("docs/demo.md", "README.md"))
    for run in measured["runs"]:
        kept, n, verdicts = run["retention"], run["retention_n"], [v.split(":")[0] for v in run["verdicts"][1:]]
        gate = " / ".join(f"{share:.2f}" for share in run["gate"])
        test = run["test"]
        row = (
            f"| {run['seed']} | {test['base']:.2f} | **{test['best']:.2f}** | {run['best_cycle']} | {gate} "
            f"| {round(kept * n)}/{n} | {', '.join(verdicts)} | {run['wall_seconds']} s |"
        )
        assert row in page, row
    assert f"**{measured['median_test_best']:.0%} after**".replace("%", " %") in readme
    assert f"{measured['median_test_best']:.2f}, 0 points, {measured['median_wall_seconds']} s" in page
    assert f"in {measured['median_wall_seconds'] / 60:.1f} minutes" in readme


def test_the_figures_of_a_weak_teacher_are_those_that_were_measured() -> None:
    free, held = json.loads((ROOT / "bench" / "results" / "vllm_teacher.json").read_text())["arms"]
    page = " ".join((ROOT / "docs" / "teachers.md").read_text().split())
    why = held["rejected"]
    for said in (
        f"{held['passed_in_the_end']} of {held['problems']} problems get a rationale that passes",
        f"of its other {sum(why.values())} drafts the check turned away {why['no step']} without a step, "
        f"{why['wrong answer']} with a wrong answer, {why['no final answer']} without one and {why['wrong step']} with",
        f"As free text {free['passed_in_the_end']} of {free['problems']} pass",
    ):
        assert said in page, said
    assert "asked" not in free["critiques"] | held["critiques"] and "As a critic it asked no question" in page


@pytest.mark.parametrize("experiment", ["listening", "memory", "schooled", "real"])
def test_the_figures_of_teaching_are_those_that_were_measured(experiment: str) -> None:
    measured = json.loads((ROOT / "bench" / "results" / f"teaching_{experiment}.json").read_text())
    page = (ROOT / "docs" / "teaching.md").read_text()
    assert measured["command"] in page
    for run in measured["runs"]:
        row = f"| {run['seed']} | {run['arm']} | {run['test']['best']:.3f} | {run['calls']} | {run['tokens']:,} |"
        assert row in page, row
    for arm, figures in measured["arms"].items():
        row = f"| mean | {arm} | **{figures['mean']:.3f}** (sd {figures['sd']:.3f}) |"
        assert row in page, row
    for pair, by_seed in measured["differences"].items():
        shown = " | ".join(f"{difference:+.3f}" for difference in by_seed.values())
        row = f"| {pair} | {shown} | **{statistics.mean(by_seed.values()):+.3f}** |"
        assert row in page, row


def test_the_figures_of_broken_servers_are_those_that_were_measured() -> None:
    page = (ROOT / "docs" / "teachers.md").read_text()
    for name, file in (("by try", "faults"), ("lasting", "faults-lasting"), ("killed", "faults-killed")):
        measured = json.loads((ROOT / "bench" / "results" / f"{file}.json").read_text())
        became, server = measured["became"], measured["server"]
        row = next(line for line in page.splitlines() if line.startswith("|") and name in line)
        cells = [became["verified"], became["empty"], became.get("failed", 0), server["requests"], server["paid"]]
        cells += [server["paid_twice"], measured["ledger"]["calls"]]
        assert [int(cell.replace(",", "")) for cell in row.split("|")[2:-1]] == cells
        assert sum(became.values()) == 2000


def test_the_figures_of_recall_at_100_000_are_those_that_were_measured() -> None:
    measured = json.loads((ROOT / "bench" / "results" / "recall_latency.json").read_text())
    page = " ".join((ROOT / "docs" / "memory.md").read_text().split())
    kept, every = measured["filtered"], measured["all"]
    told = f"{kept['p95_wall_ms']:.1f} ms at the 95th percentile on two cores, {kept['p50_wall_ms']:.1f} at the median"
    assert f"a recall takes {told}" in page
    found = measured["found_of_32_nearest"]
    assert f"{100 * found['mean']:.2f} % of the 32 nearest by an exact search, {100 * found['worst']:.0f} % for" in page
    assert f"{every['p95_wall_ms']:.1f} and {every['p50_wall_ms']:.1f} where it is not" in page


def test_the_figures_of_recall_are_those_that_were_measured() -> None:
    page = (ROOT / "docs" / "memory.md").read_text()
    tables = [json.loads((ROOT / "bench/results" / f"recall{which}.json").read_text()) for which in ("", "_minilm")]
    assert f"| recall@5, {tables[0]['queries']['test']} queries |" in page

    def row(name: str, key: str) -> str:
        shares = [table["recall_at_5_by_share_of_vectors"][key]["test"] for table in tables]
        return f"| {name} | " + " | ".join(f"{s['any']:.3f}, {s['strict']:.3f}" for s in shares) + " |"

    run = " | ".join(f"{table['as_run_test']['recall_at_5']:.3f}" for table in tables)
    assert f"| what `recall` returns | {run} |" in page
    assert row("vectors and terms, by relevance", f"{DENSE}") in page
    assert row("terms alone", "0.0") in page
    assert row("vectors alone, of the described error", "1.0") in page
    assert row("vectors alone, of the bare question and attempt", "question and attempt, vectors alone") in page


@pytest.mark.parametrize("student", ["tiny", "real"])
def test_the_page_on_the_curriculum_has_the_tables_of_its_bench(student: str) -> None:
    script, results = ROOT / "bench/curriculum_report.py", ROOT / f"bench/results/curriculum_{student}.json"
    table = subprocess.run([sys.executable, script, results], capture_output=True, text=True, check=True).stdout
    assert table.count("\n") > 10 and table.strip() in (ROOT / "docs/curriculum.md").read_text()


def test_the_default_planner_is_the_one_that_won_with_both_students(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    report = runpy.run_path(str(ROOT / "bench/curriculum_report.py"))
    files = [ROOT / f"bench/results/curriculum_{student}.json" for student in ("tiny", "real")]
    found = report["gains_by_planner"]([json.loads(file.read_text())["runs"] for file in files])
    winner = next(iter(found))
    assert RunConfig.model_fields["planner"].default.name == winner
    page = (ROOT / "docs/curriculum.md").read_text()
    for name, gain in found.items():
        assert f"`{name}` {gain:+.3f}" in page


@pytest.mark.parametrize("student", ["tiny", "real"])
def test_the_page_on_purification_has_the_tables_of_its_bench(student: str) -> None:
    script, results = ROOT / "bench/purification_report.py", ROOT / f"bench/results/purification_{student}.json"
    table = subprocess.run([sys.executable, script, results], capture_output=True, text=True, check=True).stdout
    page = (ROOT / "docs/purification.md").read_text()
    assert table.count("\n") > 3 and table.strip() in page


def test_the_page_on_purification_has_the_figures_of_routing() -> None:
    page = (ROOT / "docs/purification.md").read_text()
    measured = json.loads((ROOT / "bench/results/routing.json").read_text())["routers"]
    for name, found in measured.items():
        router, encoder = name.split(", ")
        figures = f"{min(found['right_by_seed']):.4f}", found["ms_a_question_alone_p50"], found["seconds_to_fit_2000"]
        assert f"| `{router}` | `{encoder}` | {' | '.join(map(str, figures))} |" in page
        assert min(found["right_by_seed"]) >= 0.9


def test_what_a_step_of_tpsft_costs_is_what_was_measured() -> None:
    measured = json.loads((ROOT / "bench/results/tpsft_cost.json").read_text())
    page = (ROOT / "docs/consolidation.md").read_text()
    for row in measured["rows"]:
        seconds = [f"{statistics.median(row[name]):.2f}" for name in ("sft", "tpsft")]
        cells = [f"`{row['mode']}`", *seconds, ", ".join(f"{one:.2f}" for one in row["ratios"])]
        assert f"| {' | '.join(cells)} | {row['median_ratio']:.2f} |" in page
        assert row["median_ratio"] <= 1.15


def test_what_the_trainer_costs_over_a_bare_script_is_what_was_measured() -> None:
    page = (ROOT / "docs/training-failures.md").read_text()
    measured = sorted((ROOT / "bench/results").glob("overhead_*.json"))
    assert measured
    for report in map(json.loads, map(Path.read_text, measured)):
        for arm, row in report["arms"].items():
            seconds = f"{row['seconds']:.1f} | {row['more_than_bare']:+.1f} | {row['allowed']:.1f}"
            assert f"| {report['student']} | {arm} | {seconds} | {row['largest_difference_of_loss']:.1e} |" in page
            assert row["within"]
        assert report["arms"]["inline, TRL's loss"]["largest_difference_of_loss"] == 0.0


def test_the_page_on_consolidation_has_what_the_bench_of_forgetting_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    report = runpy.run_path(str(ROOT / "bench/forgetting_report.py"))
    results = ROOT / "bench/results"
    runs, dev = (json.loads((results / f"forgetting_{name}.json").read_text())["runs"] for name in ("tiny", "tiny_dev"))
    page = (ROOT / "docs/consolidation.md").read_text()
    assert report["table"](runs) in page and report["curve"](runs) in page
    sft, tpsft = (report["of_arm"](runs, *one) for one in zip(report["PAIR"], report["chosen_pair"](dev), strict=True))
    target, loss = report["compared"](tpsft, sft)
    chosen = json.loads((results / "forgetting_tiny.json").read_text())["terms"]["student"]["rates"]
    assert chosen == {arm: report["best_rate"](dev, arm) for arm in chosen}
    assert f"it then has {target:.2f} times the target accuracy and {loss:.2f} of the loss" in " ".join(page.split())


def test_the_page_on_consolidation_has_what_the_real_student_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    report = runpy.run_path(str(ROOT / "bench/forgetting_report.py"))
    runs, dev = (
        json.loads((ROOT / f"bench/results/forgetting_real{part}.json").read_text())["runs"] for part in ("", "_dev")
    )
    page = (ROOT / "docs/consolidation.md").read_text()
    assert report["table"](runs) in page
    assert {report["best_rate"](dev, arm) for arm in report["PAIR"]} == {1e-3}
    told = {
        "tpsft, all layers": "on all layers it has {:.2f} of the target accuracy and {:.2f} of the loss",
        "tpsft, drift": "**With `drift` it does**: {:.2f} of the target accuracy of `sft` and {:.2f} of its loss",
        "sft, drift": "But `sft` with `drift` has {:.2f} and {:.2f}",
    }
    for arm, sentence in told.items():
        shares = report["compared"](report["of_arm"](runs, arm), report["of_arm"](runs, "sft"))
        assert sentence.format(*shares) in " ".join(page.split())


def test_the_figures_of_diagnosis_are_those_that_were_measured() -> None:
    page = (ROOT / "docs/diagnosis.md").read_text()
    results = ROOT / "bench/results"
    for one in json.loads((results / "diagnosis_simulated.json").read_text())["rows"]:
        what = f"| {one['diagnostician']} | {one['answers']} | {100 * one['steps_known']:.0f} % |"
        assert f"{what} {one['precision']:.3f} | {one['recall']:.3f} |" in page
        least = 0.9 if one["answers"] == 200 else 0.75
        assert one["diagnostician"] != "attributed" or min(one["precision"], one["recall"]) >= least
    for one in json.loads((results / "prerequisites_simulated.json").read_text())["rows"]:
        shares = f"{one['precision']:.3f} | {one['recall']:.3f} | {100 * one['exact']:.0f} %"
        assert f"| {one['students']} | {shares} |" in page
    for one in json.loads((results / "diagnosis_speed.json").read_text())["rows"]:
        assert one["attempts"] == 100_000 and one["wall_seconds"] < 60
        assert 0.97 <= one["finding_cpu_seconds"] / one["finding_seconds"] / 2 < 0.99
        assert 1.0 <= round(1000 * one["finding_cpu_seconds"] / one["wrong"], 1) <= 1.6
        steps, diagnosed = ([one[f"{part}_seconds"], one[f"{part}_cpu_seconds"]] for part in ("finding", "diagnosing"))
        spent = " | ".join(map(str, [*steps, *diagnosed, one["wall_seconds"]]))
        skills = f"{one['skills']:,}" if one["skills"] else f"{one['kinds_discovered']} discovered"
        assert f"| {one['attempts']:,} | {one['problems']:,} | {skills} | {spent} |" in page


def test_the_figures_of_confirmation_are_those_that_were_measured() -> None:
    measured = json.loads((ROOT / "bench" / "results" / "confirmation.json").read_text())
    page = (ROOT / "docs" / "diagnosis.md").read_text()
    assert measured["command"] in page
    for by_count in measured["verdicts"].values():
        for count, by_rate in by_count.items():
            cells = [f"{one['confirmed']:.2f} / {one['refuted']:.2f}" for one in by_rate.values()]
            assert f"| {count} | {' | '.join(cells)} |" in page


def test_the_figures_of_discovery_are_those_that_were_measured() -> None:
    page = (ROOT / "docs/diagnosis.md").read_text()
    measured = json.loads((ROOT / "bench/results/discovery.json").read_text())
    for name, one in measured["kinds"].items():
        shown = f"{one['problems']:,} | {one['kinds']} | {one['found']} | {one['rand']:.3f} | {one['seconds']}"
        assert f"| {name} | {shown} |" in page and one["rand"] >= 0.9
    for one in measured["wrong steps"]:
        known = "yes" if one["skills"] else "no"
        assert f"| {one['answers']} | {known} | {one['precision']:.3f} | {one['recall']:.3f} |" in page


KINDS_OF_PROBLEMS = ("known rules only", "a hole among the rules")


@pytest.mark.parametrize(("student", "plants"), [("tiny", 20), ("real", 3)])
def test_the_page_on_diagnosis_has_the_figures_of_planted_holes(student: str, plants: int) -> None:
    measured = json.loads((ROOT / f"bench/results/holes_{student}.json").read_text())
    page = (ROOT / "docs/diagnosis.md").read_text()
    known, lost = (sorted(plant["right"][kind] for plant in measured["plants"]) for kind in KINDS_OF_PROBLEMS)
    assert f"| {student} | {known[0]:.2f} | {lost[0]:.2f} to {lost[-1]:.2f} |" in page
    assert len(measured["plants"]) == plants and measured["command"].split("=1 ")[1] in page
    for size, columns in measured["scores"].items():
        for column, figures in columns.items():
            shown = " | ".join(f"{figure:.3f}" for figure in figures.values())
            assert f"| {student} | {size} | {column} | {shown} |" in page
        ours = columns["with steps"]
        assert min(ours["precision"], ours["recall"]) >= {"60": 0.75, "200": 0.9}[size]


def test_the_figures_of_where_a_cycle_starts_are_those_that_were_measured() -> None:
    page = (ROOT / "docs/forgetting.md").read_text()
    arms = json.loads((ROOT / "bench/results/start.json").read_text())["arms"]
    for figures in arms.values():
        by_seed = ", ".join(f"{share:.3f}" for share in figures["test"])
        assert f"| {by_seed} | {figures['mean']:.3f} | {figures['tokens_trained']:,} |" in page
    last, whole = (arms[arm]["test"] for arm in ("last", "base-whole"))
    assert all(more > less for more, less in zip(whole, last, strict=True)) and arms["base"]["mean"] == 0


def test_the_page_on_editing_has_the_table_of_its_bench() -> None:
    script, results = ROOT / "bench/editing_report.py", ROOT / "bench/results/editing_smollm2-135m-instruct.json"
    table = subprocess.run([sys.executable, script, results], capture_output=True, text=True, check=True).stdout
    page = (ROOT / "docs/editing.md").read_text()
    assert table.count("\n") > 4 and table.strip() in page
    mixed = json.loads(results.read_text())["runs"][-1]
    kept = mixed["after"]["knowledge_kept"]["value"]
    assert f"from {mixed['before']['quiz']:.2f} to {mixed['after']['quiz']:.2f}." in page
    assert f"still does in {kept:.2f} of the cases" in " ".join(page.split())
    (lower,) = json.loads((ROOT / "bench/results/editing_lower_rate.json").read_text())["runs"]
    reliability, locality = (lower["after"][name]["value"] for name in ("reliability", "locality"))
    told = f"reliability {reliability:.2f}, locality {locality:.3f} and {lower['after']['quiz']:.2f} in the quiz"
    assert f"has {told}" in " ".join(page.split())


def test_the_figures_of_a_large_run_are_those_that_were_measured_and_within_bounds() -> None:
    page = (ROOT / "docs/traces.md").read_text()
    measured = json.loads((ROOT / "bench/results/traces_at_scale.json").read_text())
    report = measured["report"]
    assert f"| {measured['event']['median_us']} µs (median;" in page
    for name, seconds in (("`trace` of one problem", measured["trace"]), ("`show`", measured["show"])):
        assert f"| {name} | {seconds['median_s']:.2f} s |" in page
    told = f"{report['median_s']:.0f} s, {report['memory_mb']} MB of memory, a page of {report['page_mb']} MB"
    assert f"| `report` | {told} |" in page
    assert (
        measured["trace"]["median_s"] < 1
        and measured["event"]["median_us"] < 50
        and measured["page_opens"]["median_s"] < 2
    )
    assert report["median_s"] < 60 and report["page_mb"] < 50 and report["memory_mb"] < 1000
