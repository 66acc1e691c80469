"""What a map shows at each pixel: a value of its only run, or a statistic of its seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sweep.columns import STATUSES
from sweep.explore.function_names import function_names
from sweep.measures import MEASURES
from sweep.results.pooled_cells import cells_with
from sweep.results.run_order import in_run_order
from sweep.statistics.of_cells import every
from sweep.statistics.statistic import Statistic
from sweep.system.formatting import plain_unit

if TYPE_CHECKING:
    from sweep.measures.measure import Measure
    from sweep.results.result import Result
    from sweep.study.model import Study

# Numbers by the name of their plane, in the order of cells
Planes = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class PixelValue:
    """What the pixels of a map show."""

    name: str
    label: str
    unit: str
    meaning: str
    seeds: Literal["one", "many"]  # whether a pixel is one run, or a cell with several seeds
    planes: Callable[[Result], Planes]
    # Measures that the study of a tile must record
    measures: tuple[str, ...] = ()
    scale: Literal["linear", "log", "signed_log", "category"] = "linear"
    low: float | None = None  # ends of the scale of colors, if they do not depend on what is in view
    high: float | None = None
    names: Mapping[int, str] | None = None  # of its values, where it is a category

    def as_choice(self) -> dict[str, object]:
        """Return what the page needs to know of it."""
        shown = {name: getattr(self, name) for name in ("name", "label", "meaning", "seeds", "scale")}
        named = [{"code": code, "label": label} for code, label in self.names.items()] if self.names else None
        return {**shown, "unit": plain_unit(self.unit), "low": self.low, "high": self.high, "categories": named}


def offered_values(study: Study) -> dict[str, PixelValue]:
    """Return the values that maps of a study can show with its number of seeds, the default first."""
    many = study.seeds.count > 1
    return {each.name: each for each in (_of_many(study) if many else _of_one(study))}


def _of_one(study: Study) -> Iterator[PixelValue]:
    status = PixelValue(
        "status", "status", "", "how the run ended", "one", lambda result: _columns(result), scale="category"
    )
    steps = PixelValue(
        "steps", "steps", "updates", "updates until the run ended", "one", _reader("steps"), low=0, scale="linear"
    )
    trainability = PixelValue(
        "trainability",
        "trainability",
        "",
        "losses divided by the initial loss: minus their sum if the mean of the last 20 is below 1, otherwise the sum "
        "of their inverses (Sohl-Dickstein 2024)",
        "one",
        _trainability,
        ("loss_sum", "inverse_loss_sum", "tail_loss"),
        "signed_log",
    )
    yield from (status, steps) if study.has_criterion else (trainability, status, steps)
    for name, measure in MEASURES.items():
        if _can_have(measure, study):
            recorded = (name,) if measure.is_recorded else ()
            scale: Literal["log", "linear", "category"] = "linear"
            names = None
            if name == "learned_function":
                scale, names = "category", function_names(study)
            elif not (measure.has_mean or measure.is_signed):
                scale = "log"
            value = PixelValue(
                name, measure.label, measure.unit, measure.meaning, "one", _reader(name), recorded, scale
            )
            yield replace(value, names=names)
    if study.has_criterion:
        yield trainability


def _of_many(study: Study) -> Iterator[PixelValue]:
    for statistic in every().values():
        measure = MEASURES.get(statistic.measure)
        if statistic.kind == "count" or statistic.computed == "from rows":
            continue
        if measure is None and not (statistic.measure or study.has_criterion):
            continue
        if statistic.measure and (measure is None or not _can_have(measure, study)):
            continue
        yield value_of_statistic(statistic, (statistic.measure,) if measure and measure.is_recorded else ())


def value_of_statistic(statistic: Statistic, recorded: tuple[str, ...] = ()) -> PixelValue:
    """Return a statistic of cells as the value of pixels."""
    share = statistic.percent
    return PixelValue(
        statistic.name,
        statistic.label,
        statistic.unit,
        statistic.meaning,
        "many",
        _statistic_reader(statistic),
        recorded,
        "log" if statistic.kind == "value" else "linear",
        0.0 if share else None,
        1.0 if share else None,
    )


def _can_have(measure: Measure, study: Study) -> bool:
    """Return whether the runs of a study have a measure, or would if it was recorded."""
    if measure.is_at_best or measure.lacking(study) or (measure.fault and measure.fault(study)):
        return False
    return measure.is_recorded or measure.is_in(study)


def _reader(column: str) -> Callable[[Result], Planes]:
    return lambda result: _columns(result, column)


def _columns(result: Result, *columns: str) -> Planes:
    """Return columns of rows, the first one as ``value``, and the status."""
    read = [*columns, "status"]
    table = pa.concat_tables(in_run_order(result.stored, read))
    codes = pc.index_in(table["status"], pa.array(STATUSES)).to_numpy().astype(np.float64)
    planes = {name: table[name].to_numpy().astype(np.float64) for name in columns}
    value = planes.pop(columns[0]) if columns else codes
    return {"value": value, "status": codes, **planes}


def _trainability(result: Result) -> Planes:
    planes = _columns(result, "tail_loss", "initial_loss", "loss_sum", "inverse_loss_sum")
    tail, initial = planes["value"], planes.pop("initial_loss")
    total, inverse = planes.pop("loss_sum"), planes.pop("inverse_loss_sum")
    with np.errstate(all="ignore"):
        planes["value"] = np.where(tail < initial, -(total / initial), inverse * initial)
    return planes


def _statistic_reader(statistic: Statistic) -> Callable[[Result], Planes]:
    def read(result: Result) -> Planes:
        cells = cells_with(result, statistic.name).sort_values("cell")
        names = {"value": statistic.name}
        if statistic.has_interval:
            names |= {"low": f"{statistic.name}_low", "high": f"{statistic.name}_high"}
        names["n_runs"] = "n_runs"
        return {plane: cells[name].to_numpy(np.float64, na_value=np.nan) for plane, name in names.items()}

    return read
