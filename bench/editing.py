"""Edit facts into a student one after another, and measure what became of them and of everything else.

    OMP_NUM_THREADS=1 python bench/editing.py tiny --n 6 --batch 3
    OMP_NUM_THREADS=1 python bench/editing.py smollm2-135m-instruct

Facts that the student knows already are left out. Each round edits the next `--batch` facts in, from the checkpoint
that the round before has left, and never looks at the questions that measure. Some arms are taught the paraphrases of
every seventh fact too (the probe split), which no arm is asked. After the last one the student is asked
everything, by free generation: docs/editing.md says how it is measured. `quiz` is its general ability, and
`reliability_first_quarter` what is left of the earliest edits. `editing_arms.py` says what the arms are.

Adds each run to bench/results/editing_STUDENT.json (`--out`). A run that the file has is not run again, and one that
was broken off goes on after its last round.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from editing_arms import ARMS, Arm
from editing_rounds import edit
from editing_student import Bench
from made_on import commit, made_on
from run_file import Run, add_run, known_runs

PACKAGES = ("tutelage", "torch", "transformers", "trl", "peft")


def key(given: argparse.Namespace, arm: str, terms: Arm, seed: int) -> dict[str, Any]:
    """Return what tells a run from the others of a report."""
    names = ("n", "batch", "unrelated", "quiz", "max_new_tokens")
    told = {"arm": arm, "facts": given.facts_name, "seed": seed, **{name: getattr(given, name) for name in names}}
    again: dict[str, Any] = json.loads(json.dumps({**told, "terms": asdict(terms)}))
    return again


def order(run: Run) -> tuple[str, int, int]:
    """Return what runs are sorted by."""
    return run["facts"], run["seed"], list(ARMS).index(run["arm"])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("student", help="tiny, smollm2-135m-instruct, a hub id or a folder")
    parser.add_argument("--facts", default="fictional", help="fictional, counterfactual or a file")
    parser.add_argument("--n", type=int, default=200, help="facts")
    parser.add_argument("--batch", type=int, default=1, help="facts a round")
    parser.add_argument("--unrelated", type=int, default=2, help="unrelated questions a fact")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument(
        "--set",
        type=json.loads,
        default={},
        metavar="JSON",
        help="other options of the arms' first stage, such as '{\"learning_rate\": 3e-5}'; those are other runs",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--quiz", type=int, default=128, help="questions of general ability")
    parser.add_argument("--max-new-tokens", type=int, default=48)
    parser.add_argument("--batch-size", type=int, default=64, help="questions asked at once")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--runs", type=Path, help="a folder for checkpoints; runs/editing-STUDENT if left out")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    name = Path(given.student).name
    given.facts_name = Path(given.facts).stem
    given.out = given.out or Path(f"bench/results/editing_{name}.json")
    given.runs = (given.runs or Path(f"runs/editing-{name}")).absolute()
    return given


def main() -> None:
    given = arguments()
    command = f"OMP_NUM_THREADS=1 python bench/editing.py {given.student}"

    def held(_: Sequence[Run]) -> dict[str, Any]:
        return {"student": given.student}

    for seed in given.seeds:
        bench = Bench(given, seed)
        for arm in given.arms:
            made = ARMS[arm].with_options(given.set)
            wanted = key(given, arm, made, seed)
            if any(wanted.items() <= run.items() for run in known_runs(given.out, held)):
                continue
            run = edit(bench, arm, made)
            told = {
                "commit": commit(),
                "known": bench.known,
                "left_out": bench.task.left_out,
                "before": bench.base_report,
            }
            add_run(given.out, {**wanted, **told, **run}, held, {"command": command, **made_on(PACKAGES)}, order)
            print(json.dumps({arm: {name: _share(value) for name, value in run["after"].items()}}), flush=True)


def _share(value: Any) -> Any:
    return value["value"] if isinstance(value, dict) else value


if __name__ == "__main__":
    main()
