"""The base class of the tables of a study file, and limits that several tables share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

MAX_SEED = 2**32 - 1


def field(default: Any, meaning: str, example: str, names: Sequence[str] = (), **options: Any) -> Any:
    """Return a field of a table: its meaning, an example as in a study file, and its names in other programs."""
    return Field(default, description=meaning, examples=[example], json_schema_extra={"names": list(names)}, **options)


FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]


class Section(BaseModel):
    """One table of the study file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)
