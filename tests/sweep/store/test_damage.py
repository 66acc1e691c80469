"""Damage on disk is detected, never read: flipped bits and truncated, exchanged or missing files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from sweep import Result, StoreError, open_result
from sweep.store.store import Store
from tests.sweep.in_parts import interrupt_in_parts, run_in_parts
from tests.sweep.support import SIX_PARTS, assert_refused, command, copy_result, parts_of

pytestmark = pytest.mark.slow

STUDY = SIX_PARTS


@pytest.fixture
def folder(six_parts: Path, tmp_path: Path) -> Path:
    """Return a copy of the finished study to damage."""
    return copy_result(six_parts, tmp_path / "r")


def read_all(folder: Path) -> Result:
    """Open a result and read everything in it."""
    result = open_result(folder)
    assert len(result.cells) == 4
    assert len(result.runs()) == STUDY.n_runs
    return result


def flips(content: bytes, count: int, seed: int) -> Iterable[bytes]:
    """Yield a content with one bit flipped, at seeded positions, the first and the last byte among them."""
    random = np.random.default_rng(seed)
    positions = [0, len(content) - 1, *random.integers(len(content), size=count - 2).tolist()]
    for position in positions:
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(random.integers(8))
        yield bytes(damaged)


@pytest.mark.parametrize("rest", [-1, None], ids=["cut short", "missing"])
def test_error_names_the_remedy(folder: Path, rest: int | None) -> None:
    """Commands that find a damaged or missing file name a remedy, and the remedy works."""
    digest = open_result(folder).facts["digest"]
    path = folder / "cells.parquet"
    content = path.read_bytes()
    path.unlink()
    if rest is not None:
        path.write_bytes(content[:rest])
    assert_refused(command("show", folder), ("cells.parquet' is damaged", "'sweep verify --repair'"))
    assert command("verify", folder, "--repair").code == 0
    assert command("show", folder).code == 0
    assert read_all(folder).facts["digest"] == digest


FILES: dict[str, Callable[[Path], Path]] = {
    "part": lambda folder: parts_of(folder)[2],
    "cells.parquet": lambda folder: folder / "cells.parquet",
    "commit": lambda folder: min((folder / "commits").iterdir()),
    "run.json": lambda folder: folder / "run.json",
    "study.toml": lambda folder: folder / "study.toml",
}


@pytest.mark.parametrize("name", ["part", "cells.parquet"])
def test_flipped_bit_in_a_table(folder: Path, name: str) -> None:
    """Any single flipped bit of a Parquet file is detected."""
    path = FILES[name](folder)
    for damaged in flips(path.read_bytes(), 40, seed=1):
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match="damaged") as caught:
            read_all(folder)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["commit", "run.json", "study.toml"])
def test_flipped_bit_in_a_text(folder: Path, name: str) -> None:
    """Any single flipped bit of a text is detected, or does not change its meaning."""
    path, expected = FILES[name](folder), read_all(folder)
    commits = Store.open(folder).commits()
    unnoticed = 0
    for damaged in flips(path.read_bytes(), 80, seed=2):
        path.write_bytes(damaged)
        try:
            result = read_all(folder)
        except StoreError as error:
            assert str(folder) in str(error)  # noqa: PT017
            continue
        unnoticed += 1
        assert result.facts == expected.facts
        assert result.study == expected.study
        assert Store.open(folder).commits() == commits
    assert unnoticed < 5


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99, None])
@pytest.mark.parametrize("name", FILES)
def test_file_cut_short_or_gone(folder: Path, name: str, share: float | None) -> None:
    """A truncated or missing file is detected."""
    path = FILES[name](folder)
    content = path.read_bytes()
    path.unlink()
    if share is not None:
        path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(StoreError, match=str(folder)):
        read_all(folder)


@pytest.mark.parametrize(
    "content",
    [
        *(b"[]", b"null", b"3", b'"text"', b"{}", b'{"check": "0123"}', b"\xff\xfe", b"[" * 5),
        *(b"[" * 100_000, b'{"check": ' + b"9" * 5000 + b"}", b'{"check": "\\ud800"}'),
    ],
)
@pytest.mark.parametrize("name", ["commit", "run.json"])
def test_other_json(folder: Path, name: str, content: bytes) -> None:
    """A file that holds anything but the JSON that was written is detected."""
    path = FILES[name](folder)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged") as caught:
        read_all(folder)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["part", "commit"])
def test_row_of_a_damaged_result(folder: Path, name: str) -> None:
    """Reading one run detects the same damage as reading all of them."""
    FILES["part"](folder).unlink() if name == "part" else sorted((folder / "commits").iterdir())[2].unlink()
    damaged = 0
    for run in range(STUDY.n_runs):
        try:
            assert open_result(folder).row(run)["run"] == run
        except StoreError:
            damaged += 1
    assert damaged >= 20


@pytest.mark.parametrize("name", FILES)
def test_damage_is_detected_when_a_study_is_resumed(six_parts: Path, tmp_path: Path, name: str) -> None:
    """A study is not resumed from damaged parts; a part that is lost with its commit is trained again."""
    folder = tmp_path / "r"
    interrupt_in_parts(STUDY, folder, 4, part_runs=20)
    if name == "cells.parquet":
        (folder / name).write_bytes(b"left by an earlier crash")
        assert run_in_parts(STUDY, out=folder, part_runs=20).facts["digest"] == open_result(six_parts).facts["digest"]
        read_all(folder)
        return
    path = FILES[name](folder)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    with pytest.raises(StoreError, match=str(folder)):
        run_in_parts(STUDY, out=folder, part_runs=20)


@pytest.mark.parametrize("kind", ["missing", "empty", "file", "foreign"])
def test_no_results_folder(tmp_path: Path, kind: str) -> None:
    """The error names the path that is not a results folder."""
    path = tmp_path / "r"
    if kind == "file":
        path.write_text("mine")
    elif kind != "missing":
        path.mkdir()
    if kind == "foreign":
        (path / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match=rf"{path}' is not a results folder"):
        open_result(path)
