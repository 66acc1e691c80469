"""Content of files and names of folders cannot control a terminal: they are printed escaped."""

from __future__ import annotations

import io
import logging
import sys
from contextlib import redirect_stderr
from pathlib import Path

import pyarrow as pa
import pytest

import sweep
from sweep.system.escaping import escaped_output, one_line
from sweep.system.progress import SweepProgress
from tests.sweep.forgers import forge_record
from tests.sweep.support import Finished, command, copy_result, make_study, write_study

# A color, another written in one character, a bell, back to the start of the line, text from right to left, and a line
# that looks like one of ours.
STEERS = "\x1b[31m\x9b32m\x07\r\u202eabc\u2066\nerror: nothing"
FOLDER = "r" + STEERS.replace("/", "")
STUDY = make_study(count=3, activation=["relu", "tanh"], learning_rate=[0.05, 0.2], hidden=2, max_steps=3, name="plain")


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished study, not to be changed."""
    folder = tmp_path_factory.mktemp("true") / "r"
    sweep.run(STUDY, out=folder)
    return folder


@pytest.fixture
def odd(true: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Work beside a folder with such a name, in which every text of run.json is such a text."""
    copy_result(true, tmp_path / FOLDER)
    texts = {"cpu": STEERS, "digest": STEERS, "name": f"n{STEERS}", "system": STEERS}
    forge_record(tmp_path / FOLDER / "run.json", **texts)
    write_study(tmp_path / "study.toml", STUDY)
    monkeypatch.chdir(tmp_path)
    return FOLDER


def assert_plain(finished: Finished, *, names: bool = True) -> None:
    """Require that all output is printable, that no line is forged, and that names are escaped."""
    printed = finished.out + finished.err
    odd = {character for character in printed if not character.isprintable()} - {"\n"}
    assert not odd
    assert not [line for line in printed.splitlines() if line.startswith("error: nothing")]
    assert not names or r"\x1b[31m\x9b32m\x07\r\u202eabc\u2066\nerror: nothing" in printed.replace("\\\\", "\\")


COMMANDS: dict[str, tuple[str, ...]] = {
    "show": ("show", FOLDER),
    "show --parts": ("show", FOLDER, "--parts"),
    "show --top": ("show", FOLDER, "--top", "1"),
    "verify": ("verify", FOLDER),
    "repair": ("verify", FOLDER, "--repair"),
    "finished": ("run", "study.toml", "--out", FOLDER),
    "another study": ("run", "xor", "--out", FOLDER),
    "other cells": ("run", "study.toml", "--keep", "cells", "--out", FOLDER),
    "reuse": ("run", "study.toml", "--reuse", FOLDER, "--out", "new"),
    "limited": ("run", "study.toml", "--max-runs", "1", "--out", f"new{STEERS}"),
    "merge": ("merge", FOLDER, "--out", f"new{STEERS}"),
    "figure": ("figure", FOLDER),
    "no figure": ("figure", FOLDER, STEERS),
    "report": ("report", FOLDER),
    "trace of a folder": ("trace", FOLDER),
    "no folder": ("show", f"no{STEERS}"),
    "no study": ("plan", f"no{STEERS}"),
    "no value": ("plan", "study.toml", "--set", f"activation={STEERS}"),
    "no key": ("plan", "study.toml", "--set", f"{STEERS}=1"),
    "no command": (STEERS,),
    "no option": ("show", FOLDER, f"--no{STEERS}"),
    "no number": ("show", FOLDER, "--top", STEERS),
    "no second folder": ("show", FOLDER, "other", STEERS),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.wide if name == "report" else ()) for name in COMMANDS]
)
def test_commands(odd: str, name: str) -> None:
    """Every command prints names of folders and facts escaped, also in errors."""
    assert odd == FOLDER
    assert_plain(command(*COMMANDS[name]), names=not name.startswith("no "))


@pytest.mark.parametrize("name", ["compare", "best", "trace"])
def test_commands_that_name_nothing(odd: str, name: str) -> None:
    """Other commands print none of it."""
    options = {"compare": ("--vary", "activation"), "best": (), "trace": ("--run", "1")}[name]
    assert_plain(command(name, odd, *options), names=False)


def test_values_in_cells(true: Path, tmp_path: Path) -> None:
    """Forged texts in cells.parquet are escaped in tables too."""
    folder = copy_result(true, tmp_path / "r")
    store = sweep.store.store.Store.open(folder)
    cells = store.read_cells()
    column = pa.array([STEERS, *cells["activation"].to_pylist()[1:]])
    cells = cells.set_column(cells.schema.get_field_index("activation"), cells.schema.field("activation"), column)
    forge_record(folder / "run.json", cells_sha256=store.write_cells(cells))
    shown = command("show", folder)
    assert r"\x1b[31m" in shown.out
    assert_plain(shown, names=False)
    assert_plain(command("best", folder), names=False)


class Screen(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        """Return true."""
        return True


def test_warnings_beside_a_bar() -> None:
    """Text logged or printed while Rich draws a bar is escaped, and the bar is not."""
    with redirect_stderr(Screen()) as screen, escaped_output(), SweepProgress(9, 1.0, 1, True) as progress:
        progress.tick()
        print("printed", STEERS, file=sys.stderr)
        record = logging.LogRecord("sweep", logging.WARNING, "", 0, "warned %s", (STEERS,), None)
        assert logging.lastResort is not None
        logging.lastResort.handle(record)  # this handler prints warnings by default
    drawn = screen.getvalue()
    for what in ("printed", "warned"):
        assert rf"{what} \x1b[31m\x9b32m\x07\r\u202eabc\u2066" in drawn
    assert "\x1b[" in drawn  # of the bar
    assert not {"\x9b", "\x07", "\u202e"} & set(drawn)
    assert "\x1b[31m" not in drawn


def test_streams_are_restored() -> None:
    """After a command, standard output and standard error are the original ones."""
    before = sys.stdout, sys.stderr
    with escaped_output():
        assert sys.stdout is not before[0]
        assert sys.stdout.isatty() == before[0].isatty()
        sys.stdout.writelines(["a\n", "b\n"])
        sys.stderr = before[1]  # other code may have replaced it
    assert (sys.stdout, sys.stderr) == before


@pytest.mark.parametrize("text", ["Größe é 中文 ✓ | a", "a b~!", ""])
def test_printable_text_stays(text: str) -> None:
    """Letters of all languages and symbols are not changed."""
    assert one_line(text) == text
