"""The tables of a study file that hold no options of cells: seeds, and what is recorded."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from kernels.vocabulary import LOSS_SUMS
from sweep.errors import shown, unknown
from sweep.study.network_measures import NETWORK_MEASURES
from sweep.study.parameters import expand
from sweep.system.plain_values import is_integer

MAX_SEED = 2**32 - 1
MAX_THRESHOLDS = 16
# Most points of a learning curve, and the largest step.
MAX_POINTS, MAX_CURVE_STEP = 1000, 2**31 - 1

FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]


class Section(BaseModel):
    """One table of the study file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


class Until(Section):
    """Adaptive seeds: a cell gets no more once the 95 % interval of its convergence rate is narrower than ``width``.

    Cells are trained in rounds: ``first`` seeds, then up to twice as many in all, and so on.
    """

    width: Annotated[float, Field(gt=0, lt=1, description="width of the interval below which a cell ends")]
    first: Annotated[int, Field(ge=1, le=MAX_SEED + 1)] = Field(100, description="seeds of the first round")


class Seeds(Section):
    """The seeds of every cell, one run each; at most ``count`` where ``until`` is given."""

    base: Annotated[int, Field(ge=0, le=MAX_SEED)] = Field(0, description="first seed")
    count: Annotated[int, Field(ge=1, le=MAX_SEED + 1)] = Field(
        1000, description="seeds of each cell, one after another"
    )
    until: Annotated[Until | None, "{ width = 0.02 }"] = Field(
        None, description="width of the interval of a cell's rate below which it gets no more seeds"
    )

    @property
    def rounds(self) -> list[int]:
        """Seeds of a cell in each round."""
        if self.until is None:
            return [self.count]
        totals = [min(self.until.first, self.count)]
        while totals[-1] < self.count:
            totals.append(min(2 * totals[-1], self.count))
        return [after - before for before, after in zip([0, *totals], totals, strict=False)]

    @model_validator(mode="after")
    def _check_last(self) -> Seeds:
        if self.base + self.count - 1 > MAX_SEED:
            raise ValueError(f"seeds {self.base} to {self.base + self.count - 1} given; the last allowed is {MAX_SEED}")
        return self


# How an attempt may end so that a run restarts.
FAILURES = ("diverged", "stalled", "plateau")


def _read_failures(given: Any) -> Any:
    """Return statuses in the order of their codes, each once."""
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, (list, tuple)) or len(set(map(str, names))) < len(names):
        raise ValueError(f"{shown(given)} given; must be a list of different options of {', '.join(FAILURES)}")
    for name in names:
        if not isinstance(name, str) or name not in FAILURES:
            raise ValueError(unknown("end", name, FAILURES))
    return tuple(name for name in FAILURES if name in names)


class Restarts(Section):
    """Whether a run that fails restarts, with other initial weights: attempts until one converges."""

    max_restarts: Annotated[int, Field(ge=0, le=10_000)] = Field(0, description="restarts of a run at most")
    after_steps: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        None, description="updates after which an attempt ends and the next begins, as long as there are restarts left"
    )
    on: Annotated[
        tuple[str, ...],
        BeforeValidator(_read_failures),
        WithJsonSchema({"type": "array", "items": {"enum": list(FAILURES)}, "uniqueItems": True}),
        f"a list of {', '.join(FAILURES)}",
    ] = Field(FAILURES, description="ends of an attempt after which the next begins")
    draw: Literal["next", "spawned"] = Field(
        "next",
        description="initial weights of the next attempt: the next numbers of the seed's stream, or spawned seeds",
    )


def _read_targets(given: Any) -> Any:
    """Return targets of the loss as distinct positive floats, the largest first; the default is an empty tuple."""
    if given == ():
        return given
    values = expand(given, integer=False)
    if len(values) > MAX_THRESHOLDS:
        raise ValueError(f"{len(values)} targets given; at most {MAX_THRESHOLDS} are allowed")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= sys.float_info.max:
            raise ValueError(f"{shown(value)} given; a target must be a finite number above 0")
    targets = sorted(map(float, values), reverse=True)
    for value, following in pairwise(targets):
        if value == following:
            raise ValueError(f"target {value!r} given twice; targets must differ")
    return tuple(targets)


def _read_measures(given: Any) -> Any:
    """Return names of measures in the order in which their columns stand."""
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, (list, tuple)) or len(set(map(str, names))) < len(names):
        raise ValueError(f"{shown(given)} given; must be a list of different names of {', '.join(NETWORK_MEASURES)}")
    for name in names:
        if not isinstance(name, str) or name not in NETWORK_MEASURES:
            raise ValueError(unknown("measure", name, NETWORK_MEASURES))
    return tuple(name for name in NETWORK_MEASURES if name in names)


def _read_steps(given: Any) -> Any:
    """Return the steps of curves as ascending whole numbers; spaced ones are rounded, and each is taken once."""
    if given is None:
        return given
    is_spaced = isinstance(given, Mapping) and not {"value", "values"} & given.keys()
    values = expand(given, integer=False)
    for value in values:
        is_number = is_integer(value) or (is_spaced and isinstance(value, float))
        if not is_number or isinstance(value, str) or not 0 <= value <= MAX_CURVE_STEP:
            raise ValueError(f"step {shown(value)} given; must be a whole number from 0 to {MAX_CURVE_STEP}")
    steps = sorted(map(round, map(float, values)))
    if is_spaced:
        steps = list(dict.fromkeys(steps))
    for step, following in pairwise(steps):
        if step == following:
            raise ValueError(f"step {step} given twice; steps must differ")
    if len(steps) > MAX_POINTS:
        raise ValueError(f"{len(steps):,} steps given; a curve has at most {MAX_POINTS:,}")
    return tuple(steps)


class Curves(Section):
    """Learning curves of the first seeds of each cell."""

    seeds: Annotated[int, Field(ge=1, le=MAX_SEED + 1, description="seeds of each cell, from the first one")]
    steps: Annotated[tuple[int, ...] | None, BeforeValidator(_read_steps)] = Field(
        None, description="steps with a point; by default 0, 1, 2, 5, 10, 20, 50, .."
    )


class Record(Section):
    """What is recorded of every run beside how it ends."""

    loss_thresholds: Annotated[
        tuple[float, ...], BeforeValidator(_read_targets), "1 to 16 distinct numbers above 0"
    ] = Field((), description="values of the loss; the step at which it is first below each is recorded")
    weights: Literal["none", "initial", "final", "both"] = Field(
        "none", description="weights of every run that are recorded, with those of diverged runs"
    )

    measures: Annotated[
        tuple[str, ...],
        BeforeValidator(_read_measures),
        WithJsonSchema({"type": "array", "items": {"enum": list(NETWORK_MEASURES)}, "uniqueItems": True}),
        f"a list of {', '.join(NETWORK_MEASURES)}",
    ] = Field((), description="measures of trained networks that are recorded, a column for each")

    curves: Annotated[Curves | None, "{ seeds = 20, steps = { geomspace = [1, 1000, 13] } }"] = Field(
        None, description="learning curves of the first seeds of each cell: loss and correct outputs at some steps"
    )

    @property
    def loss_sums(self) -> tuple[str, ...]:
        """The measures that are sums of the losses of a run."""
        return tuple(name for name in self.measures if name in LOSS_SUMS)

    @property
    def of_networks(self) -> tuple[str, ...]:
        """The columns for which trained networks are needed, and not only what became of them."""
        return (*self.measures, *self.columns_of_weights)

    @property
    def columns_of_weights(self) -> tuple[str, ...]:
        """The columns that hold recorded weights."""
        both = ("initial_weights", "final_weights")
        return {"none": (), "initial": both[:1], "final": both[1:], "both": both}[self.weights]
