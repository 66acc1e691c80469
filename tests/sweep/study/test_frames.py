"""Studies of data frames and arrays: classes, categories, and values that cannot be used."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sweep import Study, StudyError
from sweep.study.load import parse_study
from tests.sweep.support import refused

OPTIONS: dict[str, Any] = {"hidden": 2, "learning_rate": 0.1}
FRAME = pd.DataFrame(
    {
        "size": [1.5, 2.0, 4.0, 3.0],
        "kind": ["b", "a", "c", "a"],
        "color": pd.Categorical(["red", "green", "red", "green"], categories=["red", "blue", "green"]),
        "big": [False, False, True, True],
        "n": [3, 1, 2, 2],
    }
)
ROWS = ((1.5, 0.0, 3.0), (2.0, 0.0, 1.0), (4.0, 1.0, 2.0), (3.0, 1.0, 2.0))
KINDS = ((0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0))


def of(frame: Any = FRAME, target: Any = "kind", **options: Any) -> Study:
    """Return a study of a frame, which is the one that its canonical form describes."""
    study = Study.from_frame(frame, target, **OPTIONS | options)
    assert parse_study(study.to_toml(), "there") == study
    return study


def test_columns_become_numbers() -> None:
    """Numbers and bools are inputs, categories have an input each, and classes a target each in ascending order."""
    plain = of(inputs=["size", "big", "n"])
    assert (plain.data.inputs, plain.data.targets) == (ROWS, KINDS)
    found = of(one_hot=["color"])
    assert found.data.inputs[0] == (1.5, 1.0, 0.0, 0.0, 0.0, 3.0)
    assert found.data.inputs[1] == (2.0, 0.0, 0.0, 1.0, 0.0, 1.0)
    by_values = of(FRAME.astype({"color": str}), one_hot=["color", "n"])
    assert by_values.data.inputs[0] == (1.5, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("package", ["pyarrow", pytest.param("polars", marks=pytest.mark.wide)])
def test_other_frames(package: str) -> None:
    """Frames of other packages are those of pandas."""
    module = pytest.importorskip(package, reason="the extra test-all is not installed")
    frame = module.from_pandas(FRAME) if package == "polars" else module.Table.from_pandas(FRAME)
    assert of(frame, inputs=["size", "big"]) == of(inputs=["size", "big"])


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([True, False, False, True], [[1], [0], [0], [1]]),
        ([10, 9, 9, 10], [[1], [0], [0], [1]]),
        (["no", "yes", "no", "no"], [[0], [1], [0], [0]]),
        (pd.Categorical(["y", "x", "z", "x"]), [[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 0, 0]]),
        (np.array([2, 10, 1, 2]), [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]),
        (pd.array([1, 0, 0, 1], dtype="Int8"), [[1], [0], [0], [1]]),
    ],
)
def test_classes(labels: Any, expected: list[list[float]]) -> None:
    """Labels of any type are classes, in a frame and as an array; two share one target."""
    frame = FRAME.assign(kind=labels)[["size", "kind"]]
    by_arrays = Study.from_arrays(FRAME[["size"]].to_numpy(), labels, **OPTIONS)
    assert of(frame) == by_arrays
    assert np.array(by_arrays.data.targets).tolist() == expected
    levels = of(frame, target_low=-1, target_high=2).data.targets
    assert np.array(levels).tolist() == (np.array(expected) * 3 - 1).tolist()
    if len(expected[0]) == 1:
        two = of(frame, target_one_hot=True).data.targets
        assert two == tuple((1 - high, high) for (high,) in expected)


def test_numbers_as_targets() -> None:
    """Floats, and columns of targets, are numbers."""
    by_frame = of(target=None, targets=["n", "size"], inputs=["big"])
    assert by_frame.data.targets == ((3.0, 1.5), (1.0, 2.0), (2.0, 4.0), (2.0, 3.0))
    assert Study.from_arrays(FRAME[["big"]], FRAME[["n", "size"]], **OPTIONS) == by_frame
    assert Study.from_arrays([[1, 2], [3, 4]], [0.5, 1.0], **OPTIONS).data.targets == ((0.5,), (1.0,))


def test_held_out_frames() -> None:
    """They have the inputs, classes and categories of the frame to train on, in its order."""
    others = FRAME.iloc[[2]][FRAME.columns[::-1]].assign(more="x")
    study = of(one_hot=["color"], test=others, validation=FRAME.head(2))
    test = study.data.only.test
    assert test
    assert (test.inputs, test.targets) == (((4.0, 1.0, 0.0, 0.0, 1.0, 2.0),), ((0.0, 0.0, 1.0),))
    assert study.data.n_validations == 2
    arrays = Study.from_arrays([[1.0], [2.0]], ["a", "b"], test=([[3.0]], ["b"]), **OPTIONS)
    assert arrays.data.only.test
    assert arrays.data.only.test.targets == ((1.0,),)


def test_options() -> None:
    """Options are named as on the command line: lists are swept; tables are those of a study."""
    study = of(inputs=["size"], hidden=[2, 4], count=7, test_count=1, split_seed=[0, 1], network={"bias": False})
    assert study.parameters == {"hidden": (2, 4), "split_seed": (0, 1)}
    assert (study.seeds.count, study.values_of("bias"), study.data.n_tests) == (7, (False,), 1)
    swept = of(inputs=["size"], parameters={"scale": [1.0, 2.0]}, learning_rate=np.array([0.1, 0.2]), name="mine")
    assert (list(swept.parameters), swept.name) == (["scale", "learning_rate"], "mine")
    assert of(inputs=["size"], folds=2, standardize=True).parameters == {"fold": (0, 1)}


def frame_with(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"kind": ["a", "b", "c"], **columns}, index=[7, 8, 9])


@pytest.mark.parametrize(
    ("frame", "options", "fault"),
    [
        (FRAME, {}, "data, row 0, column 'color': must be a finite number, got 'red'; or name it in one_hot"),
        (frame_with(x=[1.0, None, 2.0]), {}, "data, row 8, column 'x': the value is missing, got None; fill it in"),
        (frame_with(x=pd.array([1, 2, None])), {}, "data, row 9, column 'x': the value is missing, got None"),
        (frame_with(x=[1.0, np.inf, 2.0]), {}, "data, row 8, column 'x': must be a finite number, got inf"),
        (frame_with(x=pd.to_datetime(["2020", "2021", "2022"])), {}, "column 'x': must hold numbers, bools or texts"),
        (frame_with(x=[1j, 0, 0]), {}, "column 'x': must hold numbers, bools or texts, got type 'complex128'"),
        (frame_with(x=[[1], 0, 0]), {}, "data, row 7, column 'x': must be a finite number, got '[1]'"),
        (frame_with(x=[1, 2, 3], kind=["a", None, "b"]), {}, "data, row 8 has no class in column 'kind'"),
        (frame_with(x=["p", None, "q"]), {"one_hot": ["x"]}, "data, row 8 has no category in column 'x'"),
        (frame_with(x=[1, 2, 3], kind=["a"] * 3), {}, "data must have 2 to 1024 classes in column 'kind', got 1"),
        (
            frame_with(x=[1, 2, 3], kind=[1.0, 2.5, 3.5]),
            {},
            "data, row 8, column 'kind': a class must be a text, a bool or a whole number, got '2.5'; name the "
            "column in targets",
        ),
        (frame_with(x=[1, 2, 3]).head(0), {}, "data has no patterns"),
        (pd.DataFrame(), {}, "data has no column 'kind'; there are none"),
        (
            frame_with(x=np.array([1, 10**400, 3], object)),
            {},
            "data, row 8, column 'x': must be a finite number, got <integer of 401 digits>",
        ),
        (frame_with(x=[1, 2, 3]), {"inputs": "x"}, "inputs: must be a list of names of columns, got 'x'; write ['x']"),
        (frame_with(x=["p", "q", "p"]), {"one_hot": "x"}, "one_hot: must be a list of names of columns, got 'x'"),
        (frame_with(x=[1, 2, 3]), {"target": "y"}, "data has no column 'y'; there are kind, x"),
        (frame_with(x=[1, 2, 3]), {"inputs": ["x", "z"]}, "data has no column 'z'; there are kind, x"),
        (frame_with(x=[1, 2, 3]), {"one_hot": ["z"]}, "data has no column 'z'; there are kind, x"),
        (frame_with(x=[1, 2, 3]), {"one_hot": ["kind"]}, "one_hot must name columns of inputs (x), got 'kind'"),
        (frame_with(x=[1, 2, 3]), {"test": frame_with(y=[1, 2, 3])}, "data.test has no column 'x'"),
        (frame_with(x=[1, 2, 3]), {"hiden": 3}, "unknown option 'hiden'; did you mean 'hidden'?"),
        (frame_with(x=[1, 2, 3]), {"targets": ["x"]}, "from_frame: must have one of target (classes) and targets"),
        ([[1, 2]], {}, "data: must be a data frame, got [[1, 2]]; use Study.from_arrays for arrays"),
        (frame_with(), {}, "data must have columns of inputs beside targets, got kind"),
        (
            frame_with(x=[1, 2, 3]),
            {"validation": frame_with(x=[1, 2, 3], kind=["a", "b", "d"])},
            "data.validation, row 9 must have a class of the patterns to train on (a, b, c) in column 'kind', got 'd'",
        ),
        (
            frame_with(x=["p", "q", "p"]),
            {"one_hot": ["x"], "test": frame_with(x=["p", "r", "p"])},
            "data.test, row 8 must have a category of the patterns to train on (p, q) in column 'x', got 'r'",
        ),
    ],
)
def test_refused(frame: Any, options: dict[str, Any], fault: str) -> None:
    """A fault is one sentence, with column and row."""
    with refused(fault):
        of(frame, **options)


def test_refused_arrays() -> None:
    """Arrays need as many targets as inputs, and at most two dimensions."""
    with pytest.raises(StudyError, match="inputs and targets must have the same number of rows, got 2 of inputs and 1"):
        Study.from_arrays([[1], [2]], ["a"], **OPTIONS)
    with pytest.raises(StudyError, match=r"data\.test: inputs and targets must be arrays of at most two dimensions"):
        Study.from_arrays([[1], [2]], ["a", "b"], test=(np.zeros((1, 2, 2)), ["a"]), **OPTIONS)


@pytest.mark.parametrize("dtype", ["int8", "uint64", "float16", "float32", "bool", "Int64", "float64[pyarrow]"])
def test_numbers_of_any_type(dtype: str) -> None:
    """Numbers are those that float() makes of them."""
    values = pd.Series([0, 1, 1, 0]).astype(dtype)
    values = values.replace(1, 2**64 - 1) if dtype == "uint64" else values
    found = of(pd.DataFrame({"x": values, "kind": ["a", "b", "a", "b"]})).data.inputs
    assert found == tuple((float(value),) for value in values)
