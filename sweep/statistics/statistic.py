"""The record in which a statistic of cells is declared, beside its estimator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from sweep.statistics.estimates import Estimate
    from sweep.statistics.runs import Runs

# How cells are compared by a statistic: on the same seeds, each way with a different test.
Comparison = Literal["rate", "median steps", "ratio", "median", "mean", "resampled"]


class Definition(NamedTuple):
    """What ``sweep explain`` and the manual say of a statistic.

    Attributes
    ----------
    name
        Its column. ``MEASURE`` stands for the name of a measure, ``Q`` for 25, 50 or 75.
    title
        Its name in the field.
    text
        One or two sentences.
    formula
        In terms of n runs of a cell, of which s converged; run i takes steps t_i, at most the limit L.
    interval
        How its interval is computed, and when it has one.
    reference
        Of the definition or of the interval.
    """

    name: str
    title: str
    text: str
    formula: str = ""
    interval: str = ""
    reference: str = ""


@dataclass(frozen=True)
class Statistic:
    """A statistic of cells.

    Attributes
    ----------
    name
        Its column in cells.parquet.
    label
        What it is called on axes, and in sentences.
    unit, meaning
        As in the files and the manual.
    definition
        What ``sweep explain`` says of it; several quantiles share one. None for counts of runs by status.
    estimate
        Estimates it for groups of runs; None for counts of runs by status.
    kind
        ``"count"`` of runs, ``"rate"``, ``"steps"``, ``"outputs"``, or ``"value"`` of a measure, of any size.
    integer
        Whether values are integers; missing ones are null.
    synonym
        A shorter name that users give.
    head
        Its head in tables, if it has a column there.
    shown_to
        The column of the upper end where tables show a range, as of quartiles.
    more_is_better
        Whether the best cell has the highest value.
    measure
        The measure of runs of which it is; empty for statistics of convergence.
    low, high
        Meaning of the ends of its 95 % interval; empty if it has none.
    error
        Meaning of its standard error, in a separate column; empty if it has none.
    band
        The columns between which figures draw a band, if not those of the interval, and what the band is.
    missing
        Why a cell has no value.
    compared
        How cells are compared by it; None if cells are not ranked by it.
    computed
        ``"always"``, as a column of each table of cells, or only where it is named: ``"from counts"`` of runs or
        ``"from rows"``. So a new statistic changes no stored file.
    """

    name: str
    label: str
    unit: str
    meaning: str
    definition: Definition | None = None
    estimate: Callable[[Runs], Estimate] | None = None
    kind: Literal["count", "rate", "steps", "outputs", "value"] = "steps"
    integer: bool = False
    synonym: str = ""
    head: str = ""
    shown_to: str = ""
    more_is_better: bool = False
    measure: str = ""
    low: str = ""
    high: str = ""
    error: str = ""
    band: tuple[str, str, str] | None = None
    missing: str = ""
    compared: Comparison | None = None
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
        return bool(self.low)

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns in cells.parquet: the value, the standard error, and the ends of the interval."""
        error = (f"{self.name}_error",) if self.error else ()
        return (self.name, *error, *(f"{self.name}{end}" for end in ("_low", "_high") if self.has_interval))
