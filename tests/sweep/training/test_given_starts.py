"""Initial weights that a study sets: given and swept weights, and frozen parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sweep
from sweep import Study, StudyError
from tests.oracle.training import named_parameters, shared_parameters
from tests.sweep.expected import expected_runs, groups_in
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import assert_same_table, command, make_study

OPTIONS: dict[str, Any] = {"activation": "tanh", "hidden": 2, "learning_rate": 0.3, "max_steps": 15, "count": 5}


def with_values(values: dict[str, Any], **options: Any) -> Study:
    """Return a small study with given values of weights."""
    tables = make_study(**{**OPTIONS, **options}).canonical()
    tables["initial_weights"]["values"] = values
    return Study(**tables)


STUDIES: dict[str, Study] = {
    "arrays and single weights": with_values({"w": [[0.5, -1], [1, 0.25]], "b": 0.1, "v[0,0]": 2.0}),
    "of each seed": with_values(
        {"b": [[s, -s] for s in range(5)], "c[0]": [0.1, 0.2, 0.3, 0.4, 0.5]}, base=3, learning_rate=[0.3, 0.1]
    ),
    "all of each seed": with_values({"parameters": np.random.default_rng(0).normal(size=(5, 9)).tolist()}),
    "of several layers": with_values({"w2": [[1, 0], [0, 1], [1, 1]], "b1": 0.0}, hidden="3-2", dtype="float32"),
    "swept": Study(
        **make_study(**OPTIONS).canonical()
        | {"parameters": {"w[0,1]": {"min": -2, "max": 2, "num": 3}, "bias_scale": [1, 0.5], "b[0]": [0.0, 1.0]}}
    ),
}


@pytest.mark.parametrize("name", STUDIES)
def test_given_weights_as_the_oracle(name: str) -> None:
    """Rows are those of the oracle, whatever the parts."""
    study = STUDIES[name]
    expected = expected_runs(study)
    for part_runs in (None, 4):
        assert_same_table(run_in_parts(study, part_runs=part_runs).runs(), expected)


def test_a_swept_weight_is_a_column(tmp_path: Path) -> None:
    """A swept weight is selected, compared, verified and traced like any parameter."""
    result = sweep.run(STUDIES["swept"], out=tmp_path / "swept")
    assert list(result.cells.columns[:4]) == ["cell", "w[0,1]", "bias_scale", "b[0]"]
    assert set(result.best("final_loss", at={"w[0,1]": [2.0]})["w[0,1]"]) == {2.0}
    assert len(result.compare("w[0,1]", by=[])) == 3
    assert sweep.verify(tmp_path / "swept", sample=-1).intact
    assert not sweep.trace(result, run=31).mismatches


def test_rows_are_reused_where_weights_agree(tmp_path: Path) -> None:
    """Rows are reused with the same given weights; with weights by seed only if the seeds agree."""
    study = STUDIES["of each seed"]
    first = sweep.run(study, out=tmp_path / "first")
    again = sweep.run(study, out=tmp_path / "again", reuse=[tmp_path / "first"])
    assert_same_table(again.runs(), first.runs())
    assert again.facts["reused_steps"] == again.facts["net_steps"]
    shifted = Study(**study.canonical() | {"seeds": {"base": 4, "count": 5}})
    others = sweep.run(shifted, out=tmp_path / "shifted", reuse=[tmp_path / "first"])
    assert others.facts["reused_steps"] == 0
    assert_same_table(others.runs(), expected_runs(shifted))


def test_results_of_which_one_sweeps_a_weight(tmp_path: Path) -> None:
    """If only one study sweeps a weight, they share no run: nothing is reused or paired."""
    swept, plain = STUDIES["swept"], make_study(**OPTIONS, base=0)
    folders = [tmp_path / "swept", tmp_path / "plain"]
    for study, folder in zip((swept, plain), folders, strict=True):
        sweep.run(study, out=folder)
    for study, folder in zip((plain, swept), folders, strict=True):
        again = sweep.run(study, out=tmp_path / f"{folder.name}-again", reuse=[folder])
        assert again.facts["reused_steps"] == 0
    for first, second in (folders, folders[::-1]):
        finished = command("compare", first, second)
        assert finished.code == 2, finished
        assert finished.err.startswith("error: ")


def test_a_trace_has_the_weights_of_its_seed() -> None:
    """Weights by seed exist only for the seeds of the study."""
    study = with_values({"b": [[s, -s] for s in range(5)]}, max_steps=0)
    assert sweep.trace(study, 4).weights.b.tolist() == [4.0, -4.0]
    with pytest.raises(StudyError, match=r"seed: must be from 0 to 4, .*, got 5"):
        sweep.trace(study, 5)


def flat(weights: dict[str, Any]) -> Any:
    """Return all parameters of a network one after another."""
    return np.concatenate([array.ravel() for array in weights.values()])


@pytest.mark.parametrize(
    ("hidden", "share"),
    [(3, "w[0] w[1]; b[0] b[2]"), ("2-3", "w1[0,1] w1[1,0]; w2[0] w2[1]; v[2] v[0]; k[0,0] k[1,0]")],
)
def test_shared_weights_stay_equal(hidden: Any, share: str) -> None:
    """Weights and rows start with the value of the first of their group and stay equal; others are drawn as ever."""
    options = {**OPTIONS, "hidden": hidden, "optimizer": "adam", "skip": True, "scaling": "ntk", "batch": 3}
    drawn = sweep.trace(make_study(**options | {"max_steps": 0}), 1).weights
    studies = (make_study(**options | {"share": share, "max_steps": n}) for n in (0, 9))
    start, end = (
        np.concatenate([array.ravel() for array in sweep.trace(study, 1).weights.values()]) for study in studies
    )
    groups = shared_parameters({name: array.shape for name, array in drawn.items()}, groups_in(share))
    others = [number for _, *rest in groups for member in rest for number in member]
    for first, *rest in groups:
        for weights in (start, end):
            assert all((weights[other] == weights[first]).all() for other in rest)
    alone = np.setdiff1d(np.arange(len(start)), others)
    assert (start[alone] == flat(drawn)[alone]).all()
    assert (end != start).all()


def test_shared_rows_are_one_row() -> None:
    """With equal weights for both inputs, a network trains as one whose only input is their sum."""
    inputs = [[0.5, 0.0], [0.25, 1.0], [-1.0, 0.75]]
    training = {"learning_rate": 0.1, "weight_decay": 0.01, "penalty": True, "max_steps": 50}
    both, total = (
        sweep.trace(
            Study(
                data={"inputs": rows, "targets": [0.0, 1.0, 0.5]},
                network={"hidden": 3, "activation": "tanh"},
                initial_weights={"values": {"w": [[0.5, -0.25, 1.0]] * len(rows[0]), "v": 0.5, "b": 0.0, "c": 0.0}},
                training=training | {"share": share},
                convergence={"criterion": "none"},
                seeds={"count": 1},
            )
        )
        for rows, share in ((inputs, "w[0] w[1]"), ([[sum(row)] for row in inputs], "none"))
    )
    np.testing.assert_allclose(both.losses, total.losses, rtol=1e-12)
    np.testing.assert_allclose(both.weights.w[1], total.weights.w[0], rtol=1e-12)


@pytest.mark.parametrize(
    ("hidden", "freeze"),
    [
        (3, "v w[1,0] b[2]"),
        ("2-3", "k w1[0,1] w2[1,2] b2[0] v[2,0] c[0]"),
        *((2, each) for each in ("w", "b c", "k w")),
    ],
)
def test_frozen_weights_keep_their_values(hidden: Any, freeze: str) -> None:
    """With weight decay and momentum, frozen arrays and single weights do not change, and all others do."""
    options = {**OPTIONS, "hidden": hidden, "optimizer": "adam", "weight_decay": 0.1, "skip": True, "batch": 3}
    studies = (make_study(**options | {"freeze": freeze, "max_steps": n}) for n in (0, 9))
    start, end = (sweep.trace(study, 1).weights for study in studies)
    frozen = named_parameters({name: array.shape for name, array in start.items()}, freeze.split())
    assert (np.concatenate([(end[name] == start[name]).ravel() for name in start]) == frozen).all()
