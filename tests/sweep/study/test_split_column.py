"""A column of a file that says how each pattern is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sweep import Study, StudyError, load_study
from tests.sweep.support import refused

USES = ["test", "train", "validation", "train", "test"]
ROWS = {"x0": [0.0, 1.0, 2.0, 3.0, 4.0], "x1": [5.0, 6.0, 7.0, 8.0, 9.0], "y": [1, 0, 1, 2, 3]}


def table(folder: Path, suffix: str = ".csv", **columns: list[Any]) -> Path:
    """Write a file with a column of uses."""
    path, frame = folder / f"rows{suffix}", pd.DataFrame({**ROWS, "use": USES, **columns})
    if suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return path


def study(**data: Any) -> Study:
    return Study(data=data, network={"hidden": 1}, training={"learning_rate": 0.1})


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("named", [{}, {"targets": ["y"]}, {"targets": ["x1"], "inputs": ["y", "x0"]}, {"target": "y"}])
def test_as_three_files(tmp_path: Path, suffix: str, named: dict[str, Any]) -> None:
    """The study is that with a file for each use; classes are those of all rows."""
    frame = pd.DataFrame({**ROWS, "use": USES})
    files = {}
    for use, rows in frame.groupby("use"):
        files[use] = tmp_path / f"{use}.csv"
        rows.drop(columns="use").to_csv(files[use], index=False)
    found = study(file=table(tmp_path, suffix), split="use", **named)
    if "target" in named:
        assert found.data.targets == ((1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0))
        assert found.data.only.held_out["test"].targets == ((0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
        return
    held_out = {use: {"file": files[use]} for use in ("validation", "test")}
    expected = study(file=files["train"], **named, **held_out)
    assert found.identity == expected.identity
    assert (found.data.n_patterns, found.data.n_validations, found.data.n_tests) == (2, 1, 2)


def test_swept_levels_of_targets(tmp_path: Path) -> None:
    """Each set of patterns is split alike."""
    found = Study(
        data={"file": table(tmp_path), "target": "y", "split": "use", "target_high": 1},
        network={"hidden": 1},
        training={"learning_rate": 0.1},
        parameters={"target_low": [0.0, -1.0]},
    )
    assert [data.targets[0] for data in found.data.sets] == [(1.0, 0.0, 0.0, 0.0), (1.0, -1.0, -1.0, -1.0)]
    assert [data.held_out["validation"].targets[0][0] for data in found.data.sets] == [0.0, -1.0]


def test_another_file_has_no_such_column(tmp_path: Path) -> None:
    """A task in place of the file takes the column away, and so do lists."""
    path = tmp_path / "study.toml"
    path.write_text('[data]\nfile = "rows.csv"\nsplit = "use"\n[network]\nhidden = 1\n[training]\nlearning_rate = 1\n')
    table(tmp_path)
    assert load_study(path).data.n_tests == 2
    assert load_study(path, {"task": "xor"}).data.n_tests == 0
    assert load_study(path, {"inputs": [[0.0], [1.0]], "targets": [0.0, 1.0]}).data.n_patterns == 2


@pytest.mark.parametrize(
    ("data", "uses", "sentence"),
    [
        ({"split": 3}, USES, "split must be the name of a column of a file, got 3"),
        ({"split": "part"}, USES, "has no column 'part'"),
        ({}, ["test", "training", "train", "train", "test"], "row 3 must be train, validation or test in column 'use'"),
        ({}, ["test"] * 5, "must have patterns for train, and for validation or test, in column 'use', got test"),
        ({}, ["train"] * 5, "must have patterns for train, and for validation or test, in column 'use', got train"),
        ({"test": {"inputs": [[1, 2]], "targets": [1]}}, USES, "split and test are both set; remove one"),
        ({"train_count": 1}, USES, "train_count and test are both set; remove one"),
    ],
)
def test_refused(tmp_path: Path, data: dict[str, Any], uses: list[str], sentence: str) -> None:
    with refused(sentence):
        study(**{"file": table(tmp_path, use=uses), "split": "use", **data})


def test_only_with_a_file_in_data(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"split must be a key of \[data\] itself; remove it"):
        study(task="xor", test={"file": table(tmp_path), "split": "use"})
    with pytest.raises(StudyError, match="split must be used with file, got task; remove split"):
        study(task="xor", split="use")
