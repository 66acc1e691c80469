"""Results on the command line: counts, lists of parts, published folders, and output that cannot be written."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import sweep
from sweep import open_result
from tests.rings import one_in
from tests.sweep.support import Finished, assert_refused, command, make_study, tree

pytestmark = pytest.mark.usefixtures("place")


def test_run_that_keeps_cells() -> None:
    """`sweep run --keep cells` writes no rows and prints the digest of its counts."""
    finished = command("run", "mine.toml", "--out", "r", "--keep", "cells")
    assert finished.code == 0
    result = sweep.run("mine.toml", keep="cells")
    assert f"digest {result.facts['digest']}" in finished.out.splitlines()
    assert open_result("r").facts["keep"] == "cells"
    assert_refused(command("run", "mine.toml", "--out", "r"), ("cells", "runs"))
    assert_refused(command("trace", "r", "--run", "1"), ("cells only",))
    assert command("run", "mine.toml", "--out", "rows", "--keep", "runs").code == 0
    assert open_result("rows").facts["keep"] == "runs"


def test_parts(place: Path) -> None:
    """`sweep show --parts` prints the files of all runs, one per line, without leftovers of a killed process."""
    command("run", "mine.toml", "--out", "r")
    (place / "r" / "parts" / "0000000-01234567.parquet").write_bytes(b"left by a killed run")
    finished = command("show", "r", "--parts")
    assert (finished.code, finished.err) == (0, "")
    assert finished.out.splitlines() == open_result("r").parts()
    paths = [Path(line) for line in finished.out.splitlines()]
    assert all(path.parent == Path("r/parts") for path in paths)
    frame = pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)
    pd.testing.assert_frame_equal(frame, open_result("r").runs())


def published(folder: Path) -> Path:
    """Remove the files that are not published from a results folder."""
    for name in ("parts", "commits"):
        shutil.rmtree(folder / name)
    return folder


def without_interval(finished: Finished) -> Finished:
    """Remove the interval over all runs, which needs rows."""
    out = re.sub(r"( of .* runs converged.*?) \(95 % interval [^)]*\)", r"\1", finished.out)
    return replace(finished, out=out)


@pytest.mark.slow
def test_published_results(place: Path) -> None:
    """`show` and `figure` need only study.toml, run.json and cells.parquet; without rows other commands are refused."""
    command("run", "mine.toml", "--out", "r")
    shown = without_interval(command("show", "r"))
    trained = without_interval(command("run", "mine.toml", "--out", "r"))
    before = tree(published(place / "r"))
    assert without_interval(command("show", "r")) == shown
    assert without_interval(command("run", "mine.toml", "--out", "r")) == trained
    assert command("figure", "r", "--out", "rate.png").code == 0
    for options in (("trace", "r", "--run", "3"), ("show", "r", "--parts")):
        assert_refused(command(*options), ("'r'", "rows"))
    for read in (open_result("r").runs, open_result("r").parts, lambda: open_result("r").row(3)):
        with pytest.raises(sweep.StoreError, match="rows"):
            read()
    assert tree(place / "r") == before
    assert command("run", "mine.toml", "--out", "r", "--overwrite").code == 0
    assert len(open_result("r").runs()) == 10


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("options", one_in(5, ["plan xor", "studies", "trace seed", "show r", "--help"]))
def test_full_standard_output(options: str) -> None:
    """A full standard output ends with one sentence and code 1; a closed one is ignored."""
    if options == "show r":
        command("run", "mine.toml", "--out", "r")
    command_line = [sys.executable, "-m", "sweep", *options.split()]
    with open("/dev/full", "w") as full:
        finished = subprocess.run(command_line, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert finished.returncode == 1
    assert finished.stderr == "error: standard output cannot be written: No space left on device\n"
    closed = f"{shlex.join(command_line)} >&-"
    finished = subprocess.run(closed, shell=True, stderr=subprocess.PIPE, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")


def test_one_is_no_plural(tmp_path: Path) -> None:
    """One cell or value is singular, and a list of allowed names repeats none."""
    sweep.run(make_study(count=2, hidden=[2], learning_rate=0.1, max_steps=2), out=tmp_path / "r")
    assert "1 cell with 2 runs\n" in command("show", tmp_path / "r").out
    assert "1 value of hidden with 1 cell and 2 runs\n" in command("show", tmp_path / "r", "--by", "hidden").out
    assert repr(open_result(tmp_path / "r").study).startswith("<Study 'small': 1 cell x 2 seeds")
    known = command("figure", tmp_path / "r", "importance", "--value", "nothing").err.partition("known: ")[2]
    names = known.partition(" and ")[0].split(", ")
    assert len(set(names)) == len(names) > 5


def test_importance_suggests_what_it_can_draw(tmp_path: Path) -> None:
    """The name of the error draws a figure; medians have no variance to divide."""
    sweep.run(make_study(count=2, hidden=[2, 3], learning_rate=0.1, max_steps=2), out=tmp_path / "r")
    refused = command("figure", tmp_path / "r", "importance", "--value", "median_steps")
    assert_refused(refused, ("unknown statistic 'median_steps'; did you mean 'mean_steps'?",))
    assert command("figure", tmp_path / "r", "importance", "--value", "mean_steps").code == 0
