"""Dropout, switched off where two scores of the same text must differ by the weights alone."""

from __future__ import annotations

from typing import Any


def disable_dropout(model: Any) -> None:
    """Switch a model's dropout off: its layers of dropout, and what is a module's own number, as attention's mostly is.

    Args:
        model: A model of transformers, changed in place.
    """
    from torch.nn import Dropout

    for module in model.modules():
        if isinstance(module, Dropout):
            module.p = 0.0
        for name in [name for name, value in vars(module).items() if isinstance(value, float)]:
            if name.endswith("dropout"):
                setattr(module, name, 0.0)
