"""Traces of one run: the numbers of the notebook, and of the oracle."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sweep
from sweep import StoreError, Study, StudyError, Trace, load_study, trace
from tests.kernels.support import some_compiled
from tests.sweep.expected import OUTCOME, train_with_oracle
from tests.sweep.support import command, make_study

NOTEBOOK = Path(__file__).with_name("notebook.txt")
NUMBER = re.compile(r"-?\d+\.\d*")


def notebook(section: str) -> list[str]:
    """Return the lines of the notebook's output."""
    _, *parts = re.split(r"^\[([a-z]\w*)\]\n", NOTEBOOK.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))[section].splitlines()


def test_losses_of_the_notebook() -> None:
    """Below its heading, `sweep trace seed` starts with the 500 lines of the notebook, character for character."""
    finished = command("trace", "seed")
    assert (finished.code, finished.err) == (0, "")
    lines = finished.out.splitlines()
    expected = notebook("losses")
    assert len(expected) == 500
    assert lines[1:501] == expected
    assert lines[501].startswith("final_loss ")
    assert lines[502] == "status exhausted steps 500"


def test_predictions_and_weights_of_the_notebook() -> None:
    """Predictions and weights equal all printed digits of the notebook."""
    out = command("trace", "seed").out
    predictions, w, v = re.split(r"\n\n(?=[wv] )", out.partition("(target)\n")[2].rstrip())
    printed = [NUMBER.findall(line.partition("->")[2].partition("(")[0]) for line in predictions.splitlines()]
    assert printed == [NUMBER.findall(line) for line in notebook("predictions")]
    assert w.splitlines()[0] == "w (inputs, hidden)"
    assert [NUMBER.findall(line) for line in w.splitlines()[1:]] == [NUMBER.findall(line) for line in notebook("w1")]
    assert [NUMBER.findall(line) for line in v.splitlines()[1:]] == [NUMBER.findall(line) for line in notebook("w2")]
    targets = [NUMBER.findall(line.partition("(")[2]) for line in predictions.splitlines()]
    assert targets == [["0."], ["1."], ["1."], ["0."]]


def traced_as_oracle(study: Study, seed: int) -> Trace:
    """Return the trace of a run of a study of one cell; require that losses, outcome and weights are the oracle's."""
    options = study.fixed() | {name: values[0] for name, values in study.parameters.items()}
    traced, expected = trace(study, seed), train_with_oracle(study, [options | {"seed": seed}], record=True)
    assert {name: getattr(traced, name) for name in OUTCOME} == {
        name: getattr(expected, name)[0].item() for name in OUTCOME
    }
    assert expected.losses is not None
    np.testing.assert_array_equal(traced.losses, expected.losses[0])
    weights = [part.ravel() for part in traced.weights.values()]
    np.testing.assert_array_equal(np.concatenate(weights), expected.weights[0])
    return traced


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
    study = make_study(**scalars, base=seed, count=1)
    traced = traced_as_oracle(study, seed)
    assert (traced.seed, traced.cell, traced.mismatches) == (seed, 0, {})
    assert traced.losses.shape == (traced.steps + 1,)
    assert (traced.weights.b is None) == (study.values_of("bias")[0] is False)
    x, w, v, b, c = traced.inputs, traced.weights.w, traced.weights.v, traced.weights.b, traced.weights.c
    if traced.status != "diverged":
        hidden = np.maximum(x @ w + (0 if b is None else b), 0)
        np.testing.assert_allclose(traced.predictions, hidden @ v + (0 if c is None else c), rtol=1e-5, atol=1e-5)
        assert traced.max_error == pytest.approx(np.abs(traced.predictions - traced.targets).max(), rel=1e-6)
        assert traced.losses[-1] == traced.final_loss
    else:
        assert math.isinf(traced.final_loss)


@pytest.mark.wide
@pytest.mark.parametrize(
    "options",
    some_compiled(
        [{"hidden": "4-3"}, {"hidden": 3, "layers": 2}, {"hidden": "3-2-4", "bias": False}], {"hidden": "4-3"}.__eq__
    ),
)
def test_trace_of_several_layers(options: dict[str, Any]) -> None:
    """Weights of all layers equal the oracle's, and reproduce the predictions."""
    study = make_study(activation="tanh", learning_rate=0.1, **options)
    traced = traced_as_oracle(study, 3)
    below = traced.inputs
    for layer, size in enumerate(study.hidden_layers[0], start=1):
        assert traced.weights[f"w{layer}"].shape == (below.shape[1], size)
        below = np.tanh(below @ traced.weights[f"w{layer}"] + traced.weights.get(f"b{layer}", 0))
    assert below @ traced.weights.v + traced.weights.get("c", 0) == pytest.approx(traced.predictions)
    assert all(f"\n{name} (" in traced.text() for name in traced.weights)
    assert "w2 (hidden 1, hidden 2)" in traced.text()


def test_text_of_a_trace() -> None:
    """The text has a line for each step, then the end, predictions with targets, and all weights."""
    traced = trace(make_study(hidden=400, learning_rate=1e-4, max_steps=3), 1)
    lines = traced.text().splitlines()
    assert lines[0] == "step loss"
    assert lines[1:4] == [f"{t} {traced.losses[t]!r}".replace("np.float64(", "").replace(")", "") for t in range(3)]
    assert lines[4:6] == [f"final_loss {traced.final_loss!r}", f"status {traced.status} steps 3"]
    assert "..." not in traced.text()
    numbers = traced.text().partition("w (inputs, hidden)")[2].partition("v (hidden")[0]
    assert len(numbers.replace("[", " ").replace("]", " ").split()) == 800


@pytest.mark.wide
@pytest.mark.parametrize(
    ("max_steps", "evaluated_at"), [(0, [0]), (1, [0, 1]), (6, [0, 2, 4, 6]), (7, [0, 2, 4, 6, 7])]
)
@pytest.mark.parametrize("order", some_compiled(["cyclic", "shuffled"], "shuffled".__eq__))
def test_trace_of_smaller_batches(max_steps: int, evaluated_at: list[int], order: str) -> None:
    """Losses are those at the start, after each epoch and at the end, with their numbers of updates."""
    options = {"batch": 3, "order": order, "optimizer": "adam", "skip": True, "criterion": "none"}
    study = make_study(hidden=2, learning_rate=0.1, max_steps=max_steps, **options)
    traced = traced_as_oracle(study, 3)
    assert (traced.steps, traced.epochs) == (max_steps, max_steps // 2)
    assert traced.evaluated_at.tolist() == evaluated_at
    lines = traced.text().splitlines()
    assert lines[1 : len(evaluated_at)] == [
        f"{t} {loss!r}" for t, loss in zip(evaluated_at[:-1], traced.losses[:-1].tolist(), strict=True)
    ]
    epochs = f" epochs {traced.epochs}" if max_steps else ""
    assert lines[len(evaluated_at) + 1] == f"status exhausted steps {max_steps}{epochs}"
    assert "k (inputs, outputs)" in lines


def test_seeds_and_runs() -> None:
    """The default seed is the first one of the study; seeds and runs may be NumPy integers, as from a frame."""
    study = make_study(hidden=2, learning_rate=0.1, base=17, count=2)
    assert trace(study).seed == 17
    np.testing.assert_array_equal(trace(study).losses, trace(study, 17).losses)
    result = sweep.run(study)
    for row in result.runs().itertuples():
        np.testing.assert_array_equal(trace(study, np.int64(row.seed)).losses, trace(result, np.int64(row.run)).losses)


@pytest.mark.parametrize("seed", [0, 47, 50, -1, 2**32, 48.5, "48"])
def test_seeds_of_the_study(seed: Any) -> None:
    """Another seed is another network, which the study does not have; the error names its seeds."""
    with pytest.raises(StudyError, match=r"seed: must be from 48 to 49, the seeds of the study, got"):
        trace(make_study(hidden=2, learning_rate=0.1, base=48, count=2), seed)


def test_several_cells_must_be_singled_out() -> None:
    """For several cells, the error names the parameters to set."""
    with pytest.raises(StudyError, match=r"one cell .* got 91; .*hidden and learning_rate"):
        trace(load_study("xor"))
    finished = command("trace", "xor")
    assert (finished.code, finished.out) == (2, "")
    assert "got 91" in finished.err
    chosen = ("--set", "hidden=4", "--set", "learning_rate=0.01", "--set", "max_steps=50")
    finished = command("trace", "xor", *chosen, "--seed", "3")
    assert finished.code == 0
    study = load_study("xor", {"hidden": 4, "learning_rate": 0.01, "max_steps": 50})
    assert finished.out == trace(study, 3).text()


def test_trace_of_something_else() -> None:
    """Anything but a study or a result is refused."""
    with pytest.raises(TypeError, match="source: must be a Study, its name or path, or a Result, got int"):
        trace(3)
    result = sweep.run(make_study(count=2, hidden=2, learning_rate=0.1))
    with pytest.raises(StoreError, match="run: must be a number from 0 to 1 for this result, got None"):
        trace(result)


def test_trace_in_a_notebook() -> None:
    """A notebook shows a few lines of a trace; its text is complete."""
    study = {"hidden": 2, "learning_rate": 1e-3, "max_steps": 300, "seeds.count": 1}
    traced = trace(load_study("xor", study | {"task": "parity", "bits": 5}))
    losses = traced.losses.tolist()
    assert repr(traced) == (
        f"<Trace of seed 0 in cell 0 of 'parity': exhausted after 300 steps, {traced.n_correct} outputs correct; "
        f"losses {losses[0]:.4g}, {losses[1]:.4g}, {losses[2]:.4g}, .., "
        f"{losses[-3]:.4g}, {losses[-2]:.4g}, {losses[-1]:.4g}>"
    )
    shown = traced._repr_html_()
    assert shown.count("<tr>") == 1 + 7 + 1 + 16
    assert f"<td>300</td><td>{losses[-1]:.4g}</td>" in shown
    assert "the first 16 of 32 patterns" in shown
    assert str(traced) == traced.text()
    assert len(str(traced).splitlines()) > 300
    short = trace(load_study("xor", study | {"max_steps": 2}))
    assert ".." not in repr(short) + short._repr_html_()
