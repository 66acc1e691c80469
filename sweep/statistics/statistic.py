"""The record in which a statistic of cells is declared, beside its estimator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from sweep.statistics.estimates import Estimate as Estimate
    from sweep.statistics.runs import Runs as Runs
else:
    Estimate = Runs = Any  # commands that estimate nothing do not import NumPy

# How cells are compared by a statistic: on the same seeds, each way with a different test.
Comparison = Literal["rate", "median steps", "ratio", "median", "mean", "resampled"]


class Definition(NamedTuple):
    """What ``sweep explain`` and the manual say of a statistic."""

    # Its column. ``MEASURE`` stands for the name of a measure, ``Q`` for 25, 50 or 75.
    name: str
    title: str  # its name in the field
    text: str  # one or two sentences
    formula: str = ""  # in terms of n runs of a cell, of which s converged; run i takes steps t_i, at most the limit L
    interval: str = ""  # how its interval is computed, and when it has one
    reference: str = ""  # of the definition or of the interval


@dataclass(frozen=True)
class Statistic:
    """A statistic of cells."""

    name: str  # its column in cells.parquet
    label: str  # what it is called on axes, and in sentences
    # As in the files and the manual
    unit: str
    meaning: str
    # What ``sweep explain`` says of it; several quantiles share one. None for counts of runs by status.
    definition: Definition | None = None
    # Estimates it for groups of runs; None for counts of runs by status
    estimate: Callable[[Runs], Estimate] | None = None
    # ``"count"`` of runs, ``"rate"``, ``"steps"``, ``"outputs"``, or ``"value"`` of a measure, of any size
    kind: Literal["count", "rate", "steps", "outputs", "value"] = "steps"
    integer: bool = False  # whether values are integers; missing ones are null
    synonym: str = ""  # a shorter name that users give
    head: str = ""  # its head in tables, if it has a column there
    shown_to: str = ""  # the column of the upper end where tables show a range, as of quartiles
    more_is_better: bool = False  # whether the best cell has the highest value
    measure: str = ""  # the measure of runs of which it is; empty for statistics of convergence
    interval: str = "95 % interval"  # what its interval is; empty if it has none
    ends: tuple[str, str] = ("", "")  # what the meanings of its lower and upper end add, as "; null if never"
    error: str = ""  # meaning of its standard error, in a separate column; empty if it has none
    # The columns between which figures draw a band, if not those of the interval, and what the band is
    band: tuple[str, str, str] | None = None
    missing: str = ""  # why a cell has no value
    compared: Comparison | None = None  # how cells are compared by it; None if cells are not ranked by it
    # ``"always"``, as a column of each table of cells, or only where it is named: ``"from counts"`` of runs or
    # ``"from rows"``. So a new statistic changes no stored file.
    computed: Literal["always", "from counts", "from rows"] = "always"

    @property
    def drawn_band(self) -> tuple[str, str] | None:
        """The columns between which figures draw a band."""
        if self.band:
            return self.band[:2]
        return (f"{self.name}_low", f"{self.name}_high") if self.has_interval else None

    @property
    def band_meaning(self) -> str:
        """What the band of figures is."""
        return self.band[2] if self.band else "95 % intervals" if self.has_interval else ""

    @property
    def percent(self) -> bool:
        """Whether it is a share, shown in percent."""
        return self.kind == "rate"

    @property
    def needs_criterion(self) -> bool:
        """Whether it is one of convergence, which studies without a criterion do not have."""
        return not self.measure and self.computed != "from rows"

    @property
    def has_interval(self) -> bool:
        """Whether it has an interval."""
        return bool(self.interval and self.estimate)

    @property
    def meanings(self) -> dict[str, str]:
        """The meanings of its columns in cells.parquet: the value, the standard error, and the ends of the interval."""
        found = {self.name: self.meaning, f"{self.name}_error": self.error}
        if self.has_interval:
            found[f"{self.name}_low"] = f"lower end of its {self.interval}{self.ends[0]}"
            found[f"{self.name}_high"] = f"upper end of its {self.interval}{self.ends[1]}"
        return {column: meaning for column, meaning in found.items() if meaning}

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns in cells.parquet."""
        return tuple(self.meanings)
