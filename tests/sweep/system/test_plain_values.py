"""Arrays, series and sequences are accepted instead of lists, and NumPy scalars instead of Python ones."""

from __future__ import annotations

import array
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sweep import Study, StudyError, load_study
from sweep.system.plain_values import plain

TABLES: dict[str, Any] = {"data": {"task": "xor"}, "network": {"hidden": 2}, "training": {"learning_rate": 0.1}}
LISTS = [
    *(np.array([2, 4], dtype) for dtype in ("int8", "uint8", "int16", "int32", "uint32", "int64", "uint64", "object")),
    np.array([2, 4])[::-1][::-1],
    np.array([[2, 3], [4, 5]])[:, 0],
    (2, 4),
    range(2, 5, 2),
    [np.int32(2), np.array(4)],
    array.array("q", [2, 4]),
    pd.Series([2, 4], index=["a", "b"]),
    pd.Series([2, 4], dtype="Int64"),
    pd.Index([2, 4]),
]
SCALARS = [
    (np.float64(0.1), 0.1),
    (np.float32(0.1), 0.10000000149011612),
    (np.float16(0.1), 0.0999755859375),
    (np.int64(3), 3),
    (np.uint8(3), 3),
    (np.bool_(True), True),
    (np.str_("relu"), "relu"),
    (np.array(0.5), 0.5),
    (np.array(7), 7),
]


@given(
    hnp.arrays(hnp.floating_dtypes(sizes=(16, 32, 64)) | hnp.integer_dtypes(), hnp.array_shapes(min_dims=0, max_dims=3))
)
def test_numbers_are_kept_exactly(values: np.ndarray[Any, Any]) -> None:
    """Every element of an array of any dtype and shape becomes the equal Python number."""
    converted = plain(values)
    assert repr(converted) == repr(values.tolist())
    flat = np.array(converted, dtype=object).ravel()
    assert all(type(value) in (int, float) for value in flat)


@pytest.mark.parametrize("values", LISTS, ids=lambda values: f"{type(values).__name__} {getattr(values, 'dtype', '')}")
def test_lists(values: Any) -> None:
    """The values of a parameter may be any sequence, in Study and in changes."""
    expected = Study(**{**TABLES, "network": {}}, parameters={"hidden": [2, 4]})
    for spec in (values, {"values": values}):
        study = Study(**{**TABLES, "network": {}}, parameters={"hidden": spec})
        assert study == expected
        assert study.to_toml() == expected.to_toml()
        assert all(type(value) is int for value in study.parameters["hidden"])
    assert load_study("xor", {"hidden": values}) == load_study("xor", {"hidden": [2, 4]})


@pytest.mark.parametrize(("value", "expected"), SCALARS, ids=lambda value: repr(value))
def test_scalars(value: Any, expected: Any) -> None:
    """A NumPy scalar becomes the equal Python scalar."""
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


def test_scalars_everywhere() -> None:
    """Tables, counts and changes accept NumPy scalars."""
    study = Study(
        name=np.str_("small"),
        data={"task": np.str_("xor")},
        network={"hidden": np.int64(3), "bias": np.bool_(False)},
        training={"learning_rate": np.float32(0.5)},
        seeds={"base": np.uint32(4), "count": np.array(5)},
        parameters={"scale": np.float64(2)},
    )
    assert (study.name, study.in_tables["hidden"], study.in_tables["bias"]) == ("small", 3, False)
    assert (study.seeds.base, study.seeds.count, study.parameters) == (4, 5, {"scale": (2.0,)})
    changed = load_study("xor", {"seeds.count": np.int16(5), np.str_("hidden"): np.int64(3), "bias": np.bool_(True)})
    assert changed == load_study("xor", {"seeds.count": 5, "hidden": 3, "bias": True})


@pytest.mark.parametrize("dtype", ["int8", "float16", "float32", "float64"])
def test_patterns(dtype: str) -> None:
    """Inputs and targets may be arrays, frames, and flat targets for a single output."""
    expected = Study(**TABLES)
    inputs, targets = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype), np.array([0, 1, 1, 0], dtype)
    frame = pd.DataFrame(inputs, columns=["a", "b"])
    for data in (
        {"inputs": inputs, "targets": targets},
        {"inputs": inputs, "targets": targets[:, np.newaxis]},
        {"inputs": list(inputs), "targets": tuple(targets)},
        {"inputs": frame, "targets": pd.Series(targets)},
        {"inputs": inputs.tolist(), "targets": [0, 1, 1, 0]},
    ):
        assert Study(**{**TABLES, "data": data}) == expected
        assert load_study("xor", data) == load_study("xor")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([0.5, 1.5]), "got 0.5"),
        (np.array([2j]), "got 2j"),
        (np.array([[2, 3]]), "got [2, 3]"),
        (np.array([]), "empty"),
        (np.array(["two"]), "got 'two'"),
        (np.array([True]), "got True"),
        (np.arange(2000.0), "got 0.0"),
        (pd.Series([2, None], dtype="Int64"), "got <NA>"),
        ((k for k in range(3)), "a list such as [2, 4, 8]"),
        ({2, 3}, "a list such as [2, 4, 8]"),
        (np.ndarray, "<class 'numpy.ndarray'>"),
        (np.array([2, 3], "M8[ns]"), "a list such as [2, 4, 8]"),
        (np.array([2, 3], "m8[ns]"), "a list such as [2, 4, 8]"),
        (pd.Series(np.array([2, 3], "M8[ns]")), "a list such as [2, 4, 8]"),
        ([np.timedelta64(2, "ns")], "must be an integer"),
    ],
)
def test_arrays_that_cannot_be_swept(values: Any, words: str) -> None:
    """Anything but a list of valid values is refused on one line."""
    with pytest.raises(StudyError) as caught:
        Study(**{**TABLES, "network": {}}, parameters={"hidden": values})
    assert words in caught.value.faults[0]
    assert all(fault.isprintable() for fault in caught.value.faults)


def test_a_list_that_holds_itself() -> None:
    """A list that contains itself is refused as a pattern."""
    endless: list[Any] = []
    endless.append(endless)
    assert plain(endless)
    with pytest.raises(StudyError, match=r"data\.inputs\[0\]\[0\]: must be a number"):
        Study(**{**TABLES, "data": {"inputs": endless, "targets": endless}})


def test_objects_that_fail() -> None:
    """An object whose conversion fails is refused like any other."""

    class Broken:
        def tolist(self) -> Any:
            raise RuntimeError

        def __repr__(self) -> str:
            raise RuntimeError

    with pytest.raises(StudyError, match=r"network\.hidden: must be an integer.* got <Broken"):
        Study(**{**TABLES, "network": {"hidden": Broken()}})


@given(st.recursive(st.integers() | st.floats(allow_nan=False) | st.text() | st.none(), st.lists))
def test_plain_values_stay(value: Any) -> None:
    """Lists of built-in scalars are not changed."""
    assert plain(value) == value


def test_numpy_is_not_imported() -> None:
    """Ranges and tuples do not import NumPy."""
    code = (
        "import sys, sweep; sweep.load_study('xor', {'hidden': range(2, 4), 'bias': (True, False)});"
        "assert not {'numpy', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
