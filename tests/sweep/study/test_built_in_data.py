"""The files of data and initial weights beside built-in studies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from sweep import Study
from tests.sweep.study.built_in_data import CONVERTED, FOLDER, MADE

LARGEST = "mnist1d.parquet"


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.wide if n == LARGEST else ()) for n in MADE])
def test_files_are_those_that_formulas_make(name: str) -> None:
    """Each number has the same bits."""
    file = FOLDER / name
    found = dict(np.load(file)) if file.suffix == ".npz" else dict(pd.read_parquet(file).items())
    made = MADE[name]()
    assert list(found) == list(made)
    for key, array in made.items():
        np.testing.assert_array_equal(np.asarray(found[key]), array)


@pytest.mark.parametrize("name", CONVERTED)
def test_converted_files_name_their_origin(name: str) -> None:
    found = pq.read_metadata(FOLDER / name).metadata
    assert set(found) == {b"source", b"license", b"sha256"}
    assert all(found.values())


# Inputs, classes, and patterns to train, validate and test: of sonar.names, and of the report on PROBEN1, table 1.
SHAPES = {
    "sonar": (60, 2, 104, 0, 104),
    "proben1-cancer1": (9, 2, 350, 175, 174),
    "proben1-cancer2": (9, 2, 350, 175, 174),
    "proben1-cancer3": (9, 2, 350, 175, 174),
    "proben1-card1": (51, 2, 345, 173, 172),
    "proben1-diabetes1": (8, 2, 384, 192, 192),
    "proben1-gene1": (120, 3, 1588, 794, 793),
    "proben1-glass1": (9, 6, 107, 54, 53),
    "proben1-heart1": (35, 2, 460, 230, 230),
    "proben1-soybean2": (82, 19, 342, 171, 170),
    "proben1-thyroid1": (21, 3, 3600, 1800, 1800),
}


@pytest.mark.parametrize("name", [name.removesuffix(".parquet") for name in CONVERTED])
def test_converted_files_have_all_patterns(name: str) -> None:
    target = "kind" if name == "sonar" else "y"
    data = {"file": FOLDER / f"{name}.parquet", "target": target, "target_one_hot": True, "split": "split"}
    found = Study(data=data, network={"hidden": 0}, training={"learning_rate": 1.0}).data
    counts = (found.n_patterns, found.n_validations, found.n_tests)
    assert (found.n_inputs, found.n_targets, *counts) == SHAPES[name]
