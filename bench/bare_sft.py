"""Fine-tune a model with TRL and nothing else: what `overhead.py` compares the `sft` stage with.

    python bench/bare_sft.py JOB.json

The job names `base`, `out`, `rows` (prompt and completion as messages), `arguments` of TRL's SFTConfig and `lora`
(arguments of LoraConfig, or null). Leaves the trained weights in `out`, with the loss of each step in `losses.json`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer


def main(file: Path) -> None:
    """Train as a job says."""
    job = json.loads(file.read_text())
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(job["base"], dtype=torch.float32),
        args=SFTConfig(output_dir=job["out"], **job["arguments"]),
        train_dataset=Dataset.from_list(job["rows"]),
        processing_class=AutoTokenizer.from_pretrained(job["base"]),
        peft_config=LoraConfig(**job["lora"]) if job["lora"] else None,
    )
    trainer.train()
    trainer.save_model(job["out"])
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    (Path(job["out"]) / "losses.json").write_text(json.dumps({"losses": losses}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
