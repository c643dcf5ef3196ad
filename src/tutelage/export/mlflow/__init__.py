"""A run in MLflow: its configuration as parameters, its cycles as metrics, its files, and its lessons as traces."""

from .mirror import Exported, export_mlflow
from .store import how_to_look, require_store

__all__ = ["Exported", "export_mlflow", "how_to_look", "require_store"]
