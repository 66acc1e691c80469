"""A run's outcome depends on nothing but the run: not on lanes, order, neighbours or what else is asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.architecture import Architecture
from kernels.batch import CONVERGED, DIVERGED, STALLED, Columns, make_workspaces
from kernels.simd import jit
from kernels.train import Outcome
from tests.kernels.support import (
    TUNINGS,
    Batch,
    Spec,
    assert_equal,
    assert_same_columns,
    assert_same_outcome,
    draw_batch,
    draw_weights,
    pick,
    same_settings,
    sized,
    some_compiled,
    train_bare,
    train_kernel,
)

SPEC = Spec("relu")
RUNS = sized(61, 13)
WIDTHS = sized((1, 2, 8, 32), (1, 3, 8, 50))


@cache
def _batch(dtype: str = "float64") -> Batch:
    return draw_batch(replace(SPEC, dtype=dtype), 3, RUNS, 31, sized(200, 20))


@cache
def _alone(dtype: str = "float64") -> Outcome:
    """Train every run of the batch in a call of its own."""
    batch, spec = _batch(dtype), replace(SPEC, dtype=dtype)
    most = int(batch.max_steps.max()) + 1
    outcomes = [train_kernel(spec, batch[[run]]) for run in range(RUNS)]
    losses = np.full((RUNS, most), np.nan)
    for row, outcome in zip(losses, outcomes, strict=True):
        row[: outcome.losses.shape[1]] = outcome.losses[0]
    return Outcome(
        columns=Columns(*(np.concatenate(parts) for parts in zip(*(o.columns for o in outcomes), strict=True))),
        final_weights=np.concatenate([outcome.final_weights for outcome in outcomes]),
        predictions=np.concatenate([outcome.predictions for outcome in outcomes]),
        losses=losses,
        lane_steps=sum(outcome.lane_steps for outcome in outcomes),
    )


def _select(outcome: Outcome, runs: list[int]) -> Outcome:
    return Outcome(pick(outcome.columns, runs), *(array[runs] for array in outcome[1:-1]), lane_steps=0)


def _assert_independent(runs: list[int], width: int | None, dtype: str = "float64") -> None:
    spec, batch, what = replace(SPEC, dtype=dtype), _batch(dtype)[runs], f"width {width}, runs {runs}"
    expected = _select(_alone(dtype), runs)
    assert_same_outcome(train_kernel(spec, batch, width), expected, what)
    assert_same_columns(train_bare(spec, batch, width), expected.columns, what)


def test_batch_has_runs_of_every_status() -> None:
    """The runs that these tests pack differ in how they end, and when."""
    columns = _alone().columns
    assert len(set(columns.status)) == 4
    assert len(set(columns.steps)) > 5


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", [1, 5, RUNS])
def test_any_width_and_count(width: int, count: int) -> None:
    """Fewer runs than lanes, odd numbers of them, and more than lanes: all as alone."""
    _assert_independent(list(range(count)), width)


@pytest.mark.parametrize("width", WIDTHS[1:3])
def test_any_order(width: int) -> None:
    """The order of runs decides who shares lanes, and nothing else."""
    _assert_independent(np.random.default_rng(32).permutation(RUNS).tolist(), width)


@pytest.mark.parametrize("tuning", TUNINGS)
@pytest.mark.parametrize("width", some_compiled(WIDTHS[2:4], lambda width: width == 8))
def test_any_tuning(width: int, tuning: str) -> None:
    """Whatever is fastest on some CPU, in two passes a step or in one, gives equal results."""
    expected, spec = _alone(), replace(SPEC, tuning=tuning)
    special = spec.trainer(width).specialization(3)
    assert (special.one_pass, special.gates) == (tuning == "one pass", tuning == "gates")
    assert_same_outcome(train_kernel(spec, _batch(), width), expected, tuning)
    assert_same_columns(train_bare(spec, _batch(), width), expected.columns, tuning)


@pytest.mark.parametrize(
    ("hidden", "criterion", "expected"),
    [(2, "loss", 3), (3, "loss", 2), (3, "none", 3), (20, "none", 3), (24, "none", 2), (40, "none", 2)],
)
def test_batches_that_take_turns(hidden: int, criterion: str, expected: int) -> None:
    """More than two if tuned so, where they fit into the first cache, and in a loop over units only unjudged."""
    trainer = Spec("relu", criterion=criterion, tuning="three batches").trainer(8)
    assert trainer.specialization(hidden).batches == expected


def test_same_run_again_in_the_same_lane() -> None:
    """A run that starts with the loss at which the one before it ended has not stalled."""
    _assert_independent(np.repeat(np.arange(RUNS), 3).tolist(), 1)


def test_float32_lanes() -> None:
    """Twice as many lanes fit, with equal results."""
    _assert_independent(list(range(RUNS))[::-1], None, "float32")


@settings(max_examples=sized(60, 10))
@given(runs=st.lists(st.integers(0, RUNS - 1), max_size=2 * RUNS), width=st.sampled_from(WIDTHS))
def test_outcome_is_independent_of_what_shares_the_batch(runs: list[int], width: int) -> None:
    """Any selection of runs, repeated ones included, ends as each run alone."""
    _assert_independent(runs, width)


@settings(max_examples=sized(40, 5))
@given(counts=st.lists(st.integers(0, 9), min_size=1, max_size=12), width=st.sampled_from(WIDTHS))
def test_runs_that_share_settings(counts: list[int], width: int) -> None:
    """Settings given once for some runs in a row are those of each, also of runs that are trained again."""
    batch, trainer = _batch()[np.arange(len(counts))], SPEC.trainer(width)
    weights = np.resize(batch.weights, (sum(counts), batch.weights.shape[1]))
    weights[::3, 1] = -np.inf  # a dead unit, which hides 0 times infinity at first
    shared = trainer.train(batch.settings, weights, np.array(counts), final_weights=True, losses=True)
    single = trainer.train(np.repeat(batch.settings, counts), weights, final_weights=True, losses=True)
    assert_same_outcome(shared, single, str(counts))
    assert (shared.columns.status[::3] == DIVERGED).all()


@pytest.mark.parametrize("tuning", ["maxima", "one pass", "three batches"])
@pytest.mark.parametrize("turns", [1, 2, 7])
def test_pauses_change_nothing(monkeypatch: pytest.MonkeyPatch, turns: int, tuning: str) -> None:
    """A kernel that returns after every few turns and is called again gives what it gives in one call."""
    batch, trainer = _batch(), replace(SPEC, tuning=tuning).trainer(8)
    per_turn = 8 * batch.weights.shape[1] * 4 * trainer.specialization(3).batches
    monkeypatch.setattr("kernels.train.PAUSE_OPERATIONS", per_turn * turns)
    pauses: list[None] = []
    traced = trainer.train(
        batch.settings, batch.weights, final_weights=True, losses=True, pause=lambda: pauses.append(None)
    )
    assert_same_outcome(traced, _alone(), f"pauses after {turns} turns")
    bare = trainer.train(batch.settings, batch.weights, pause=lambda: pauses.append(None))
    assert_same_columns(bare.columns, _alone().columns, f"pauses after {turns} turns, without losses")
    assert len(pauses) > sized(20, 2)


def test_pause_may_end_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """One network of very many steps does not keep an interrupt waiting."""
    monkeypatch.setattr("kernels.train.PAUSE_OPERATIONS", 1000)
    batch = same_settings(_batch().weights[:1], "float64", learning_rate=1e-9, below=0.0, max_steps=2**31 - 1)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SPEC.trainer(sized(None, 1)).train(batch.settings, batch.weights, pause=interrupt)


def test_threads_do_not_disturb_each_other() -> None:
    """Trainers, and one trainer, used by several threads at once give the same as ever."""
    batch, trainer = _batch(), SPEC.trainer()

    def train(k: int) -> Outcome:
        used = trainer if k % 2 else SPEC.trainer()
        return used.train(batch.settings, batch.weights, final_weights=True, losses=True)

    with ThreadPoolExecutor(4) as pool:
        for outcome in pool.map(train, range(8)):
            assert_same_outcome(outcome, _alone(), "in a thread")


def test_nothing_to_train() -> None:
    """No runs give no outcomes."""
    outcome = train_kernel(SPEC, _batch()[[]])
    assert {column.shape for column in outcome.columns} == {(0,)}
    assert outcome.final_weights.shape == (0, _batch().weights.shape[1])
    assert outcome.losses.shape[0] == 0


def test_weights_and_losses_only_when_asked_for() -> None:
    """Asking for less changes nothing of the rest."""
    batch = _batch()
    trainer = SPEC.trainer(2)
    bare = trainer.train(batch.settings, batch.weights)
    traced = trainer.train(batch.settings, batch.weights, losses=True)
    weighed = trainer.train(batch.settings, batch.weights, final_weights=True)
    for outcome in (bare, traced, weighed):
        assert_same_columns(outcome.columns, _alone().columns, "columns")
    for unasked in (bare.final_weights, bare.predictions, bare.losses, traced.final_weights, weighed.losses):
        assert unasked.shape == (0, 0)
    assert_equal(traced.losses, _alone().losses, "losses")
    assert_equal(weighed.final_weights, _alone().final_weights, "final weights")
    assert_equal(weighed.predictions, _alone().predictions, "predictions")


def test_run_that_stalls_while_others_end() -> None:
    """A stall is seen at its step, even if just then a neighbour converges and the next run takes its lane."""
    spec = replace(SPEC, dtype="float32")
    batch = same_settings(draw_weights(spec, 2, 64, 33), "float32", learning_rate=0.2, below=0.0, max_steps=300)
    alone = train_kernel(spec, batch)
    steps, falling = alone.columns.steps, np.diff(alone.losses, axis=1) < 0
    stalls = [run for run in range(64) if alone.columns.status[run] == STALLED and steps[run] > 10]
    checked = 0
    for stall in stalls:
        t = steps[stall]
        for other in np.flatnonzero(falling[:, :t].all(axis=1) & (steps > t))[:3]:
            pair = batch[[stall, other, other]]
            pair.below[1:] = np.nextafter(np.float32(alone.losses[other, t]), np.float32(np.inf))
            columns = train_bare(spec, pair, 2)
            assert_equal(columns.steps, np.array([t, t, t]), f"runs {stall} and {other}")
            assert columns.status.tolist() == [STALLED, CONVERGED, CONVERGED]
            checked += 1
    assert checked >= 3


def test_lanes_take_at_least_the_steps_of_their_runs() -> None:
    """Occupancy is at most 1, and high where there are many more runs than lanes of equal length."""
    batch = same_settings(np.tile(_batch().weights, (4, 1)), "float64", 1e-4, 0.0, max_steps=20)
    outcome = SPEC.trainer(8).train(batch.settings, batch.weights)
    steps = int(outcome.columns.steps.sum())
    assert steps <= outcome.lane_steps
    assert steps >= 0.8 * outcome.lane_steps or not jit.ENABLED


def test_arguments_stay_as_they_were() -> None:
    """Neither patterns nor weights nor settings are changed, frozen or kept."""
    batch = _batch()
    weights, settings = batch.weights.copy(), batch.settings
    outcome = SPEC.trainer().train(settings, weights, final_weights=True)
    assert_equal(weights, batch.weights, "weights")
    assert np.array_equal(settings, batch.settings)
    weights[:] = 0.0
    assert_equal(outcome.final_weights, _alone().final_weights, "final weights")


@pytest.mark.skipif(not jit.ENABLED, reason="NumPy slices may have any width")
@pytest.mark.parametrize("width", [3, 12])
def test_width_is_a_power_of_two(width: int) -> None:
    """Compiled lanes come in powers of two."""
    batch = _batch()[[0]]
    with pytest.raises(ValueError, match="power of two"):
        SPEC.trainer(width).train(batch.settings, batch.weights)


@pytest.mark.parametrize("counts", [None, [60], [61, -1], [30, 31]])
def test_as_many_runs_of_settings_as_of_weights(counts: list[int] | None) -> None:
    """Settings are for exactly the runs whose weights are given."""
    settings, weights = _batch().settings[:2], np.resize(_batch().weights, (60, 13))
    with pytest.raises(ValueError, match="must be of the same runs"):
        SPEC.trainer().train(settings, weights, None if counts is None else np.array(counts))


def test_weights_of_no_hidden_size_are_refused() -> None:
    """A row must have the number of parameters of some hidden size."""
    batch = _batch()
    with pytest.raises(ValueError, match="12 parameters"):
        SPEC.trainer().train(batch.settings, batch.weights[:, :12])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("width", [1, 8, 16, 1024])
@given(hidden=st.integers(1, 300))
def test_activations_lie_half_a_page_from_parameters(dtype: str, width: int, hidden: int) -> None:
    """In each of the batches, whose rows share no memory."""
    architecture = Architecture(2, 1, "relu", "identity", bias=True)
    ends = 0
    for workspace in make_workspaces(architecture, hidden, 4, width, dtype, n_batches=2):
        first, beyond = int(workspace.places.min()), int(workspace.places.max()) + 1
        row_bytes = workspace.rows.strides[0]
        parameters, activations = workspace.rows.ctypes.data + first * row_bytes, workspace.hidden.ctypes.data
        distance = activations - parameters
        assert workspace.hidden.shape == (4 * hidden, width)
        assert beyond - first == len(set(workspace.places.tolist())) == 4 * hidden + 1
        assert distance >= (beyond - first) * row_bytes
        assert distance % 4096 == (2048 if row_bytes <= 2048 else 0)
        assert workspace.rows.ctypes.data >= ends
        ends = activations + workspace.hidden.nbytes
