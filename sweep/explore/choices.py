"""The options that can be axes of a map, with their default ranges, and those that the page lets users choose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from kernels import vocabulary
from sweep.errors import SweepError, shown
from sweep.explore.list_axis import option_facts
from sweep.explore.map_axis import MapAxis
from sweep.study.model import Study
from sweep.study.options.option_tables import names_of
from sweep.study.selection import in_order_of_axes
from sweep.system.plain_values import is_number

# Options without a declared setting that are numbers too.
_SCALES = ("scale", "output_scale", "bias_scale")
_MOST_WEIGHTS = 40  # that are offered one by one
_WEIGHT_RANGE = (-10.0, 10.0)
# From this ratio of the ends on, a range is logarithmic by default.
_LOG_RATIO = 30.0
_COMPONENTS = ("activation", "output", "loss", "optimizer", "schedule", "criterion", "distribution", "dtype", "bias")

Scale = Literal["linear", "log"]


@dataclass(frozen=True)
class AxisChoice:
    """An option that can be an axis, with its default range."""

    name: str
    label: str
    meaning: str
    unit: str
    low: float
    high: float
    scale: Scale
    integer: bool
    float32: bool  # whether networks round its values to float32

    def axis_from(self, query: Mapping[str, str], place: str) -> MapAxis:
        """Return the axis with the range that a request sets, or the default one. SweepError if it is not valid."""
        low = _number(f"{place}_low", query, self.low)
        high = _number(f"{place}_high", query, self.high)
        scale: Any = query.get(f"{place}_scale") or (self.scale if low > 0 or self.scale == "linear" else "linear")
        return MapAxis(self.name, low, high, scale, self.integer, self.float32)


def axis_choices(study: Study, fixed: Study) -> list[AxisChoice]:
    """Return the options that can be axes: first those that the study sweeps, in the order of a heat map.

    ``fixed`` is the study with one cell that the pixels have in common.
    """
    values = study.parameters
    swept = [name for name in in_order_of_axes(values) if all(map(is_number, values[name])) and fixed.uses(name)]
    known = vocabulary.SETTINGS.keys() - vocabulary.STOPPING_SETTINGS.keys()
    settings = [name for name in vocabulary.SETTINGS if name in known and _is_real(name) and fixed.uses(name)]
    is_drawn = fixed.values_of("values")[0] is None  # explicit weights have the shape of one network
    scales = [name for name in _SCALES if fixed.uses(name) and is_drawn]
    units = ["hidden"] if isinstance(fixed.values_of("hidden")[0], int) and is_drawn else []
    names = dict.fromkeys([*swept, *settings, *scales, *units, *_weights(fixed)])
    return [_choice(name, study, fixed) for name in names]


def _is_real(name: str) -> bool:
    return name != "divergence_threshold" and vocabulary.SETTINGS[name].multiple_of is None


def _choice(name: str, study: Study, fixed: Study) -> AxisChoice:
    # Without a value, the learning rate of the output layer is the other one.
    like = "learning_rate" if name == "output_learning_rate" and fixed.values_of(name)[0] is None else name
    values = study.parameters.get(like, ())
    low, high, scale = _default_range(like, values, fixed)
    integer = name == "hidden" or (bool(values) and all(isinstance(value, int) for value in values))
    if integer:
        low, high, scale = low - 0.5, high + 0.5, "linear"
    float32 = fixed.values_of("dtype")[0] == "float32" and name not in _SCALES  # initial weights are drawn in float64
    return AxisChoice(low=low, high=high, scale=scale, integer=integer, float32=float32, **option_facts(name, fixed))


def _default_range(name: str, values: tuple[Any, ...], fixed: Study) -> tuple[float, float, Scale]:
    """Return the ends of an axis and its scale: the range that the study sweeps, or one around its value."""
    if len(values) > 1 and all(map(is_number, values)):
        low, high = float(min(values)), float(max(values))
        return low, high, "log" if low > 0 and high >= _LOG_RATIO * low else "linear"
    if "[" in name:
        return *_WEIGHT_RANGE, "linear"
    if name == "hidden":
        return 1, max(16, 2 * fixed.values_of(name)[0]), "linear"
    setting = vocabulary.SETTINGS.get(name)
    value = fixed.values_of(name)[0]
    if setting is not None and setting.below is not None:
        return float(setting.at_least or setting.above or 0), 0.999 * setting.below, "linear"
    if not is_number(value) or not value > 0:
        value = 0.01
    return value / 100, value * 100, "log"


def _weights(fixed: Study) -> Iterator[str]:
    """Yield the names of single initial weights, if they are few."""
    shapes = fixed.all_shapes[0]
    if sum(map(prod, shapes.values())) > _MOST_WEIGHTS:
        return
    for array, shape in shapes.items():
        if len(shape) == 1:
            yield from (f"{array}[{i}]" for i in range(shape[0]))
        else:
            yield from (f"{array}[{i},{j}]" for i in range(shape[0]) for j in range(shape[1]))


def option_choices(study: Study, fixed: Study, axes: tuple[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the options that a page offers to choose: components, and what the study sweeps besides the axes."""
    swept = {name: values for name, values in study.parameters.items() if name not in axes and len(values) > 1}
    for name in dict.fromkeys([*swept, *_COMPONENTS]):
        if name in axes or name not in fixed.tables.options or not (name in swept or fixed.uses(name)):
            continue
        values = list(swept.get(name) or _allowed_values(name, fixed))
        current = fixed.values_of(name)[0]
        if len(values) > 1 and not isinstance(current, dict):
            if current not in values:
                values.insert(0, current)
            meaning = fixed.tables.options[name].meaning
            yield {
                "name": name,
                "label": name.replace("_", " "),
                "meaning": meaning,
                "values": values,
                "value": current,
            }


def _allowed_values(name: str, fixed: Study) -> list[Any]:
    """Return the values of an option that is a name, or true or false."""
    kind = fixed.tables.options[name].type
    return [False, True] if kind is bool else list(names_of(kind))


def _number(name: str, query: Mapping[str, str], default: float) -> float:
    text = query.get(name)
    if not text:
        return default
    try:
        return float(text)
    except ValueError:
        raise SweepError(f"{name}: must be a number, got {shown(text)}") from None
