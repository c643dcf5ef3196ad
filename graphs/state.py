"""The state of the cycle graph: ids, counts, paths and scores; never texts or tensors."""

from __future__ import annotations

from typing_extensions import TypedDict  # pydantic, which LangGraph's server asks for a schema, knows no other


class CycleState(TypedDict, total=False):
    """What LangGraph checkpoints after every node. Plain JSON values only, so that any checkpointer reads it back."""

    schema: int
    cycle: int
    """The cycle under way; 0 is the base student's exam."""
    student: str
    """The last accepted checkpoint: `base`, or a path below the run directory."""
    candidate: str | None
    """The checkpoint that `consolidate` has just made; None if there was nothing to train on."""
    candidate_note: str
    """Why there is no candidate."""
    best: str
    """The accepted checkpoint with the highest accuracy on the gate split."""
    best_cycle: int
    best_gate: float
    since_best: int
    """Cycles since the best checkpoint was made."""
    stop_reason: str | None
    """Why the loop ends; None while it goes on."""
