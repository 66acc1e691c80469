"""Tables as CSV and JSON keep all digits, describe their columns, and are written whole or not at all."""

from __future__ import annotations

import csv
import io
import json
from math import inf, isnan, nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sweep
from sweep import Result, SweepError
from sweep.results import export
from sweep.results.sentences import coverage
from tests.sweep.in_parts import interrupt_in_parts
from tests.sweep.support import assert_refused, command, make_study, tree

STUDY = make_study(count=10, hidden=[2, 3], learning_rate=[1e-9, 0.05, 0.2], threshold=0.3, name="a_b.c-d")
BY = [(), ("hidden",), ("learning_rate", "hidden")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a study."""
    folder = tmp_path_factory.mktemp("export") / "r"
    sweep.run(STUDY, folder)
    return folder


@pytest.fixture(scope="module")
def result(folder: Path) -> Result:
    """Open it."""
    return sweep.open_result(folder)


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Interrupt a study."""
    out = tmp_path_factory.mktemp("partial") / "r"
    interrupt_in_parts(STUDY, out, 5, part_runs=7)
    return out


def text(result: Result, *args: Any, **options: Any) -> str:
    """Export as text."""
    exported = result.export(*args, **options)
    assert exported is not None
    return exported


def strict(content: str) -> dict[str, Any]:
    """Parse JSON without NaN and Infinity."""

    def refuse(option: str) -> None:
        raise AssertionError(f"{option} is not JSON")

    parsed: dict[str, Any] = json.loads(content, parse_constant=refuse)
    return parsed


def read_csv(content: str) -> list[dict[str, str]]:
    """Parse CSV."""
    return list(csv.DictReader(io.StringIO(content, newline="")))


def same(read: Any, value: Any) -> bool:
    """Return whether a value that was read equals that of the table, with its type and to the last bit."""
    if value is pd.NA or (isinstance(value, float) and isnan(value)):
        return read in ("", None)
    if isinstance(value, (bool, np.bool_, str)):
        return bool(read == value or read == str(value))
    if isinstance(value, (int, np.integer)):
        return not isinstance(read, float) and int(read) == int(value)
    return float(read).hex() == float(value).hex()


def assert_same(rows: list[dict[str, Any]], frame: pd.DataFrame) -> None:
    """Require the same columns and values."""
    assert len(rows) == len(frame)
    for name in frame.columns:
        for row, value in zip(rows, frame[name].tolist(), strict=True):
            assert same(row[name], value), f"{name}: {row[name]!r} was {value!r}"


@pytest.mark.parametrize("by", BY)
def test_all_statistics_are_there_with_all_digits(result: Result, by: tuple[str, ...]) -> None:
    """Both formats have the columns and values of the table, in its order."""
    frame = result.summarize(by) if by else result.cells
    rows = read_csv(text(result, "csv", by))
    assert list(rows[0]) == list(frame.columns)
    assert_same(rows, frame)
    read = strict(text(result, "json", by))
    assert list(read["columns"]) == list(read["rows"][0]) == list(frame.columns)
    assert_same(read["rows"], frame)


numbers = st.one_of(st.floats(), st.sampled_from([inf, -inf, nan, 5e-324, 0.1 + 0.2, 1e22, -0.0]))
truths = st.booleans()
whole_numbers = st.one_of(st.integers(0, 2**63 - 1), st.sampled_from([2**53 + 1, 2**63 - 1]))


@given(st.lists(st.tuples(whole_numbers, truths, st.none() | whole_numbers, numbers), min_size=1, max_size=5))
def test_any_values_are_read_as_they_were(result: Result, rows: list[tuple[int, bool, int | None, float]]) -> None:
    """Integers above 2^53, booleans, missing and infinite values, and floats of 17 digits are read back exactly."""
    cells, truth, steps, expected = zip(*rows, strict=True)
    frame = result.cells.iloc[[0] * len(rows)].assign(
        **{"cell": np.array(cells, np.int64), "hidden": np.array(truth), "expected_steps": np.array(expected)},
        steps_q50=pd.array(steps, "Int64"),
    )
    changed = Result(result.study, dict(result.facts), result.stored)
    changed.numbered_cells = frame.reset_index(drop=True)
    assert_same(read_csv(text(changed)), changed.cells)
    assert_same(strict(text(changed, "json"))["rows"], changed.cells)


@pytest.mark.parametrize("at_a_time", [1, 2, 6, 7])
def test_rows_of_json_are_made_in_parts(result: Result, at_a_time: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text does not depend on how many rows are made at a time."""
    whole = text(result, "json")
    monkeypatch.setattr(export, "ROWS_AT_A_TIME", at_a_time)
    assert text(result, "json") == whole


@pytest.mark.wide
def test_other_programs_read_them(result: Result, tmp_path: Path) -> None:
    """DuckDB and pandas read the same numbers, also missing and infinite ones."""
    duckdb = pytest.importorskip("duckdb", reason="the extra test-all is not installed")
    names = ("hidden", "learning_rate", "n_converged", "steps_q50", "expected_steps")
    assert {*result.cells["expected_steps"]} & {inf}
    assert result.cells["steps_q50"].isna().any()
    result.export(out=tmp_path / "cells.csv")
    result.export(out=str(tmp_path / "cells.json"))
    types = dict.fromkeys(names, "DOUBLE")
    columns = {"rows": f"STRUCT({', '.join(f'{name} {kind}' for name, kind in types.items())})[]"}
    of_csv = duckdb.sql(f"select * from read_csv('{tmp_path / 'cells.csv'}')").df()
    of_json = duckdb.sql(
        f"select unnest(rows, recursive := true) from read_json('{tmp_path / 'cells.json'}', columns = {columns})"
    ).df()
    of_pandas = pd.DataFrame(json.loads((tmp_path / "cells.json").read_text())["rows"]).astype(
        {"expected_steps": float}
    )
    assert list(of_csv.columns) == list(of_pandas.columns) == list(result.cells.columns)
    for table in (of_csv, of_json, of_pandas):
        for name in names:
            np.testing.assert_array_equal(
                table[name].to_numpy(float, na_value=nan), result.cells[name].to_numpy(float, na_value=nan)
            )


@pytest.mark.parametrize("by", [(), ("hidden",)])
def test_json_describes_itself(result: Result, folder: Path, by: tuple[str, ...]) -> None:
    """JSON has study, digest, and unit and description of each column, as in cells.parquet for single cells."""
    read = strict(text(result, "json", by))
    assert read["study"] == "a_b.c-d"
    assert read["identity"] == STUDY.identity
    assert read["digest"] == result.facts["digest"]
    assert (read["complete"], read["n_runs"], read["pooled_by"]) == (True, 60, list(by) or None)
    assert "coverage" not in read
    facts = {name: (each["unit"], each["description"]) for name, each in read["columns"].items()}
    if by:
        assert facts["n_cells"] == ("cells", "cells that are pooled")
        assert facts["n_runs"] == ("runs", "runs of the cells")
        assert "Wilson" not in str(facts)
        return
    for field in pq.read_schema(folder / "cells.parquet"):
        assert facts[field.name] == tuple(field.metadata[key].decode() for key in (b"unit", b"description"))


def test_order_and_number_of_rows(result: Result) -> None:
    """Rows are sorted like ``sweep show``; without an order, the first rows are the best."""
    best = result.cells.sort_values("convergence_rate", ascending=False)
    assert [row["cell"] for row in read_csv(text(result, top=1))] == [str(best["cell"].iloc[0])]
    rates = [float(row["learning_rate"]) for row in read_csv(text(result, sort="learning_rate", top=3))]
    assert rates == [1e-9, 1e-9, 0.05]
    pooled = strict(text(result, "json", "learning_rate", sort="rate", top=2))
    rates = [row["convergence_rate"] for row in pooled["rows"]]
    assert rates == sorted(result.summarize("learning_rate")["convergence_rate"], reverse=True)[:2]
    assert (pooled["n_rows"], pooled["n_rows_in_all"]) == (2, 3)


def test_partial_results_say_so(partial: Path) -> None:
    """Each format and standard error say how partial a result is."""
    sentence = coverage(sweep.open_result(partial, partial=True))
    assert sentence.startswith("partial: ")
    for form in ("csv", "json", "tex"):
        finished = command("export", partial, "--to", form)
        assert (finished.code, finished.err) == (0, f"{sentence}\n")
        if form == "csv":
            assert {row["partial"] for row in read_csv(finished.out)} == {"True"}
        elif form == "json":
            read = strict(finished.out)
            assert read["complete"] is False
            assert read["coverage"] == sentence
            assert read["digest"] is None
        else:
            assert sentence.replace("partial", "Partial").replace("%", "\\%") in finished.out
            assert " & runs & " in finished.out  # which differ from cell to cell
    assert "Rates are means over cells" in command("export", partial, "--to", "tex", "--by", "hidden").out


def test_thresholds_and_counts_are_exported(tmp_path: Path) -> None:
    """Runs by loss threshold, and results without rows, can be exported."""
    study = make_study(count=10, hidden=2, threshold=0.3, loss_thresholds=[0.9, 0.5])
    thresholds = sweep.run(study).by_threshold
    read = strict(text(thresholds, "json", "loss_threshold"))
    assert read["columns"]["loss_threshold"]["unit"] == "loss"
    assert [row["loss_threshold"] for row in read["rows"]] == [0.9, 0.5]
    assert_same(read_csv(text(thresholds)), thresholds.cells)
    counts = sweep.run(make_study(count=10, hidden=2, threshold=0.3), tmp_path / "r", keep="cells")
    assert_same(read_csv(text(counts, "csv", "learning_rate")), counts.summarize("learning_rate"))


@pytest.mark.parametrize(("name", "n_frames"), [("best", 1), ("comparisons", 2)])
def test_other_tables_are_exported(result: Result, name: str, n_frames: int) -> None:
    """Tables of the report have all digits in CSV and JSON, and what the page shows in TeX."""
    tables = result.tables(name)
    read = strict(text(result, "json", table=name))
    frames = [table.frame for table in tables[:: len(tables) // n_frames]]
    assert read["n_rows"] == read["n_rows_in_all"] == sum(map(len, frames))
    assert read["columns"]["p_value_holm"]["description"].startswith("Probability of a difference")
    rows = read_csv(text(result, "csv", table=name))
    if name == "comparisons":
        assert [row["option"] for row in rows] == ["hidden", "learning_rate", "learning_rate"]
        assert {rows[0]["first"], rows[0]["second"]} == {"2", "3"}
        assert {row["first"] for row in rows[1:]} | {row["second"] for row in rows[1:]} == {"1e-09", "0.05", "0.2"}
        assert {type(row["first"]) for row in read["rows"]} == {int, float}
        assert all(read["columns"][each]["description"] for each in ("option", "first", "second"))
    else:
        assert_same(rows, result.best())
    assert text(result, "tex", table=name).count(r"\caption") == len(tables)


ONE_CELL = {"hidden": 2, "learning_rate": 0.05, "threshold": 0.9}
NEVER = {"threshold": 1e-9, "max_steps": 5}
ONE_CONTENDER = {"hidden": 3, "learning_rate": [1e-9, 0.05], "threshold": 0.9}
WHY_NONE = [
    ("best", ONE_CELL, "runs", "there is only one cell"),
    ("contenders", ONE_CELL, "runs", "there is only one cell"),
    ("comparisons", ONE_CELL, "runs", "no parameter with 2 to 12 values varies alone"),
    ("best", NEVER, "runs", "no run converged"),
    ("contenders", NEVER, "runs", "no run converged"),
    ("comparisons", NEVER, "runs", "no run converged"),
    ("contenders", ONE_CONTENDER, "cells", "this result has no rows of runs"),
    ("comparisons", ONE_CONTENDER, "cells", "this result has no rows of runs"),
    ("contenders", ONE_CONTENDER, "runs", "only one cell may be the best"),
]


@pytest.mark.parametrize(("name", "options", "keep", "why"), WHY_NONE)
def test_errors_say_why_a_table_is_missing(name: str, options: dict[str, Any], keep: str, why: str) -> None:
    """Each kind of table names what the result does not have."""
    result = sweep.run(make_study(count=40, **options), keep=keep)
    with pytest.raises(SweepError, match=f"table '{name}': the result has none, since {why}"):
        result.export(table=name)


def test_files_are_written_whole(folder: Path, tmp_path: Path) -> None:
    """The suffix decides the format; an existing file is replaced, and no other file is left."""
    result = sweep.open_result(folder)
    for form in ("csv", "json", "tex"):
        out = tmp_path / f"cells.{form.upper()}"
        out.write_text("before")
        finished = command("export", folder, "--out", out)
        assert (finished.code, finished.out, finished.err) == (0, f"cells in {out}\n", "")
        assert out.read_text() == result.export(form) == command("export", folder, "--to", form).out
    assert command("export", folder, "--to", "json", "--out", tmp_path / "any").code == 0
    assert strict((tmp_path / "any").read_text())["complete"]
    assert set(tree(tmp_path)) == {"cells.CSV", "cells.JSON", "cells.TEX", "any"}


def test_errors(folder: Path, tmp_path: Path) -> None:
    """Invalid options are errors before anything is written."""
    (tmp_path / "kept.csv").write_text("before")
    (tmp_path / "folder.csv").mkdir()
    before = tree(tmp_path)
    refusals = {
        ("--to", "xml"): "format 'xml'",
        ("--out", tmp_path / "cells.xlsx"): "one of .csv, .json, .tex",
        ("--out", tmp_path / "folder.csv"): "is not a regular file",
        ("--out", "/dev/null", "--to", "csv"): "is not a regular file",
        ("--out", tmp_path / "no" / "cells.csv"): "there is no folder",
        ("--out", "s3://bucket/cells.csv"): "must be a local path",
        ("--by", "hiden"): "hidden",
        ("--by", "hidden,hidden"): "occurs twice",
        ("--by", ""): "'' is not swept",
        ("--sort", "speed"): "speed",
        ("--top", "0"): "top: must be an integer from 1, got 0",
        ("--table", "worst"): "table 'worst'",
        ("--table", "best", "--sort", "rate"): "omit them",
        ("--table", "best", "--top", "0"): "top: must be an integer from 1, got 0",
    }
    for options, sentence in refusals.items():
        assert_refused(command("export", folder, "--out", tmp_path / "kept.csv", *options), (sentence,))
    assert tree(tmp_path) == before
