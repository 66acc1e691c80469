"""Replaying one run: the notebook's numbers, and stored rows that must be equal."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sweep
from sweep import StoreError, Study, StudyError, load_study, trace
from tests import oracle
from tests.kernels.support import some_compiled
from tests.sweep.expected import OUTCOME, train_with_oracle
from tests.sweep.support import command, make_study

NOTEBOOK = Path(__file__).with_name("notebook.txt")
NUMBER = re.compile(r"-?\d+\.\d*")


def notebook(section: str) -> list[str]:
    """Return the lines that the notebook printed."""
    _, *parts = re.split(r"^\[([a-z]\w*)\]\n", NOTEBOOK.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))[section].splitlines()


def test_losses_of_the_notebook() -> None:
    """`sweep trace seed` begins with the notebook's 500 lines, character for character."""
    finished = command("trace", "seed")
    assert (finished.code, finished.err) == (0, "")
    lines = finished.out.splitlines()
    expected = notebook("losses")
    assert len(expected) == 500
    assert lines[:500] == expected
    assert lines[500].startswith("final_loss ")
    assert lines[501] == "status exhausted steps 500"


def test_predictions_and_weights_of_the_notebook() -> None:
    """Predictions and weights are the notebook's, to every digit that it printed."""
    out = command("trace", "seed").out
    predictions, w, v = re.split(r"\n\n(?=[wv] )", out.partition("(target)\n")[2].rstrip())
    given = [NUMBER.findall(line.partition("->")[2].partition("(")[0]) for line in predictions.splitlines()]
    assert given == [NUMBER.findall(line) for line in notebook("predictions")]
    assert w.splitlines()[0] == "w (inputs, hidden)"
    assert [NUMBER.findall(line) for line in w.splitlines()[1:]] == [NUMBER.findall(line) for line in notebook("w1")]
    assert [NUMBER.findall(line) for line in v.splitlines()[1:]] == [NUMBER.findall(line) for line in notebook("w2")]
    targets = [NUMBER.findall(line.partition("(")[2]) for line in predictions.splitlines()]
    assert targets == [["0."], ["1."], ["1."], ["0."]]


def traced_by_oracle(study: Study, seed: int) -> oracle.Result:
    """Train one run of a study of one cell with the oracle, keeping every loss."""
    options = study.fixed() | {name: values[0] for name, values in study.parameters.items()}
    return train_with_oracle(study, [options | {"seed": seed}], record=True)


@pytest.mark.parametrize(
    "scalars",
    [
        {"hidden": 3, "learning_rate": 0.2},
        {"hidden": 3, "learning_rate": 30.0},
        {"hidden": 2, "learning_rate": 1e-30},
        {"hidden": 2, "learning_rate": 0.1, "max_steps": 0},
        {"hidden": 2, "learning_rate": [0.1], "bias": False},
        {"hidden": 2, "learning_rate": [0.1], "dtype": "float32"},
    ],
)
@pytest.mark.parametrize("seed", [0, 5, 2**32 - 1])
def test_trace_as_the_oracle(scalars: dict[str, Any], seed: int) -> None:
    """Every loss, the outcome and the weights equal the oracle's."""
    study = make_study(**scalars)
    given, expected = trace(study, seed), traced_by_oracle(study, seed)
    assert (given.seed, given.cell, given.mismatches) == (seed, 0, {})
    assert {name: getattr(given, name) for name in OUTCOME} == {
        name: getattr(expected, name)[0].item() for name in OUTCOME
    }
    assert expected.losses is not None
    assert given.losses.shape == (given.steps + 1,)
    np.testing.assert_array_equal(given.losses, expected.losses[0])
    weights = [part.ravel() for part in given.weights.values()]
    np.testing.assert_array_equal(np.concatenate(weights), expected.weights[0])
    assert (given.weights.b is None) == (study.network.bias is False)
    x, w, v, b, c = given.inputs, given.weights.w, given.weights.v, given.weights.b, given.weights.c
    if given.status != "diverged":
        hidden = np.maximum(x @ w + (0 if b is None else b), 0)
        np.testing.assert_allclose(given.predictions, hidden @ v + (0 if c is None else c), rtol=1e-5, atol=1e-5)
        assert given.max_error == pytest.approx(np.abs(given.predictions - given.targets).max(), rel=1e-6)
        assert given.losses[-1] == given.final_loss
    else:
        assert math.isinf(given.final_loss)


@pytest.mark.parametrize(
    "options",
    some_compiled(
        [{"hidden": "4-3"}, {"hidden": 3, "layers": 2}, {"hidden": "3-2-4", "bias": False}], {"hidden": "4-3"}.__eq__
    ),
)
def test_trace_of_several_layers(options: dict[str, Any]) -> None:
    """Weights are those of the oracle, by layer; the network that they make says what the trace says."""
    study = make_study(activation="tanh", learning_rate=0.1, **options)
    given, expected = trace(study, 3), traced_by_oracle(study, 3)
    assert expected.losses is not None
    np.testing.assert_array_equal(given.losses, expected.losses[0])
    weights = [part.ravel() for part in given.weights.values()]
    np.testing.assert_array_equal(np.concatenate(weights), expected.weights[0])
    below = given.inputs
    for layer, size in enumerate(study.hidden_layers[0], start=1):
        assert given.weights[f"w{layer}"].shape == (below.shape[1], size)
        below = np.tanh(below @ given.weights[f"w{layer}"] + given.weights.get(f"b{layer}", 0))
    assert below @ given.weights.v + given.weights.get("c", 0) == pytest.approx(given.predictions)
    assert all(f"\n{name} (" in given.text() for name in given.weights)
    assert "w2 (hidden 1, hidden 2)" in given.text()


def test_text_of_a_trace() -> None:
    """A line for each step, then how it ended, predictions beside targets, and every weight in full."""
    given = trace(make_study(hidden=400, learning_rate=1e-4, max_steps=3), 1)
    lines = given.text().splitlines()
    assert lines[:3] == [f"{t} {given.losses[t]!r}".replace("np.float64(", "").replace(")", "") for t in range(3)]
    assert lines[3:5] == [f"final_loss {given.final_loss!r}", f"status {given.status} steps 3"]
    assert "..." not in given.text()
    numbers = given.text().partition("w (inputs, hidden)")[2].partition("v (hidden")[0]
    assert len(numbers.replace("[", " ").replace("]", " ").split()) == 800


@pytest.mark.wide
@pytest.mark.parametrize(
    ("max_steps", "evaluated_at"), [(0, [0]), (1, [0, 1]), (6, [0, 2, 4, 6]), (7, [0, 2, 4, 6, 7])]
)
@pytest.mark.parametrize("order", some_compiled(["cyclic", "shuffled"], "shuffled".__eq__))
def test_trace_of_smaller_batches(max_steps: int, evaluated_at: list[int], order: str) -> None:
    """Losses are those at the start, after each epoch and at the end, and say after how many updates."""
    options = {"batch": 3, "order": order, "optimizer": "adam", "skip": True, "criterion": "none"}
    study = make_study(hidden=2, learning_rate=0.1, max_steps=max_steps, **options)
    given, expected = trace(study, 3), traced_by_oracle(study, 3)
    assert (given.steps, given.epochs) == (max_steps, max_steps // 2)
    assert given.evaluated_at.tolist() == evaluated_at
    assert expected.losses is not None
    np.testing.assert_array_equal(given.losses, expected.losses[0])
    weights = [part.ravel() for part in given.weights.values()]
    np.testing.assert_array_equal(np.concatenate(weights), expected.weights[0])
    lines = given.text().splitlines()
    assert lines[: len(evaluated_at) - 1] == [
        f"{t} {loss!r}" for t, loss in zip(evaluated_at[:-1], given.losses[:-1].tolist(), strict=True)
    ]
    epochs = f" epochs {given.epochs}" if max_steps else ""
    assert lines[len(evaluated_at)] == f"status exhausted steps {max_steps}{epochs}"
    assert "k (inputs, outputs)" in lines


@pytest.mark.wide
def test_run_of_smaller_batches_replays_from_its_row() -> None:
    """A shuffled run in a result ends again as its row says, epochs included."""
    study = make_study(count=3, hidden=2, learning_rate=[0.2, 30.0], batch=[1, 4], order="shuffled", max_steps=50)
    result = sweep.run(study)
    for run in range(study.n_runs):
        traced, row = trace(result, run), result.row(run)
        assert (traced.mismatches, traced.epochs) == ({}, row["epochs"])
        assert traced.losses[-1] == row["final_loss"] or row["status"] == "diverged"


def test_first_seed_by_default() -> None:
    """Without a seed the study's first is taken; others need not be the study's."""
    study = make_study(hidden=2, learning_rate=0.1, base=17, count=2)
    assert trace(study).seed == 17
    np.testing.assert_array_equal(trace(study).losses, trace(study, 17).losses)
    assert trace(study, seed=400).seed == 400


def test_seeds_and_runs_from_a_frame() -> None:
    """Integers of NumPy, as the columns of results hold them, name seeds and runs."""
    study = make_study(hidden=2, learning_rate=0.1, base=17, count=2)
    result = sweep.run(study)
    for row in result.runs().itertuples():
        np.testing.assert_array_equal(trace(study, np.int64(row.seed)).losses, trace(result, np.int64(row.run)).losses)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1"])
def test_seed_out_of_range(seed: Any) -> None:
    """Only integers from 0 to 2^32 - 1 are seeds."""
    with pytest.raises(StudyError, match=r"seed .* given; must be .*from 0 to 4294967295"):
        trace(make_study(hidden=2, learning_rate=0.1), seed)


def test_several_cells_must_be_singled_out() -> None:
    """A study of several cells says which parameters to set, and can be traced once they are."""
    with pytest.raises(StudyError, match=r"91 cells.*hidden, learning_rate"):
        trace(load_study("xor"))
    finished = command("trace", "xor")
    assert (finished.code, finished.out) == (2, "")
    assert "91 cells" in finished.err
    finished = command("trace", "xor", "--set", "hidden=4", "--set", "learning_rate=0.01", "--seed", "3")
    assert finished.code == 0
    study = load_study("xor", {"hidden": 4, "learning_rate": 0.01})
    assert finished.out == trace(study, 3).text()


def test_trace_of_something_else() -> None:
    """What is neither a study nor a result is refused."""
    with pytest.raises(TypeError, match="trace of int; give a Study, its name or path, or a Result"):
        trace(3)
    result = sweep.run(make_study(count=2, hidden=2, learning_rate=0.1))
    with pytest.raises(StoreError, match="no run given; of a result give the number of one of its 2 runs"):
        trace(result)


def test_trace_in_a_notebook() -> None:
    """It shows itself in few lines, however many losses and patterns it has; as text it is all of it."""
    study = {"hidden": 2, "learning_rate": 1e-3, "max_steps": 300, "seeds.count": 1}
    traced = trace(load_study("xor", study | {"task": "parity", "bits": 5}))
    losses = traced.losses.tolist()
    assert repr(traced) == (
        f"<Trace of seed 0 in cell 0 of 'xor': exhausted after 300 steps, {traced.n_correct} outputs right; losses "
        f"{losses[0]:.4g}, {losses[1]:.4g}, {losses[2]:.4g}, .., {losses[-3]:.4g}, {losses[-2]:.4g}, {losses[-1]:.4g}>"
    )
    shown = traced._repr_html_()
    assert shown.count("<tr>") == 1 + 7 + 1 + 16
    assert f"<td>300</td><td>{losses[-1]:.4g}</td>" in shown
    assert "the first 16 of 32 patterns" in shown
    assert str(traced) == traced.text()
    assert len(str(traced).splitlines()) > 300
    short = trace(load_study("xor", study | {"max_steps": 2}))
    assert ".." not in repr(short) + short._repr_html_()
