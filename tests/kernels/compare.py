"""Training with kernels and with the oracle, and the comparison of every reported number."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from kernels.loop.run_arrays import Outcome
from kernels.recipe import Hidden
from tests import oracle
from tests.accuracy import survey
from tests.kernels.runs import Runs
from tests.kernels.specs import RECIPE_FIELDS, TUNINGS, Spec
from tests.kernels.support import DTYPES, Array, assert_equal, pad, sized
from tests.oracle.options import Options, make_network

Columns: TypeAlias = Any  # the named tuple of outcomes

# The project's functions under the oracle's names. The oracle calls expm1 only below 0.
BUILT_IN = {name: name for name in ("exp", "log", "tanh", "sigmoid", "softplus", "sin", "cos", "normal_cdf")}
BUILT_IN |= {"expm1": "elu", "normal_pdf": "normal_density"}


def _functions(dtype: str) -> dict[str, Any]:
    functions: dict[str, Any] = {theirs: partial(survey.apply, ours, dtype) for theirs, ours in BUILT_IN.items()}
    functions["cos of float64"] = partial(survey.apply, "cos", "float64")
    return functions | {"log1p_exp_negative": lambda x: survey.apply("softplus", dtype, -x)}


FUNCTIONS: dict[str, oracle.Functions] = {dtype: _functions(dtype) for dtype in DTYPES}


def seeds_of(spec: Spec, runs: Runs) -> Array | None:
    """Return the seeds where runs need them."""
    return runs.seeds if spec.is_shuffled else None


def hidden_of(spec: Spec, runs: Runs) -> Hidden | None:
    """Return the units of several hidden layers, which do not follow from the weights."""
    return spec.sizes(runs.weights.shape[1]) if spec.below else None


def train_kernel(spec: Spec, runs: Runs, width: int | None = None) -> Outcome:
    """Train with the kernels, keeping weights and losses."""
    width = width or sized(None, max(len(runs), 1))
    asked = {"seeds": seeds_of(spec, runs), "final_weights": True, "losses": True, "hidden": hidden_of(spec, runs)}
    return spec.trainer(width).train(runs.settings, runs.weights, **asked)


def train_bare(spec: Spec, runs: Runs, width: int | None = None) -> Columns:
    """Train with the kernels, keeping neither weights nor losses, so that they pause less often."""
    packets = TUNINGS[spec.tuning].packets
    width = width or sized(None, -(-len(runs) // packets) or 1)  # so that packets take turns
    asked = {"seeds": seeds_of(spec, runs), "hidden": hidden_of(spec, runs)}
    return spec.trainer(width).train(runs.settings, runs.weights, **asked).columns


def _given(spec: Spec, runs: Runs) -> dict[str, Any]:
    """Return the options of runs in the oracle's terms."""
    shared = {name: getattr(spec, name) for name in (*RECIPE_FIELDS, "validate_every")} | {"batch": spec.step_patterns}
    settings = {name: runs.settings[name] for name in runs.settings.dtype.names}
    return shared | settings | {"hidden": spec.sizes(runs.weights.shape[1]), "seed": runs.seeds}


def train_oracle(spec: Spec, runs: Runs, functions: oracle.Functions | None = None) -> oracle.Result:
    """Train with the oracle, keeping losses; runs with the same set of patterns together."""
    asked = {"functions": functions or FUNCTIONS[spec.dtype], "record": True}
    asked["loss_thresholds"] = sorted(spec.targets, reverse=True)
    places = _places(spec, runs)
    held_out = spec.held_out_sets or [None] * len(places)
    results = [
        oracle.train(*patterns, runs[place].weights, held_out=held, **asked, **_given(spec, runs[place]))
        for patterns, held, place in zip(spec.pattern_sets, held_out, places, strict=True)
        if place.size
    ]
    return results[0] if len(results) == 1 else _joined(results, np.concatenate(places))


def _places(spec: Spec, runs: Runs) -> list[Array]:
    """Return the indices of the runs with each set of patterns."""
    if spec.sets == "one":
        return [np.arange(len(runs))]
    return [np.flatnonzero(runs.settings["patterns"] == number) for number in range(len(spec.pattern_sets))]


def _joined(results: list[oracle.Result], places: Array) -> oracle.Result:
    """Join results of runs at some places into one result of all runs in order."""
    columns = {field.name: [getattr(result, field.name) for result in results] for field in fields(oracle.Result)}
    most = max(losses.shape[1] for losses in columns["losses"])
    columns["losses"] = [pad(losses, most) for losses in columns["losses"]]
    order = np.argsort(places)
    return oracle.Result(**{name: np.concatenate(parts)[order] for name, parts in columns.items()})


@np.errstate(all="ignore")
def predict(spec: Spec, runs: Runs, weights: Array) -> Array:
    """Compute the outputs (R, N * O) of runs with other weights (R, P) by the oracle's forward pass."""
    found = None
    for patterns, place in zip(spec.pattern_sets, _places(spec, runs), strict=True):
        net = make_network(*patterns, Options(**_given(spec, runs[place])), FUNCTIONS[spec.dtype])
        outputs = oracle.forward(net, weights[place].T).y
        rows = np.stack([y for pattern in outputs for y in pattern], axis=1)
        found = np.empty((len(runs), rows.shape[1]), rows.dtype) if found is None else found
        found[place] = rows
    assert found is not None
    return found


def statuses(columns: Columns) -> Array:
    """Return the names of the statuses."""
    return np.array(oracle.STATUSES)[columns.status]


def pick(columns: Columns, runs: slice | list[int]) -> Columns:
    """Return the outcomes of some runs."""
    return type(columns)(*(column[runs] for column in columns))


def assert_same_columns(given: Columns, expected: Columns, what: str) -> None:
    """Require equal outcomes."""
    for name, column in expected._asdict().items():
        assert_equal(getattr(given, name), column, f"{what}: {name}")


def assert_same_outcome(given: Outcome, expected: Outcome, what: str) -> None:
    """Require equal outcomes of two trainings of the same runs; traces may differ in padding."""
    assert_same_columns(given.columns, expected.columns, what)
    assert_equal(given.final_weights, expected.final_weights, f"{what}: final weights")
    assert_equal(given.predictions, expected.predictions, f"{what}: predictions")
    assert_equal(given.best_weights, expected.best_weights, f"{what}: best weights")
    most = max(given.losses.shape[1], expected.losses.shape[1])
    assert_equal(pad(given.losses, most), pad(expected.losses, most), f"{what}: losses")


def assert_reported_as_oracle(spec: Spec, runs: Runs) -> tuple[Outcome, oracle.Result]:
    """Train with kernels and oracle, require every reported number to be equal, and return both outcomes."""
    given, expected = train_kernel(spec, runs), train_oracle(spec, runs)
    assert expected.losses is not None
    what = f"{spec}, {runs.weights.shape[1]} parameters"
    assert_equal(statuses(given.columns), expected.status, f"{what}: status")
    for name in ("steps", "initial_loss", "final_loss", "n_correct", "max_error", "threshold_steps"):
        assert_equal(getattr(given.columns, name), getattr(expected, name), f"{what}: {name}")
    if spec.counts_right:
        assert_equal(given.columns.n_right[:, 0], expected.n_right.astype(np.int32), f"{what}: n_right")
    if spec.keeps_best:
        assert expected.best_steps is not None
        assert_equal(given.columns.best_steps[:, 0], expected.best_steps.astype(np.int32), f"{what}: best_steps")
        assert_equal(given.columns.best_held_out[:, 0], expected.best_held_out, f"{what}: best_held_out")
        assert_equal(given.best_weights, expected.best_weights, f"{what}: best_weights")
    assert_equal(given.columns.loss_sums, expected.loss_sums(spec.loss_sums), f"{what}: sums of losses")
    assert_equal(given.final_weights, expected.weights, f"{what}: final weights")
    assert_equal(given.predictions, predict(spec, runs, expected.weights), f"{what}: predictions")
    evaluations = -(-int(runs.settings["max_steps"].max(initial=0)) // spec.n_windows) + 1
    assert_equal(given.losses, pad(expected.losses, evaluations), f"{what}: losses")
    return given, expected


def assert_bare_as_reported(spec: Spec, runs: Runs, reported: Outcome | None = None) -> None:
    """Require the same rows where neither weights nor losses are kept."""
    expected = reported or train_kernel(spec, runs)
    assert_same_columns(train_bare(spec, runs), expected.columns, f"{spec}, without losses")


def assert_as_oracle(spec: Spec, runs: Runs) -> oracle.Result:
    """Train with kernels and oracle, require every number to be equal, also without losses; return the oracle's."""
    given, expected = assert_reported_as_oracle(spec, runs)
    assert_bare_as_reported(spec, runs, given)
    return expected
