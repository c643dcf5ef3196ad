"""What bench/editing.py found, as the table of docs/editing.md.

python bench/editing_report.py bench/results/editing_smollm2-135m-instruct.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from run_file import Run, as_markdown

MEASURES = {
    "reliability": "reliability",
    "reliability_first_quarter": "of the first quarter",
    "generalisation": "generalisation",
    "locality": "locality",
    "locality_exact": "word for word",
    "knowledge_kept": "knowledge kept",
    "portability": "portability",
    "quiz": "quiz",
}
"""The measures of a report and the heads of their columns."""


def shares(measured: Mapping[str, Any]) -> list[str]:
    """Return the measures of a student as they are shown."""
    values = [measured[name] for name in MEASURES]
    return [f"{value['value'] if isinstance(value, Mapping) else value:.2f}" for value in values]


def table(runs: Sequence[Run]) -> str:
    """Return a row for the base student and one for each run as Markdown; the runs are of one seed."""
    head = ["arm", *MEASURES.values(), "steps", "seconds"]
    rows = [head, ["before", *shares(runs[0]["before"]), "", ""]]
    for run in runs:
        rows.append([run["arm"], *shares(run["after"]), f"{run['steps']:,}", f"{run['train_seconds']:,.0f}"])
    return as_markdown(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path)
    print(table(json.loads(parser.parse_args().report.read_text())["runs"]))


if __name__ == "__main__":
    main()
