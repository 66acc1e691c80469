"""Messages of errors are short, on one line, and suggest a name only if it is similar."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep import StoreError, StudyError, SweepError
from sweep.errors import MOST_LISTED, DamageError, closest, shown, shown_names, unknown
from sweep.study.load import built_in_studies
from sweep.study.options.option_tables import SECTIONS, SWEEPABLE
from tests.sweep.strategies import anything, nested


@pytest.mark.parametrize(
    ("given", "meant", "allowed"),
    [
        ("lerning_rate", "learning_rate", SWEEPABLE),
        ("learnrate", "learning_rate", SWEEPABLE),
        ("hiden", "hidden", SWEEPABLE),
        ("hidden_size", "hidden", SWEEPABLE),
        ("steps", "max_steps", SWEEPABLE),
        ("optim", "optimizer", SWEEPABLE),
        ("slope", "negative_slope", SWEEPABLE),
        ("netwrok", "network", SECTIONS),
        ("train", "training", SECTIONS),
        ("xro", "xor", ["xor", "seed"]),
        ("linear_xor", "linear-xor", built_in_studies()),
        ("geomspce", "geomspace", ["geomspace", "geomspace", "linspace"]),
    ],
)
def test_close_names_are_hinted_at(given: str, meant: str, allowed: Any) -> None:
    """A misspelled name, or part of a name, is recognized."""
    assert f"unknown key {given!r}; did you mean {meant!r}? Known: " in unknown("key", given, allowed)


@pytest.mark.parametrize(
    "given",
    ["width", "units", "lr", "l1", "neurons", "x", "", "dropout"],
)
def test_other_names_are_not(given: str) -> None:
    """A name that only shares some letters gets known names, of many the first ones, without a suggestion."""
    first = ", ".join(list(SWEEPABLE)[: MOST_LISTED // 2])
    assert unknown("key", given, SWEEPABLE).startswith(f"unknown key {given!r}; known: {first} and ")
    assert unknown("key", given, ["hidden", "batch"]) == f"unknown key {given!r}; known: hidden, batch"


def test_dotted_names() -> None:
    """A dotted name is compared with dotted names, and others are not."""
    names, dotted = ["base", "count"], ["seeds.base", "seeds.count"]
    assert closest("seed.count", names, dotted) == "seeds.count"
    assert closest("cuont", names, dotted) == "count"


@given(anything, st.integers(20, 200))
def test_shown_is_short(value: Any, limit: int) -> None:
    """Every value is shown on one short line."""
    text = shown(value, limit)
    assert 0 < len(text) <= limit
    assert text.isprintable()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (float("nan"), "nan"),
        (True, "True"),
        (10**29, "1" + "0" * 29),
        (-(10**5000), "<integer of 5001 digits>"),
        ([10**5000], "[<integer of 5001 digits>]"),
        ("a\nb", r"'a\nb'"),
        ("\udcff", r"'\udcff'"),
        ([1, [2, (3,)]], "[1, [2, (3,)]]"),
        (nested(100_000), "[[[[...]]]]"),
        ({"range": [1, 2]}, "{'range': [1, 2]}"),
        (list(range(100)), "[0, 1, 2, 3, 4, 5, ...]"),
        (np.array([[1, 2], [3, 4]]), "array([[1, 2], [3, 4]])"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_shown(value: Any, text: str) -> None:
    """Usual values are shown in full, long or deep ones are cut, and others are described."""
    assert shown(value) == text


def test_shown_names() -> None:
    """Names are listed without quotes, and long lists are cut."""
    assert shown_names(["x0", "a b", "y\n"]) == r"x0, a b, y\n"
    assert shown_names(map(str, range(1000))) == "0, 1, 2, 3, 4, 5, 6, 7 and 992 more"
    assert len(shown_names(["x" * 1000] * 1000)) < 300


@pytest.mark.parametrize(
    "error",
    [
        SweepError("a bad b"),
        StoreError("no folder"),
        StudyError("a bad b", "c"),
        StudyError(*(["d"] * 30)),
        DamageError("x", "no JSON"),
    ],
)
def test_errors_reach_other_processes(error: SweepError) -> None:
    """Kind, message and faults are the same after pickling, as between processes of a pool."""
    arrived = pickle.loads(pickle.dumps(error))
    assert (type(arrived), str(arrived), vars(arrived)) == (type(error), str(error), vars(error))
