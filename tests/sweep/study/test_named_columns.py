"""Pattern files whose columns the study names: columns of numbers and of classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sweep import Study, StudyError, load_study
from sweep.study.data.data_table import Data, Patterns
from tests.sweep.support import refused

CSV = "id,width,length,kind,score\na,1,0.5,setosa,3\nb,2,1.5,virginica,4\nc,3,2.5,setosa,5\n"
INPUTS = ((0.5, 1.0), (1.5, 2.0), (2.5, 3.0))
NAMED: dict[str, Any] = {"inputs": ["length", "width"]}
ONE_HOT: dict[str, Any] = {"target": "kind", "target_one_hot": True}


@pytest.fixture(params=["csv", "parquet"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Write the same table in both forms."""
    path = tmp_path / f"flowers.{request.param}"
    if request.param == "csv":
        path.write_text(CSV)
    else:
        columns = {"id": list("abc"), "width": [1, 2, 3], "length": [0.5, 1.5, 2.5]}
        columns |= {"kind": ["setosa", "virginica", "setosa"], "score": [3.0, 4.0, 5.0]}
        pq.write_table(pa.table(columns), path)
    return path


def read(file: Path, **named: Any) -> Data:
    """Read patterns as a study does, and return them."""
    data = {key: value for key, value in {"file": str(file), **NAMED, **named}.items() if value is not None}
    return Study(data=data, parameters={"hidden": [2], "learning_rate": [0.1]}).data.only


def test_numbers(file: Path) -> None:
    """Columns are read in the order of their names in the study; others are ignored."""
    found = read(file, targets=["score", "width"])
    assert found.inputs == INPUTS
    assert found.targets == ((3.0, 1.0), (4.0, 2.0), (5.0, 3.0))


def test_classes(file: Path) -> None:
    """There is one target per class, in the order of the names of classes, at two levels; two classes share one."""
    assert read(file, target="kind").targets == ((0.0,), (1.0,), (0.0,))
    assert read(file, **ONE_HOT).targets == ((1.0, 0.0), (0.0, 1.0), (1.0, 0.0))
    assert read(file, **ONE_HOT, target_low=-1, target_high=2).targets == ((2.0, -1.0), (-1.0, 2.0), (2.0, -1.0))
    assert read(file, target="id", inputs=["width"]).targets == ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    levels = Study(data={"file": file, **ONE_HOT, **NAMED}, parameters={"target_low": [0.0, -1.0], "hidden": [1],
                                                                             "learning_rate": [1]})  # fmt: skip
    assert [data.targets[0] for data in levels.data.sets] == [(1.0, 0.0), (1.0, -1.0)]


def test_softmax_needs_a_target_for_each_class(file: Path) -> None:
    """Two classes with one target are refused with the key that gives them two."""
    network, training = {"output": "softmax"}, {"loss": "cross_entropy"}
    parameters = {"hidden": [2], "learning_rate": [0.1]}
    with pytest.raises(StudyError, match=r"targets.* 'cross_entropy' needs .*; .*two classes, set target_one_hot=true"):
        Study(data={"file": file, "target": "kind", **NAMED}, network=network, training=training, parameters=parameters)
    Study(data={"file": file, **ONE_HOT, **NAMED}, network=network, training=training, parameters=parameters)


def test_other_columns_are_inputs(tmp_path: Path) -> None:
    """A target alone takes all other columns as inputs, in the order of the file to train on."""
    (tmp_path / "train.csv").write_text("b,kind,a\n1,x,2\n3,y,4\n5,z,6\n")
    (tmp_path / "test.csv").write_text("a,b,extra,kind\n7,8,no,z\n")
    for names in ({"target": "kind"}, {"target": "kind", "inputs": ["b", "a"]}):
        for test in ({}, names, {"target": "kind"}):
            found = read(
                tmp_path / "train.csv", **{"inputs": None, **names}, test={"file": tmp_path / "test.csv", **test}
            )
            assert found.inputs == ((1.0, 2.0), (3.0, 4.0), (5.0, 6.0))
            assert found.test == Patterns(inputs=((8.0, 7.0),), targets=((0.0, 0.0, 1.0),))
    numbers = read(tmp_path / "train.csv", inputs=["b"], targets=["a"], validation={"file": tmp_path / "test.csv"})
    assert numbers.validation == Patterns(inputs=((8.0,),), targets=((7.0,),))
    with pytest.raises(
        StudyError, match=r"row 2, column 'kind': .* got 'x'; or name it in one_hot, .*, or name the columns"
    ):
        read(tmp_path / "train.csv", inputs=None, targets=["a"])
    (tmp_path / "one.csv").write_text("kind\nx\ny\n")
    with pytest.raises(StudyError, match=r"one.csv' must have columns of inputs beside targets, got kind"):
        read(tmp_path / "one.csv", inputs=None, target="kind")
    (tmp_path / "bare.csv").write_text("1,2,x\n3,4,y\n")
    with pytest.raises(StudyError, match="no column 'kind'; there are 1, 2, x, since its first line must name the col"):
        read(tmp_path / "bare.csv", inputs=None, target="kind")


def test_classes_that_are_numbers(tmp_path: Path) -> None:
    """Classes that are numbers are ordered as numbers."""
    (tmp_path / "t.csv").write_text("x,c\n1,10\n2,9\n3,10\n")
    assert read(tmp_path / "t.csv", inputs=["x"], target="c").targets == ((1.0,), (0.0,), (1.0,))


def test_held_out_classes_are_those_to_train_on(tmp_path: Path) -> None:
    """Held-out patterns may have fewer classes; others are refused by name, also where sets of patterns are swept."""
    named: dict[str, Any] = {"inputs": ["x"], "target": "c"}
    for name, rows in (("train", "0,a\n1,b\n2,c\n"), ("some", "5,c\n6,b\n"), ("one", "5,b\n"), ("other", "5,b\n6,d\n")):
        (tmp_path / f"{name}.csv").write_text(f"x,c\n{rows}")
    some = read(tmp_path / "train.csv", **named, test={"file": tmp_path / "some.csv", **named, "target_high": 2})
    assert some.targets == ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    assert some.test is not None
    assert some.test.targets == ((0.0, 0.0, 2.0), (0.0, 2.0, 0.0))
    data = {"file": str(tmp_path / "train.csv"), **named, "test": {"file": str(tmp_path / "one.csv"), **named}}
    study = Study(data=data, parameters={"label_noise": [0.0, 0.4], "hidden": [1], "learning_rate": [1]})
    assert [each.test.targets for each in study.data.sets if each.test] == [((0.0, 1.0, 0.0),)] * 2
    assert study.canonical()["data"]["test"]["targets"] == ((0.0, 1.0, 0.0),)
    for name in ("validation", "test"):
        held_out: dict[str, Any] = {name: {"file": tmp_path / "other.csv", **named}}
        with pytest.raises(
            StudyError, match=rf"data.{name}: .*csv', row 3 must have a class .* \(a, b, c\) in column 'c', got 'd'"
        ):
            read(tmp_path / "train.csv", **named, **held_out)


def test_test_patterns_from_another_file(file: Path, tmp_path: Path) -> None:
    """A table of test patterns names its columns."""
    (tmp_path / "more.csv").write_text("a,b,k\n1,2,setosa\n3,4,virginica\n")
    study = Study(
        data={"file": file, **ONE_HOT, **NAMED,
              "test": {"file": tmp_path / "more.csv", "inputs": ["a", "b"], "target": "k"}},
        parameters={"hidden": [2], "learning_rate": [0.1]},
    )  # fmt: skip
    assert study.data.only.test == Patterns(inputs=((1.0, 2.0), (3.0, 4.0)), targets=((1.0, 0.0), (0.0, 1.0)))


def test_categories_are_inputs(file: Path, tmp_path: Path) -> None:
    """Each category of a column in `one_hot` is an input, as of a data frame; held-out files have the same ones."""
    frame = pd.read_csv(file) if file.suffix == ".csv" else pd.read_parquet(file)
    options = {"hidden": 2, "learning_rate": 0.1}
    names = ["id", "length", "width"]
    (tmp_path / "more.csv").write_text("kind,width,length,id\nvirginica,3,0,a\n")
    for standardize in (False, True):
        more = {"one_hot": ["width", "id"], "standardize": standardize}
        found = read(file, target="kind", **more, inputs=names, test={"file": tmp_path / "more.csv"})
        table = pd.read_csv(tmp_path / "more.csv")
        expected = Study.from_frame(frame, target="kind", inputs=names, test=table, **more, **options).data.only
        assert found == expected
    data = {"file": file, "target": "kind", "one_hot": ["id"], "inputs": ["width", "id"], "train_count": 2}
    swept = Study(data=data, network={"hidden": 1}, parameters={"split_seed": [0, 1], "learning_rate": [1.0]})
    assert {(*row, *more) for each in swept.data.sets for row, more in zip(each.inputs, each.targets, strict=True)} <= {
        (1.0, 1.0, 0.0, 0.0, 0.0),
        (2.0, 0.0, 1.0, 0.0, 1.0),
        (3.0, 0.0, 0.0, 1.0, 0.0),
    }
    (tmp_path / "other.csv").write_text("kind,width,length,id\nvirginica,3,0,d\n")
    with pytest.raises(StudyError, match=r"row 2 must have a category of .* \(a, b, c\) in column 'id', got 'd'"):
        read(file, **more, target="kind", inputs=names, test={"file": tmp_path / "other.csv"})


def test_changes_of_columns(file: Path) -> None:
    """Changes may name columns; the names stay with another file, and numbers replace them."""
    options = {"hidden": 2, "learning_rate": 0.1}
    columns: dict[str, Any] = {"file": str(file), "target": "kind", **NAMED}
    expected = Study(data=columns, parameters={name: [value] for name, value in options.items()})
    changed = load_study("xor", columns | options)
    assert changed.data == expected.data
    there = file.parent / "study.toml"
    there.write_text(f'[data]\nfile = "{file.name}"\ninputs = ["length", "width"]\ntarget = "kind"\n')
    assert load_study(there, options | {"file": str(file)}).data == expected.data
    assert load_study(there, options | {"inputs": ["width"]}).data.sets[0].shape == (3, 1, 1)
    assert load_study(there, options | {"inputs": "width"}).data.sets[0].shape == (3, 1, 1)
    assert load_study(there, options | {"inputs": [[1.0, 2.0]], "targets": [1.0]}).data.sets[0].shape == (1, 2, 1)
    with pytest.raises(StudyError, match="changes: task and file are both set; remove one"):
        load_study("xor", {"task": "and", "file": str(file)})


@pytest.mark.parametrize(
    ("named", "fault"),
    [
        ({"targets": ["height"]}, "has no column 'height'; there are"),
        ({"targets": ["kind"]}, "row 2, column 'kind': must be a finite number, got 'setosa'"),
        ({"targets": "score"}, "targets must be a list of names of columns with file, got 'score'"),
        ({"targets": [1]}, "targets must be a list of names of columns with file, got [1]"),
        ({"inputs": [], "target": "kind"}, "inputs must be a list of names of columns with file, got []"),
        ({"inputs": [[0, 1]], "target": "kind"}, "inputs must be a list of names of columns with file, got [[0, 1]]"),
        ({}, "file with inputs needs target (a column of classes) or targets (columns of numbers), got neither"),
        ({"target": "kind", "target_one_hot": 1}, "target_one_hot must be true or false, with target, got 1"),
        ({"targets": ["score"], "target_one_hot": True}, "target_one_hot must be true or false, with target, got True"),
        (
            {"target": "kind", "targets": ["score"]},
            "target (a column of classes) and targets (columns of numbers) are both set",
        ),
        ({"target": ["kind"]}, "must be the name of a column of classes"),
        (
            {"targets": ["score"], "target_low": 0},
            "target_low must be used with task, got file",
        ),
        ({"target": "kind", "bits": 3}, "bits must be used with task, got file"),
        ({"target": "kind", "target_low": "a"}, "target_low must be a finite number, got 'a'"),
        ({"inputs": ["width"], "target": "all"}, "has no column 'all'"),
        ({"target": "kind", "one_hot": "id"}, "one_hot must be a list of names of columns of inputs, got 'id'"),
        ({"target": "kind", "one_hot": ["id"]}, "one_hot must name columns of inputs (length, width), got 'id'"),
        ({"target": "kind", "inputs": None}, "got 'a'; or name it in one_hot, if it holds categories, or name"),
        (
            {"target": "kind", "test": {"file": "flowers.csv", "one_hot": ["width"]}, "one_hot": ["width"]},
            "one_hot of test patterns must be that of the patterns to train on; remove it",
        ),
    ],
)
def test_refused(tmp_path: Path, named: dict[str, Any], fault: str) -> None:
    """Each fault is one sentence."""
    path = tmp_path / "flowers.csv"
    path.write_text(CSV)
    with refused(fault):
        read(path, **named)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("width,length,kind\n1,2,a\n1,2,a\n", "must have 2 to 1024 classes in column 'kind', got 1"),
        ("width,length,kind\n1,2,a\n1,2,\n", "row 3 has no class in column 'kind'"),
        ("width,width,length,kind\n1,2,3,a\n1,2,3,b\n", "has several columns named 'width'"),
        ("width,length,kind\n1,2,a\n1,2\n", "row 3: must have 3 values like the first row, got 2"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, fault: str) -> None:
    """A fault names the row of the file."""
    path = tmp_path / "t.csv"
    path.write_text(text)
    with refused(fault):
        read(path, target="kind")


def test_bad_parquet_files(tmp_path: Path) -> None:
    """Other files, classes that are missing, and too many rows are refused."""
    path = tmp_path / "t.parquet"
    for table, fault in (
        (pa.table({"width": [1.0, 2.0], "length": [1, 2], "kind": ["a", None]}), "row 2 has no class"),
        (pa.table({name: [0] * 65_537 for name in ("width", "length", "kind")}), "more than 65536 patterns"),
    ):
        pq.write_table(table, path)
        with refused(fault):
            read(path, target="kind")
    path.write_bytes(b"no")
    for place in (path, tmp_path / "none.parquet"):
        with refused("cannot be read"):
            read(place, target="kind")


@pytest.mark.parametrize(
    "odd",
    [
        pa.array([0, 2**62, 1], pa.timestamp("us")),
        pa.array([0, 2**62, 1], pa.duration("us")),
        pa.array([0, 2**31 - 1, 1], pa.date32()),
        pa.array([1, 2, 3], pa.decimal128(5, 2)),
        pa.array([b"a", b"\xff", b""], pa.binary()),
        pa.array([[1.0], [], None], pa.list_(pa.float64())),
        pa.nulls(3),
    ],
    ids=lambda odd: str(odd.type),
)
def test_other_types_of_columns(tmp_path: Path, odd: pa.Array) -> None:
    """Columns of other types are refused if the study names them, and ignored if not."""
    path = tmp_path / "t.parquet"
    columns = {"width": [1.0, 2.0, 3.0], "length": [0.5, 1.5, 2.5], "kind": ["a", "b", "a"], "odd": odd}
    pq.write_table(pa.table(columns), path)
    assert read(path, target="kind").inputs == INPUTS
    for named in ({"target": "odd"}, {"targets": ["odd"]}, {"inputs": ["odd"], "target": "kind"}):
        with pytest.raises(StudyError, match=r"t\.parquet', column 'odd': must hold numbers, bools or texts, got type"):
            read(path, **named)


@pytest.mark.parametrize(
    "kind", [pa.int8(), pa.uint64(), pa.float16(), pa.float32(), pa.bool_(), pa.string(), pa.large_string()], ids=str
)
def test_types_of_numbers(tmp_path: Path, kind: pa.DataType) -> None:
    """Integers, floats and bools of every size are read, and numbers written as text, as in CSV."""
    numbers = pa.array([1, 0, 1]).cast(pa.float32()).cast(kind)
    pq.write_table(pa.table({"n": numbers, "c": ["a", "b", "a"]}), tmp_path / "t.parquet")
    found = read(tmp_path / "t.parquet", inputs=["n"], target="c")
    assert found.inputs == ((1.0,), (0.0,), (1.0,))
    assert found.targets == ((0.0,), (1.0,), (0.0,))


def test_categories(tmp_path: Path) -> None:
    """Columns of categories are read as their values."""
    columns = {
        "n": pa.array([9, 0, 9]),
        "t": pa.array(["9", "0", "9"]),
        "c": pa.array(["b", "a", "b"], pa.large_string()),
    }
    pq.write_table(pa.table({name: each.dictionary_encode() for name, each in columns.items()}), tmp_path / "t.parquet")
    found = read(tmp_path / "t.parquet", inputs=["n", "t"], target="c")
    assert found.inputs == ((9.0, 9.0), (0.0, 0.0), (9.0, 9.0))
    assert found.targets == ((1.0,), (0.0,), (1.0,))
