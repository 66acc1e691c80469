"""The tables of a study file that hold no options of cells: [seeds], [restarts] and [record]."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from functools import partial
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from kernels.vocabulary import LOSS_SUMS
from sweep.errors import shown, unknown
from sweep.measures import RECORDED
from sweep.study.reading.section import MAX_SEED, Section, field
from sweep.study.reading.value_forms import expand
from sweep.system.plain_values import is_integer

MAX_THRESHOLDS = 16
# Most points of a learning curve, and the largest step.
MAX_POINTS = 1000
MAX_CURVE_STEP = 2**31 - 1


class Until(Section):
    """Adaptive seeds: cells get no more seeds once their rates are known (``width``), or cannot be the best (``best``).

    Cells are trained in rounds. The first round has ``first`` seeds; each later one at most doubles the seeds so far.
    """

    width: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="a cell gets no more seeds once the 95 % interval of its convergence rate is narrower"
    )
    best: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None, description="a statistic: a cell gets no more seeds once it cannot be the best by it (racing)"
    )
    confidence: Annotated[float, Field(ge=0.5, lt=1)] | None = Field(
        None, description="with best: the probability that the best cell remains; 0.95 by default"
    )
    margin: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None, description="with best: the race ends once no cell can be better than the leader by more than this"
    )
    compare: Literal["means", "wins"] | None = Field(
        None,
        description="with best: cells are compared by means, or by how often one wins on the same seed; by default "
        "means of rates, shares and counts, and wins of other measures",
    )
    first: Annotated[int, Field(ge=1, le=MAX_SEED + 1)] = Field(
        100, description="seeds of the first round; with best 20 by default"
    )

    @model_validator(mode="before")
    @classmethod
    def _set_defaults(cls, value: Any) -> Any:
        """Set the defaults that only ``best`` has."""
        return {"first": 20, "confidence": 0.95, **value} if isinstance(value, Mapping) and "best" in value else value

    @model_validator(mode="after")
    def _check_rule(self) -> Until:
        if (self.width is None) == (self.best is None):
            raise ValueError(f"must have either width or best, got {'neither' if self.best is None else 'both'}")
        for name in ("confidence", "margin", "compare"):
            if self.best is None and getattr(self, name) is not None:
                raise ValueError(f"{name} has no effect without best; remove it")
        return self


class Seeds(Section):
    """The seeds of every cell, one run each; with ``until`` at most ``count``."""

    base: Annotated[int, Field(ge=0, le=MAX_SEED)] = field(
        0, "first seed", "1000", names=("seed", "first_seed", "random_state", "random_seed")
    )
    count: Annotated[int, Field(ge=1, le=MAX_SEED + 1)] = field(
        1000,
        "number of consecutive seeds of each cell",
        "200",
        names=("seeds", "n_seeds", "num_seeds", "replicates", "repetitions", "runs", "trials"),
    )
    until: Annotated[Until | None, '{ width = 0.02 } or { best = "rate" }'] = field(
        None,
        "when a cell gets no more seeds: once the interval of its rate is narrow, or once it cannot be the "
        "best (racing)",
        "{ width = 0.02 }",
        names=("racing", "race", "pruner", "successive_halving", "hyperband", "early_terminate"),
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
            last = self.base + self.count - 1
            raise ValueError(f"the last seed (base + count - 1) must be at most {MAX_SEED}, got {last}")
        return self


# How an attempt may end so that a run restarts.
FAILURES = ("diverged", "stalled", "plateau")


def _read_names(what: str, allowed: Collection[str], value: Any) -> tuple[str, ...]:
    """Return different names in the order of the allowed ones."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or len(set(map(str, names))) < len(names):
        raise ValueError(f"must be a list of different names out of {', '.join(allowed)}, got {shown(value)}")
    for name in names:
        if not isinstance(name, str) or name not in allowed:
            raise ValueError(unknown(what, name, allowed))
    return tuple(name for name in allowed if name in names)


def _schema_of_names(allowed: Collection[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "array", "items": {"enum": list(allowed)}, "uniqueItems": True})


class Restarts(Section):
    """Restarts of a failed run with other initial weights, until an attempt converges."""

    max_restarts: Annotated[int, Field(ge=0, le=10_000)] = field(
        0, "most restarts of a run", "20", names=("restart", "n_restarts")
    )
    after_steps: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = field(
        None, "updates after which an attempt ends and the next one starts, while restarts are left", "500"
    )
    on: Annotated[
        tuple[str, ...],
        BeforeValidator(partial(_read_names, "status", FAILURES)),
        _schema_of_names(FAILURES),
        f"a list of {', '.join(FAILURES)}",
    ] = field(FAILURES, "statuses of an attempt after which the next one starts", '["diverged", "plateau"]')
    draw: Literal["next", "spawned"] = field(
        "next",
        "initial weights of the next attempt: the next numbers of the seed's generator, or spawned seeds",
        '"spawned"',
    )


def _read_thresholds(value: Any) -> Any:
    """Return loss thresholds as distinct positive floats, the largest first; the default is an empty tuple."""
    if value == ():
        return value
    numbers = expand(value, integer=False)
    if len(numbers) > MAX_THRESHOLDS:
        raise ValueError(f"must be at most {MAX_THRESHOLDS} thresholds, got {len(numbers)}")
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 < number <= sys.float_info.max:
            raise ValueError(f"each threshold must be a finite number above 0, got {shown(number)}")
    thresholds = sorted(map(float, numbers), reverse=True)
    for threshold, following in pairwise(thresholds):
        if threshold == following:
            raise ValueError(f"thresholds must differ, got {threshold!r} twice")
    return tuple(thresholds)


def _read_steps(value: Any) -> Any:
    """Return the steps of curves as ascending integers; spaced ones are rounded and equal ones merged."""
    if value is None:
        return value
    is_spaced = isinstance(value, Mapping) and not {"value", "values"} & value.keys()
    numbers = expand(value, integer=False)
    for number in numbers:
        is_number = is_integer(number) or (is_spaced and isinstance(number, float))
        if not is_number or isinstance(number, str) or not 0 <= number <= MAX_CURVE_STEP:
            raise ValueError(f"each step must be an integer from 0 to {MAX_CURVE_STEP}, got {shown(number)}")
    steps = sorted(map(round, map(float, numbers)))
    if is_spaced:
        steps = list(dict.fromkeys(steps))
    for step, following in pairwise(steps):
        if step == following:
            raise ValueError(f"steps must differ, got {step} twice")
    if len(steps) > MAX_POINTS:
        raise ValueError(f"must be at most {MAX_POINTS:,} steps, got {len(steps):,}")
    return tuple(steps)


class Curves(Section):
    """Learning curves of the first seeds of each cell."""

    seeds: Annotated[int, Field(ge=1, le=MAX_SEED + 1, description="number of seeds of each cell, from the first one")]
    steps: Annotated[tuple[int, ...] | None, BeforeValidator(_read_steps)] = Field(
        None, description="steps at which a curve has a point; by default 0, 1, 2, 5, 10, 20, 50, .."
    )


# The columns of weights that a study records.
WEIGHTS: dict[str, tuple[str, ...]] = {
    "none": (),
    "initial": ("initial_weights",),
    "final": ("final_weights",),
    "both": ("initial_weights", "final_weights"),
    "best": ("best_weights",),
    "all": ("initial_weights", "final_weights", "best_weights"),
}


class Record(Section):
    """What is recorded of every run in addition to how it ends."""

    loss_thresholds: Annotated[
        tuple[float, ...], BeforeValidator(_read_thresholds), "1 to 16 distinct numbers above 0"
    ] = field((), "values of the loss: for each, the first step with a loss below it is recorded", "[1.0, 0.1, 0.01]")
    weights: Literal["none", "initial", "final", "both", "best", "all"] = field(
        "none",
        "which weights of every run are recorded, diverged runs included; both: initial and final, "
        "best: at the best validation, all: all three",
        '"final"',
    )
    measures: Annotated[
        tuple[str, ...],
        BeforeValidator(partial(_read_names, "measure", RECORDED)),
        _schema_of_names(RECORDED),
        f"a list of {', '.join(RECORDED)}",
    ] = field((), "measures of trained networks to record, one column each", '["margin", "sharpness"]')
    curves: Annotated[Curves | None, "{ seeds = 20, steps = { geomspace = [1, 1000, 13] } }"] = field(
        None,
        "learning curves of the first seeds of each cell: loss and correct outputs at certain steps",
        "{ seeds = 20, steps = { geomspace = [1, 1000, 13] } }",
    )

    @property
    def loss_sums(self) -> tuple[str, ...]:
        """The measures that are sums of the losses of a run."""
        return tuple(name for name in self.measures if name in LOSS_SUMS)

    @property
    def of_networks(self) -> tuple[str, ...]:
        """The columns that need the trained network itself."""
        return (*self.measures, *self.columns_of_weights)

    @property
    def columns_of_weights(self) -> tuple[str, ...]:
        """The columns that hold recorded weights."""
        return WEIGHTS[self.weights]
