"""The files of data and initial weights beside built-in studies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.sweep.study.built_in_data import FOLDER, MADE


@pytest.mark.parametrize("name", MADE)
def test_files_are_those_that_formulas_make(name: str) -> None:
    """Each number has the same bits."""
    file = FOLDER / name
    found = dict(np.load(file)) if file.suffix == ".npz" else dict(pd.read_parquet(file).items())
    made = MADE[name]()
    assert list(found) == list(made)
    for key, array in made.items():
        np.testing.assert_array_equal(np.asarray(found[key]), array)


def test_every_file_can_be_made() -> None:
    assert {file.name for file in FOLDER.iterdir() if file.suffix not in (".toml", ".py", "")} == set(MADE)
