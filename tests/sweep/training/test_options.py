"""Every option reaches the kernels: swept, it gives the rows of separate studies and of the oracle."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sweep
from kernels.components.declarations import IS_SET
from kernels.recipe import Architecture, Recipe
from sweep import Study, load_study
from sweep.schedule.recipes import make_recipe
from sweep.study.options.option_tables import OPTIONS, SWEEPABLE
from sweep.training.networks.part_trainer import make_start
from tests.kernels.support import compiled_only, some_compiled
from tests.sweep.expected import expected_runs
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import SECTIONS, SHAPE, assert_same_table, make_study

# Three patterns of two inputs and two outputs, so that sums, means and orders differ.
DATA = {"inputs": [[0.5, 1.0], [-1.0, 0.25], [0.0, -0.75]], "targets": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]}
CLASSES = {"inputs": DATA["inputs"], "targets": [[1, 0, 0], [0, 0.25, 0.75], [0, 1, 0]],
           "test": {"inputs": [[0.3, 0.1]], "targets": [[0, 1, 0]]}}  # fmt: skip
SIGNS = {"inputs": DATA["inputs"], "targets": [[1, -1], [-1, 1], [1, 1]]}
ONE_HOT = {"inputs": DATA["inputs"], "targets": [[1, 0], [0, 1], [1, 0]]}

# The better the training patterns are learned, the worse are these.
VALIDATED = DATA | {"validation": {"inputs": DATA["inputs"], "targets": [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]}}


def _swept_values() -> dict[str, tuple[list[Any], dict[str, Any]]]:
    """Return values of every option, its default first, and the options with which they make a difference."""
    found = {}
    for name in SECTIONS:
        option = OPTIONS[name]
        assert option.case is not None
        beside: dict[str, Any] = {}
        if option.role == "setting":  # a component that has this setting
            beside = {of: names[0] for of, names in option.used_with.items() if names != [IS_SET] and of != "output"}
            beside.pop("criterion", None)
        beside |= dict(option.case.beside)
        if beside.get("loss") == "cross_entropy":
            beside["data"] = ONE_HOT
        is_held_out = "stopping_rule" in beside or "validation" in str(option.case)
        if is_held_out and beside.get("stopping_rule", "gl").startswith("gl"):
            beside |= {"data": VALIDATED} | ({"monitor": "validation_loss"} if "stopping_rule" in beside else {})
        has_default = option.role != "limit" and name != "stopping_rule"
        has_default &= isinstance(option.default, type(option.case.values[0]))  # a column has one type
        found[name] = [option.default] * has_default + [*option.case.values], beside
    return found


SWEPT = _swept_values()

# At least two values of every option of the data, and the data with which they make a difference. Some options change
# the number of patterns or columns, so a study has one value of them.
OF_SIZE_OF_TASKS = ("bits", "n", "n_inputs", "n_outputs", "classes", "problem")
OF_SIZE = (*OF_SIZE_OF_TASKS, "train_count", "test_count", "validation_count", "folds")
OF_DATA: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "function": ([6, 0, 15], {"task": "boolean", "bits": 2}),
    "noise": ([0.0, 0.3], {"task": "moons", "n": 3}),
    "data_seed": ([0, 3, 4], {"task": "noise", "n": 4, "n_inputs": 2, "n_outputs": 2, "test": SIGNS}),
    "coding": (["01", "pm1"], {"task": "xor"}),
    "target_low": ([0.0, -1.0], {"task": "xor", "test": {"task": "or"}}),
    "target_high": ([1.0, 0.5], {"task": "encoder", "n": 3}),
    "split_seed": ([0, 1], {"task": "parity", "bits": 3, "train_count": 6}),
    "validation_seed": ([0, 1], {"task": "parity", "bits": 3, "validation_count": 2}),
    "fold": ([0, 3, 1], {"task": "parity", "bits": 3, "folds": 4}),
    "stratify": ([False, True], {"task": "and", "folds": 2, "fold": 0}),
    "standardize": ([False, True], {"task": "moons", "n": 3, "test_count": 2}),
    "label_noise": ([0.0, 0.5], {"task": "parity", "bits": 3, "train": [5, 1, 7, 0]}),
    "noise_seed": ([0, 1], {"task": "parity", "bits": 3, "label_noise": 0.25}),
    "decision_threshold": ([0.5, 0.45, 0.55], {"task": "xor", "test": {"inputs": [[0.5, 0.5]], "targets": [0.2]}}),
}

# Values of the arguments of held-out patterns, and the task with which they make a difference.
OF_HELD_OUT: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "function": ([6, 0, 15], {"task": "boolean", "bits": 2}),
    "noise": ([0.0, 0.3], {"task": "moons", "n": 3}),
    "data_seed": ([0, 3, 4], {"task": "moons", "n": 3, "noise": 0.1}),
    "coding": (["pm1", "01"], {"task": "or"}),
    "target_low": ([0.0, -1.0], {"task": "xor"}),
    "target_high": ([1.0, 0.5], {"task": "xor"}),
}

# Combinations of options, by a name.
TOGETHER: dict[str, dict[str, Any]] = {
    "bce": {"loss": "bce", "output": "sigmoid", "optimizer": ["gd", "rprop"]},
    "softmax": {
        "loss": "cross_entropy",
        "output": "softmax",
        "data": CLASSES,
        "criterion": ["correct", "loss"],
        "reduction": "mean",
    },
    "hinge": {"loss": "hinge", "data": SIGNS, "batch": [1, 3], "order": "shuffled", "optimizer": "nesterov"},
    "leaky_relu": {
        **{"activation": "leaky_relu", "output": "leaky_relu", "negative_slope": [0.5, 0.1], "dtype": "float32"},
        **{"optimizer": "rmsprop", "alpha": [0.5, 0.9], "batch": 2, "divergence_threshold": [3.0, 1e9]},
    },
    "shared": {
        **{"share": ["v[0] v[2]", "none"], "weight_decay": 0.3, "decays": ["v", "w v b c"], "penalty": True},
        **{"data": VALIDATED, "patience": 3},
    },
    "frozen": {"freeze": ["k", "b c"], "skip": True, "optimizer": ["adam", "rmsprop"]},
    "named": {"scale": ["he", "glorot"], "distribution": ["uniform", "truncated_normal"], "output_scale": "lecun"},
    "by_array": {
        "scale": ["torch", "1 w=he b=0.1 c=torch"],
        "distribution": ["uniform v=normal c=truncated_normal", "normal b=constant"],
        **{"offset": "0 b=0.1 v=-1", "bias_scale": 0.5, "generator": ["mt19937", "pcg64"]},
    },
    "by_layer": {"layers": 2, "scale": "1 w=he w2=0.5 b2=0.1", "offset": ["0 w2=1", "0 b=1 b1=2 c=-1"]},
    "by_unit": {
        "offset": ["0 b=[4,0,-4]", "1 b=[1,2,3] c=-1"],
        "scale": [0.1, 1.0],
        "distribution": ["uniform", "normal"],
    },
    "joined": {
        **{"hidden": ["2-3-2", "3-1", "3"], "skip": [True, False], "shortcuts": ["all", "outputs"], "batch": 2},
        **{"optimizer": "adam", "output_learning_rate": 0.05, "weight_decay": 0.1, "penalty": True, "decays": "w k"},
        **{"freeze": "c k[0,0]", "scale": "1 k=0.3 k2=he", "output_scale": 0.5, "draw_order": "k2.T v k b w c"},
    },
    "start": {"draw_order": ["b v w k", "k.T w.T"], "output_scale": [0.5, 2.0], "skip": True, "dtype": "float32"},
}


def study_of(name: str, values: list[Any] | Any, **others: Any) -> Study:
    """Return a study of a few short runs with these values of an option."""
    options = {
        "data": DATA,
        "hidden": 3,
        "activation": "tanh",
        "learning_rate": 0.1,
        "max_steps": 20,
        "threshold": 0.05,
        **others,
        name: values,
    }
    if options.get("criterion") == "none":  # which ignores it
        del options["threshold"]
    return make_study(count=6, **options)


def rows_of(study: Study) -> pd.DataFrame:
    """Train a study and return its rows."""
    return sweep.run(study).runs()


def test_every_option_is_swept_here() -> None:
    """Every option of a study is tested in this file."""
    of_held_out = {f"{use}_{key}" for use in ("validation", "test") for key in (*OF_HELD_OUT, *OF_SIZE_OF_TASKS)}
    assert SWEEPABLE.keys() == {*SWEPT, *OF_DATA, *OF_SIZE, *of_held_out}


@pytest.mark.parametrize(
    "name", some_compiled(SWEPT, {"learning_rate", "scale", "threshold", "max_epochs"}.__contains__)
)
def test_swept_as_separately(name: str) -> None:
    """A swept study has the rows of a study for each value and of the oracle, and the values make a difference."""
    values, others = SWEPT[name]
    _check_swept(study_of(name, values, **others), [study_of(name, value, **others) for value in values])


@pytest.mark.wide
@pytest.mark.parametrize(
    ("name", "batch"),
    some_compiled(
        itertools.product(OF_DATA, ("full", 2)),
        ("function", "full").__eq__,
    ),
)
def test_data_swept_as_separately(name: str, batch: int | str) -> None:
    """Cells with different patterns train together, in full batch and in windows, and use their own test patterns."""
    values, data = OF_DATA[name]
    options: dict[str, Any] = {
        "hidden": 3,
        "activation": "tanh",
        "learning_rate": 0.2,
        "max_steps": 20,
    }
    options |= {"criterion": "correct", "batch": batch, "order": "shuffled", "output": "sigmoid", "count": 6}
    separate = [make_study(**options, data=data | {name: value}) for value in values]
    _check_swept(Study(**tables_of(separate[0]) | {"data": data, "parameters": {name: values}}), separate)


@pytest.mark.wide
@pytest.mark.parametrize("use", ["test", "validation"])
@pytest.mark.parametrize("name", some_compiled(OF_HELD_OUT, "noise".__eq__))
def test_held_out_swept_as_separately(name: str, use: str) -> None:
    """Held-out patterns differ by cell, and the patterns to train on are the same."""
    values, table = OF_HELD_OUT[name]
    options: dict[str, Any] = {"hidden": 3, "activation": "tanh", "learning_rate": 0.2, "max_steps": 20, "count": 6}
    separate = [make_study(**options, data={"task": "xor", use: table | {name: value}}) for value in values]
    data = {"task": "xor", use: table}
    study = Study(**tables_of(separate[0]) | {"data": data, "parameters": {f"{use}_{name}": values}})
    _check_swept(study, separate, f"{use}_loss")
    assert {patterns.inputs for patterns in study.data.sets} == {separate[0].data.inputs}


def tables_of(study: Study) -> dict[str, Any]:
    """Return the tables of a study of one cell."""
    tables = study.canonical()
    for parameter, values in tables.pop("parameters").items():
        tables[SECTIONS[parameter]][parameter] = values["values"][0]
    return tables


def _check_swept(study: Study, separate: list[Study], loss: str = "final_loss") -> None:
    """Require the rows of the oracle and of a study for each value of the swept option, and that values differ."""
    rows = rows_of(study)
    assert_same_table(rows, expected_runs(study))
    (name,) = study.parameters
    found = []
    for cell, alike in enumerate(separate):
        own = rows[rows["cell"] == cell].drop(columns=["run", "cell", name]).reset_index(drop=True)
        alone = rows_of(alike).drop(columns=["run", "cell"])
        if "epochs" not in alone:
            own = own.drop(columns="epochs", errors="ignore")
        pd.testing.assert_frame_equal(own, alone)
        found.append(tuple(own[loss]) + tuple(own["steps"]) + tuple(own["n_correct"]))
    assert len(set(found)) == len(found)


@pytest.mark.wide
@pytest.mark.parametrize("name", some_compiled(TOGETHER, "start".__eq__))
def test_options_together(name: str) -> None:
    """A grid of several options has the rows of the oracle, whatever the parts."""
    options = {"data": DATA, "hidden": 3, **TOGETHER[name]}
    study = make_study(count=3, learning_rate=[0.1, 0.02], max_steps=10, threshold=0.05, **options)
    expected = expected_runs(study)
    for part_runs in (None, 5):
        assert_same_table(run_in_parts(study, part_runs=part_runs).runs(), expected)


def test_recipes_have_the_options_of_the_study() -> None:
    """Recipes hold the options of the study, except for names of losses and full batch."""
    study = study_of("loss", "mse", optimizer="adam", scaling="ntk", skip=True, output="sin", order="shuffled", batch=2)
    recipe = make_recipe(study, study.grid.cell(0))
    assert recipe == Recipe(
        Architecture(2, 2, "tanh", "sin", bias=True, skip=True, scaling="ntk"),
        **{"loss": "squared", "reduction": "mean", "optimizer": "adam", "batch": 2, "order": "shuffled"},
    )
    full = study_of("batch", "full", order="shuffled")
    assert make_recipe(full, full.grid.cell(0))[4:6] == (None, "cyclic")


# Options whose values do not all have different recipes.
NOT_ALONE = ("hidden", "layers", "batch", "loss", "reduction")


@pytest.mark.parametrize("name", [name for name in SHAPE if name not in NOT_ALONE])
def test_every_option_of_a_kernel_is_in_its_recipe(name: str) -> None:
    """Two values give two recipes, so each has its own trainer."""
    values, others = SWEPT[name]
    study = study_of(name, values, **others)
    grid = study.grid
    recipes = [make_recipe(study, grid.cell(cell)) for cell in range(study.n_cells)]
    assert len(set(recipes)) == len(recipes)


def test_starts_have_the_options_of_the_study() -> None:
    """A start holds the options of the study."""
    study = study_of("draw_order", "b v", output_scale=0.5, generator="pcg64")
    start = make_start(study, study.grid.cell(0), attempt=3)
    assert start == ("normal", 1.0, 0.5, None, "b v w c k", "pcg64", True, 3, 0.0)


@pytest.mark.wide
def test_column_of_epochs_only_where_needed() -> None:
    """The column exists if an epoch of some cell has several steps, and counts whole epochs."""
    assert "epochs" not in rows_of(study_of("batch", "full"))
    rows = rows_of(study_of("batch", ["full", 2, 1], max_steps=7, threshold=1e-30))
    assert list(rows.columns)[4:7] == ["status", "steps", "epochs"]
    assert rows["epochs"].dtype == np.int32
    assert (rows["steps"] == 7).all()
    assert rows.groupby("batch")["epochs"].unique().to_dict() == {1: [2], 2: [3], 3: [7]}


@pytest.mark.wide
def test_limits_of_epochs_in_statistics() -> None:
    """The restricted mean (RMST) counts a run that did not converge with its limit of steps."""
    study = study_of("max_epochs", [2, 5], batch=2, max_steps=1000, threshold=1e-9)
    result = sweep.run(study)
    assert result.cells["n_exhausted"].tolist() == [6, 6]
    assert result.cells["restricted_mean_steps"].tolist() == [4.0, 10.0]


def test_first_runs_of_hinton_problems() -> None:
    """The first runs of the built-in study converge at the published steps, or have not by then."""
    rows = rows_of(load_study("hinton-xor", {"seeds.count": 4, "max_steps": 1400}))
    assert rows["steps"].where(rows["status"] == "converged", 0).tolist() == [1393, 869, 0, 531]


@pytest.mark.wide
@compiled_only
def test_published_study_of_hinton_problems() -> None:
    """The built-in study reproduces the published numbers: which runs converge, and when."""
    rows = rows_of(load_study("hinton-xor"))
    converged = rows[rows["status"] == "converged"]
    assert len(converged) == 25
    assert rows.loc[rows["status"] != "converged", "seed"].tolist() == [2, 4, 11, 24, 27]
    assert converged["steps"].median() == 730
    assert (converged["steps"].min(), converged["steps"].max()) == (474, 2489)
    assert (rows["steps"][0], rows["steps"][3]) == (1393, 531)


# The epoch at which each seed converges, 0 if it does not, by an independent simulation of the publication:
# 20 of 30 seeds, from 972 to 2025.
SYMMETRY = (
    *(1111, 1061, 1077, 1287, 1260, 998, 1479, 1334, 2025, 1256, 1130, 1603, 1407, 1102, 0, 0, 1187, 0, 0, 972),
    *(0, 0, 974, 1520, 1289, 0, 0, 0, 1300, 0),
)


@pytest.mark.wide
@compiled_only
def test_published_study_of_symmetry() -> None:
    """The built-in study reproduces the epoch of each seed."""
    rows = rows_of(load_study("hinton-symmetry"))
    assert rows["steps"].where(rows["status"] == "converged", 0).tolist() == list(SYMMETRY)
