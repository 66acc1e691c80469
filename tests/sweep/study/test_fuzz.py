"""Anything at all as a study or a change: a valid study, or sentences; never another error."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sweep import Study, StudyError, load_study
from tests.sweep.strategies import any_tables, assignments, nested, pattern_files
from tests.sweep.support import command

LONGEST_SENTENCE = 500


def faults_of(make: Callable[[], Study]) -> list[str]:
    """Return the faults of a study; a valid one has none, and can be written as TOML."""
    try:
        study = make()
    except StudyError as error:
        return error.faults or [""]
    assert Study(**tomllib.loads(study.to_toml())) == study
    return []


def assert_sentences(texts: list[str]) -> None:
    """Require lines that can be printed, not empty, not too long."""
    for text in texts:
        assert 0 < len(text) < LONGEST_SENTENCE
        assert text.isprintable()


@given(any_tables())
def test_any_tables(tables: dict[str, Any]) -> None:
    """Any tables from Python are a study or sentences of faults."""
    assert_sentences(faults_of(lambda: Study(**tables)))


@pytest.mark.slow
@given(any_tables())
def test_any_changes(tables: dict[str, Any]) -> None:
    """Any change results in a study or in sentences of faults."""
    assert_sentences(faults_of(lambda: load_study("xor", tables)))
    for table in tables.values():
        if isinstance(table, dict):
            assert_sentences(faults_of(lambda table=table: load_study("xor", table)))  # type: ignore[misc]


@pytest.mark.slow
@given(assignments())
@example("hidden=3\nx = 4")
@example("learning_rate=1_0,٣")
@example("\udcff=\udcff")
@example("description=\udcff")
def test_any_assignment(text: str) -> None:
    """Any text of ``--set`` is planned, or ends with code 2 and sentences."""
    finished = command("plan", "xor", "--set", text)
    assert finished.code in (0, 2)
    assert_sentences(finished.err.splitlines())
    if finished.code:
        assert finished.out == ""
        assert finished.err.startswith("error: ")


@pytest.fixture(scope="module")
def shared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a file to write again and again."""
    return tmp_path_factory.mktemp("fuzz") / "file"


@given(st.binary(max_size=200) | pattern_files().map(str.encode))
@example(b"x0,y\n0," + b"9" * 5000 + b"\n")
@example(b'"x0\n\n",y\n0,0\n')
def test_any_pattern_file(shared_file: Path, content: bytes) -> None:
    """Any pattern file is a table of finite numbers, or one sentence."""
    shared_file.write_bytes(content)
    tables = {"data": {"file": shared_file}, "network": {"hidden": 2}, "training": {"learning_rate": 0.1}}
    assert_sentences(faults_of(lambda: Study(**tables)))


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_study_file(shared_file: Path, content: bytes) -> None:
    """Any study file is a study, or sentences of faults."""
    shared_file.write_bytes(content)
    faults = faults_of(lambda: load_study(shared_file))
    assert faults
    assert_sentences(faults)


EXTREMES: dict[str, dict[str, Any]] = {
    "deep patterns": {"data": {"inputs": nested(500), "targets": nested(500)}},
    "deeper than Python goes": {"parameters": {"hidden": nested(500)}, "seeds": {"count": nested(100_000)}},
    "long texts": {"name": "x" * 300, "description": "\udcff", "network": {"activation": "x" * 5000}},
    "integers": {"network": {"hidden": 10**5000}, "training": {"learning_rate": -(10**5000)}},
    "ranges": {"parameters": {"hidden": {"range": [0, 10**5000]}, "threshold": {"geomspace": [1, 10**5000, 3]}}},
    "long Python range": {"parameters": {"hidden": range(10**30), "max_steps": {"range": range(10**12)}}},
    "keys": {"parameters": {10**5000: 3, None: 4}, "training": {3: 4, "x" * 300: 5}},
    "no UTF-8": {"network": {"activation": "\udcff", "\ud800": 1}, "method": [["grid"]], "data": {"task": "\ud800"}},
    "path without UTF-8": {"data": {"file": "\ud800"}},
    "path with NUL": {"data": {"file": "a\0b"}},
    "long path": {"data": {"file": "a" * 5000}},
    "file is a number": {"data": {"file": 10**5000}},
    "large inputs": {"data": {"inputs": [[10**400]], "targets": [10**400]}},
    "line breaks": {"name": "a\nb", "network": {"a\nb": "\n", "dtype": "\n"}, "parameters": {"\n": 1, "hidden": "\n"}},
}


@pytest.mark.parametrize("tables", EXTREMES.values(), ids=EXTREMES)
def test_extremes(tables: dict[str, Any]) -> None:
    """Values that are too long, too deep or not printable result in short sentences."""
    faults = faults_of(lambda: Study(**{"data": {"task": "xor"}, **tables}))
    assert faults
    assert_sentences(faults)


@pytest.mark.parametrize("content", ["{}", "[parameters]\nhidden = {}", "[data]\ninputs = {}", "x = {}"])
@pytest.mark.parametrize("value", ["[" * 500 + "]" * 500, "9" * 5000, "{a=" * 500 + "1" + "}" * 500, "0x" + "f" * 5000])
def test_extreme_files(tmp_path: Path, content: str, value: str) -> None:
    """Study files that are too deep, or have a too large number, are refused in one sentence."""
    path = tmp_path / "study.toml"
    path.write_text(content.format(value))
    faults = faults_of(lambda: load_study(path))
    assert faults
    assert_sentences(faults)


def test_many_faults() -> None:
    """The message has the first twenty of a thousand faults; the error holds all."""
    with pytest.raises(StudyError) as caught:
        Study(data={"inputs": [["a"]] * 1000, "targets": [0] * 1000}, parameters={"hidden": [2], "learning_rate": [1]})
    assert len(caught.value.faults) == 1000
    lines = str(caught.value).splitlines()
    assert (len(lines), lines[-1]) == (21, "and 980 more faults")
