"""What every record has: it is immutable, and closed to unknown fields."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION = 1

Unit = Annotated[float, Field(ge=0.0, le=1.0)]
Share = Annotated[float, Field(gt=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0.0)]
NotNegative = Annotated[float, Field(ge=0.0)]


class Record(BaseModel):
    """Base of the whole vocabulary: immutable, and closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
