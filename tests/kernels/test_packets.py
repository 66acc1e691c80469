"""A run's outcome depends only on the run: not on lanes, order, neighbors or optional results."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.loop.run_arrays import Outcome
from kernels.numba import jit
from kernels.train import Trainer
from tests.kernels.compare import (
    assert_same_columns,
    assert_same_outcome,
    pick,
    seeds_of,
    statuses,
    train_bare,
    train_kernel,
)
from tests.kernels.runs import Kinds, Runs, draw_runs, draw_weights, make_runs
from tests.kernels.specs import Spec
from tests.kernels.support import Array, assert_equal, in_soak_if_compiled, of_width, pad, sized, some_compiled

# Each run must have its own states of optimizers and order of patterns, too.
SPECS = {
    "gd": Spec("relu"),
    "adam": Spec("tanh", optimizer="adam", batch=3, order="shuffled", skip=True),
    "rprop": Spec("sigmoid", optimizer="rprop", dtype="float32"),
    "held out": Spec("tanh", optimizer="adam", monitor="held_out_loss", keeps_best=True, held_out=5, validate_every=2),
}
SPECS = {name: replace(spec, used=("gain",)) for name, spec in SPECS.items()}
RUNS = sized(61, 13)
WIDTHS = sized((1, 8), (1, 3, 8, 50))
HIDDEN = 3


@cache
def _runs(name: str = "gd") -> Runs:
    most_steps = sized(200, 20) if name == "gd" else sized(60, 12)
    kinds = Kinds(output_rate="own", divergence_threshold="own", from_step="own")
    return draw_runs(SPECS[name], HIDDEN, RUNS, 36, most_steps, kinds)


@cache
def _alone(name: str = "gd") -> Outcome:
    """Train every run in a separate call."""
    outcomes = [train_kernel(SPECS[name], _runs(name)[[run]]) for run in range(RUNS)]
    most = max(outcome.losses.shape[1] for outcome in outcomes)
    columns = zip(*(outcome.columns for outcome in outcomes), strict=True)
    return Outcome(
        columns=outcomes[0].columns._make(map(np.concatenate, columns)),
        final_weights=np.concatenate([outcome.final_weights for outcome in outcomes]),
        predictions=np.concatenate([outcome.predictions for outcome in outcomes]),
        losses=np.concatenate([pad(outcome.losses, most) for outcome in outcomes]),
        path=np.empty((0, 0, 0)),
        path_running=np.empty((0, 0)),
        best_weights=np.concatenate([outcome.best_weights for outcome in outcomes]),
        lane_steps=sum(outcome.lane_steps for outcome in outcomes),
    )


def _assert_independent(runs: list[int], width: int | None, name: str = "gd") -> None:
    spec, chosen, alone, what = SPECS[name], _runs(name)[runs], _alone(name), f"{name}, width {width}, runs {runs}"
    arrays = alone.final_weights[runs], alone.predictions[runs], alone.losses[runs]
    best_weights = alone.best_weights[runs] if SPECS[name].keeps_best else alone.best_weights
    expected = Outcome(pick(alone.columns, runs), *arrays, alone.path, alone.path_running, best_weights, lane_steps=0)
    given, most = train_kernel(spec, chosen, width), alone.losses.shape[1]
    assert_same_outcome(given._replace(losses=pad(given.losses, most)), expected, what)
    assert_same_columns(train_bare(spec, chosen, width), expected.columns, what)


@pytest.mark.parametrize("name", some_compiled(SPECS, lambda name: name != "rprop"))
def test_runs_end_in_every_way(name: str) -> None:
    """The runs that these tests pack differ in how they end, and when."""
    columns = _alone(name).columns
    ends = {"converged", "diverged", "exhausted"}
    ends |= {"gd": {"stalled"}, "held out": {"stalled", "plateau"}}.get(name, set())
    assert set(statuses(columns)) >= ends
    assert len(set(columns.steps)) > sized(5, 3)


def _choices() -> list[tuple[str, tuple[int, ...], int | None]]:
    """Choose runs and widths: fewer runs than lanes and more, in any order, and the same run again in its lane."""
    all_runs = tuple(range(RUNS))
    permuted = tuple(np.random.default_rng(32).permutation(RUNS).tolist())
    choices: list[tuple[str, tuple[int, ...], int | None]] = [
        ("gd", all_runs[:count], width) for count, width in itertools.product((1, 5, RUNS), WIDTHS)
    ]
    choices += [(name, all_runs, width) for name in ("adam", "rprop", "held out") for width in (2, 8, 32)]
    choices += [("gd", permuted, width) for width in (2, 8, 32)]
    choices += [("gd", tuple(np.repeat(all_runs, 3).tolist()), 1), ("rprop", all_runs[::-1], None)]
    return choices


@pytest.mark.parametrize(
    ("name", "runs", "width"),
    some_compiled(_choices(), lambda case: case[2] == 8 or (case[0] == "gd" and case[2] == 1)),
    ids=lambda value: f"{len(value)} runs" if isinstance(value, tuple) else str(value),
)
def test_runs_end_as_alone(name: str, runs: tuple[int, ...], width: int | None) -> None:
    """With any neighbors and in any lane a run has its own settings, states and order, and does not stall at once."""
    _assert_independent(list(runs), width, name)


@settings(max_examples=sized(60, 10))
@given(
    runs=st.lists(st.integers(0, RUNS - 1), max_size=2 * RUNS),
    width=st.sampled_from(WIDTHS),
    name=st.sampled_from(sized(["gd"], list(SPECS))),
)
def test_outcome_is_independent_of_neighbors(runs: list[int], width: int, name: str) -> None:
    """Any selection of runs, repeated ones included, ends as each run alone."""
    _assert_independent(runs, width, name)


@settings(max_examples=sized(40, 5))
@given(counts=st.lists(st.integers(0, 9), min_size=1, max_size=12), width=st.sampled_from(WIDTHS[1:]))
def test_runs_that_share_settings(counts: list[int], width: int) -> None:
    """Consecutive runs can share settings, including runs with numbers that are not finite."""
    runs, trainer = _runs()[np.arange(len(counts))], SPECS["gd"].trainer(width)
    weights = np.resize(runs.weights, (sum(counts), runs.weights.shape[1]))
    weights[::3, 1] = -np.inf  # a dead unit, which hides 0 times infinity at first
    shared = trainer.train(runs.settings, weights, np.array(counts), final_weights=True, losses=True)
    single = trainer.train(np.repeat(runs.settings, counts), weights, final_weights=True, losses=True)
    assert_same_outcome(shared, single, str(counts))
    assert (statuses(shared.columns)[::3] == "diverged").all()


@pytest.mark.parametrize("name", some_compiled(SPECS, lambda name: name != "rprop"))
@pytest.mark.parametrize("operations", [1, 2_000, 5_000])
def test_pauses_change_nothing(monkeypatch: pytest.MonkeyPatch, operations: int, name: str) -> None:
    """A kernel that returns after every few turns and is called again gives the results of one call."""
    runs, trainer = _runs(name), SPECS[name].trainer(8)
    seeds = seeds_of(SPECS[name], runs)
    monkeypatch.setattr("kernels.train.PAUSE_OPERATIONS", operations)
    pauses: list[None] = []
    asked = {"seeds": seeds, "pause": lambda: pauses.append(None)}
    traced = trainer.train(runs.settings, runs.weights, final_weights=True, losses=True, **asked)
    assert_same_outcome(traced, _alone(name), f"pauses after {operations} operations")
    bare = trainer.train(runs.settings, runs.weights, **asked)
    assert_same_columns(bare.columns, _alone(name).columns, f"pauses after {operations} operations, without losses")
    assert len(pauses) > (sized(20, 2) if operations == 1 else sized(2, -1))


def test_pauses_between_runs_that_end_within_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses also work where runs end within their first epoch, a few at a time."""
    spec = SPECS["adam"]
    assert spec.n_windows > 1
    runs = make_runs(draw_weights(spec, HIDDEN, 40, 5), learning_rate=0.1, threshold=0.0, max_steps=1)
    monkeypatch.setattr("kernels.train.PAUSE_OPERATIONS", 1)
    pauses: list[None] = []
    asked = {"seeds": runs.seeds, "pause": lambda: pauses.append(None)}
    outcome = spec.trainer(8).train(runs.settings, runs.weights, **asked)
    assert len(pauses) >= 2
    assert (outcome.columns.steps == 1).all()


@pytest.mark.wide
def test_pause_may_end_the_training() -> None:
    """An interrupt ends a network of very many steps within seconds, compiled or not."""
    runs = make_runs(_runs().weights[:1], learning_rate=1e-9, threshold=0.0, max_steps=2**31 - 1)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SPECS["gd"].trainer(sized(None, 1)).train(runs.settings, runs.weights, pause=interrupt)


def test_threads_do_not_disturb_each_other() -> None:
    """Several threads that share one trainer, or have their own, get the same results."""
    runs, spec = _runs(), SPECS["gd"]
    trainer = spec.trainer()

    def train(k: int) -> Outcome:
        used = trainer if k % 2 else spec.trainer()
        return used.train(runs.settings, runs.weights, final_weights=True, losses=True)

    with ThreadPoolExecutor(4) as pool:
        for outcome in pool.map(train, range(8)):
            assert_same_outcome(outcome, _alone(), "in a thread")


def test_nothing_to_train() -> None:
    """No runs give no outcomes."""
    outcome = train_kernel(SPECS["gd"], _runs()[[]])
    assert {len(column) for column in (*outcome.columns, outcome.losses)} == {0}
    assert outcome.final_weights.shape == (0, _runs().weights.shape[1])


def test_weights_and_losses_only_on_request() -> None:
    """Fewer requested results do not change the others."""
    runs = _runs()
    trainer = SPECS["gd"].trainer(8)
    bare = trainer.train(runs.settings, runs.weights)
    traced = trainer.train(runs.settings, runs.weights, losses=True)
    weighed = trainer.train(runs.settings, runs.weights, final_weights=True)
    for outcome in (bare, traced, weighed):
        assert_same_columns(outcome.columns, _alone().columns, "columns")
    for unasked in (bare.final_weights, bare.predictions, bare.losses, traced.final_weights, weighed.losses):
        assert unasked.shape == (0, 0)
    assert_equal(traced.losses, _alone().losses, "losses")
    assert_equal(weighed.final_weights, _alone().final_weights, "final weights")
    assert_equal(weighed.predictions, _alone().predictions, "predictions")


@in_soak_if_compiled
def test_run_that_stalls_while_others_end() -> None:
    """A stall is detected at its step, even if a neighbor converges just then and the next run takes its lane."""
    spec = Spec("relu", dtype="float32")
    runs = make_runs(draw_weights(spec, 2, 64, 33), "float32", learning_rate=0.2, threshold=0.0, max_steps=300)
    alone = train_kernel(spec, runs)
    steps, falling = alone.columns.steps, np.diff(alone.losses, axis=1) < 0
    stalls = np.flatnonzero((statuses(alone.columns) == "stalled") & (steps > 10))
    checked = 0
    for stall in stalls[: sized(None, 4)]:
        t = steps[stall]
        for other in np.flatnonzero(falling[:, :t].all(axis=1) & (steps > t))[:3]:
            below = np.nextafter(np.float32(alone.losses[other, t]), np.float32(np.inf))
            columns = train_bare(spec, runs[[stall, other, other]].having(threshold=[0.0, below, below]), 2)
            assert_equal(columns.steps, np.array([t, t, t]), f"runs {stall} and {other}")
            assert statuses(columns).tolist() == ["stalled", "converged", "converged"]
            checked += 1
    assert checked >= 3


def test_lanes_take_at_least_the_steps_of_their_runs() -> None:
    """Occupancy is at most 1, and high where there are many more runs of equal length than lanes."""
    runs = make_runs(np.tile(_runs().weights, (4, 1)), learning_rate=1e-4, threshold=0.0, max_steps=20)
    outcome = SPECS["gd"].trainer(8).train(runs.settings, runs.weights)
    steps = int(outcome.columns.steps.sum())
    assert steps <= outcome.lane_steps
    assert steps >= 0.8 * outcome.lane_steps or not jit.ENABLED


@pytest.mark.parametrize("name", some_compiled(("adam", "gd"), "adam".__eq__))
def test_arguments_are_not_changed(name: str) -> None:
    """Patterns, weights, settings and seeds are neither changed, frozen nor kept."""
    runs, spec = _runs(name), SPECS[name]
    inputs, targets = patterns = spec.patterns
    trainer = Trainer(spec.recipe, inputs, targets, tuning=of_width(sized(None, RUNS), spec.dtype))
    arguments: list[Array] = [runs.settings.copy(), runs.weights.copy(), runs.seeds.copy()]
    for array in patterns:
        assert array.flags.writeable
        array[:] = 7.0
    outcome = trainer.train(*arguments[:2], seeds=arguments[2], final_weights=True, losses=True)
    for argument, before in zip(arguments, (runs.settings, runs.weights, runs.seeds), strict=True):
        assert argument.flags.writeable
        assert argument.tobytes() == before.tobytes()
    arguments[1][:] = 0.0
    assert_same_outcome(outcome, _alone(name), "patterns as they were when the trainer was made")


def test_patterns_of_any_kind_of_number() -> None:
    """Integers, narrower numbers and rows that are not contiguous are rounded to the dtype like all others."""
    spec = SPECS["gd"]
    inputs, targets = spec.patterns
    for kind in ("int64", "int8", "float32", "float64"):
        strided = np.asfortranarray(inputs.astype(kind)), targets.astype(kind)[::-1][::-1]
        trainer = Trainer(spec.recipe, *strided, tuning=of_width(sized(None, RUNS), spec.dtype))
        outcome = trainer.train(_runs().settings, _runs().weights, final_weights=True, losses=True)
        assert_same_outcome(outcome, _alone(), kind)


@pytest.mark.parametrize("counts", [None, [60], [61, -1], [30, 31]])
def test_settings_and_weights_must_agree_in_runs(counts: list[int] | None) -> None:
    """Settings must be for exactly as many runs as there are weights."""
    own, weights = _runs().settings[:2], np.resize(_runs().weights, (60, 13))
    with pytest.raises(ValueError, match="counts: must be 2 numbers from 0 that add up to 60"):
        SPECS["gd"].trainer().train(own, weights, None if counts is None else np.array(counts))


def test_weights_of_no_hidden_size_are_refused() -> None:
    """A row must have the number of parameters of some hidden size."""
    runs = _runs()
    with pytest.raises(ValueError, match="12 parameters"):
        SPECS["gd"].trainer().train(runs.settings, runs.weights[:, :12])
