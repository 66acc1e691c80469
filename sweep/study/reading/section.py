"""The base class of the tables of a study file, and limits that several tables share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MAX_SEED = 2**32 - 1

FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]


class Section(BaseModel):
    """One table of the study file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)
