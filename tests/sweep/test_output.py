"""What people see: tables, progress, the machine; and the names that the package offers."""

from __future__ import annotations

import doctest
import importlib
import re
import time
from pathlib import Path

import numpy as np
import pytest

import sweep
from sweep import machine, tables
from sweep.progress import SweepProgress
from tests.sweep.support import make_study


def test_two_parameters_make_a_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    """The rates of two parameters stand in a matrix, the one with fewer values across."""
    study = make_study(count=20, hidden=[3, 2], learning_rate=[0.05, 0.1, 0.2])
    result = sweep.run(study)
    tables.print_summary(result)
    out = capsys.readouterr().out
    assert out.startswith("small: 120 runs in 6 cells")
    assert "learning_rate (down) and hidden (across)" in " ".join(out.split())
    rows = [line.split() for line in out.splitlines()]
    start = rows.index(["learning_rate", "2", "3"]) + 2
    rates = {(row["hidden"], row["learning_rate"]): row["convergence_rate"] for row in result.cells.to_dict("records")}
    for row, value in zip(rows[start : start + 3], (0.05, 0.1, 0.2), strict=True):
        assert row == [str(value), *(f"{100 * rates[hidden, value]:.1f}" for hidden in (2, 3))]


@pytest.mark.parametrize(
    "scalars", [{"hidden": 2}, {"hidden": [2]}, {"below": [0.1, 0.2]}, {"max_steps": list(range(13))}]
)
def test_other_numbers_of_parameters_make_a_list(
    capsys: pytest.CaptureFixture[str], scalars: dict[str, object]
) -> None:
    """With one or three parameters, or too many columns, cells are listed with rate and interval."""
    result = sweep.run(make_study(count=20, **({"hidden": [2, 3, 4]} | scalars)))
    if "max_steps" in scalars:
        result = sweep.run(make_study(count=2, hidden=list(range(1, 14)), learning_rate=0.1, max_steps=list(range(14))))
    tables.print_summary(result)
    out = capsys.readouterr().out
    for row in result.cells.to_dict("records"):
        rate, low, high = (100 * row[f"convergence_rate{end}"] for end in ("", "_low", "_high"))
        assert re.search(rf"^ *{row['cell']} .* {rate:.1f} \[{low:.1f}, {high:.1f}\]", out, re.MULTILINE)


def test_what_never_happens_is_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    """Quantiles that are not reached and expectations that are infinite are not numbers in the table."""
    tables.print_cells(sweep.run(make_study(count=3, hidden=2, learning_rate=[1e-30], below=1e-9)))
    assert re.search(r"\] +- +- *$", capsys.readouterr().out, re.MULTILINE)


def test_long_tables_say_where_the_rest_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a number of rows the table ends, and tells how many there are and where."""
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    study = make_study(count=2)
    tables.print_cells(sweep.run(study))
    assert capsys.readouterr().out.splitlines()[-1] == "first 3 of 4 cells"
    tables.print_cells(sweep.run(study, out=tmp_path / "r"))
    assert str(tmp_path / "r" / "cells.parquet") in capsys.readouterr().out


def test_numbers_are_not_cut_on_a_narrow_screen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A narrow terminal does not shorten numbers."""
    monkeypatch.setenv("COLUMNS", "30")
    result = sweep.run(make_study(count=20))
    tables.print_cells(result)
    out = capsys.readouterr().out
    assert "…" not in out
    assert f"{100 * result.cells['convergence_rate'][3]:.1f} [" in out


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, "0.1"), (0.0017782794, "0.001778"), (2, "2"), (True, "True"), ("relu", "relu"), (1e-10, "1e-10")],
)
def test_short_values(value: object, text: str) -> None:
    """Values of parameters are written in at most four digits."""
    assert tables.short(value) == text
    if isinstance(value, float):
        assert tables.short(np.float64(value)) == text


def test_progress_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal shows a bar on standard error, with runs and speed."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with SweepProgress(n_runs=40, cost=4.0, shown=True) as progress:
        progress.skip(10, 1.0)
        progress.advance(10, 1.0, 500_000)
        progress.advance(20, 2.0, 500_000)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "40 of 40 runs" in captured.err
    assert "100 %" in captured.err


def test_progress_elsewhere(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file there is a line now and then, with percent, runs, speed and time to go."""
    now = [100.0]
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with SweepProgress(n_runs=40, cost=4.0, shown=True) as progress:
        progress.skip(10, 1.0)
        now[0] += 20
        progress.advance(10, 1.0, 40_000_000)
        progress.advance(10, 1.0, 40_000_000)
        now[0] += 20
        progress.skip(0, 0.0)
    captured = capsys.readouterr()
    assert captured.out == ""
    first, second = captured.err.splitlines()
    assert first == "50 %: 20 of 40 runs, 2 M steps/s, 40 s to go"
    assert second == "75 %: 30 of 40 runs, 2 M steps/s, 20 s to go"


def test_no_progress_unasked(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """From Python nothing is printed unless asked for."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    sweep.run(make_study(count=3))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
    sweep.run(make_study(count=3), progress=True)
    assert capsys.readouterr().err != ""


def test_machine_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine has a name, also where the system does not tell of it in /proc."""
    facts = machine.machine_facts()
    assert facts["n_processors"] == machine.available_threads() >= 1
    assert facts["versions"]["numpy"] == np.__version__

    def fail(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", fail)
    assert machine.machine_facts()["cpu"]
    assert machine.log_digest() == machine.log_digest()


def test_names_of_the_package() -> None:
    """Everything offered exists, is listed and documented; anything else is an AttributeError."""
    for name in sweep.__all__:
        assert getattr(sweep, name).__doc__
        assert name in dir(sweep)
    assert callable(sweep.run)
    assert callable(sweep.trace)
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = sweep.nothing
    assert re.fullmatch(r"\d+\.\d+\.\d+", sweep.__version__)


@pytest.mark.parametrize(
    "name", ["study", "errors", "parameters", "plain", "load", "plan", "result", "engine", "replay"]
)
def test_examples_in_the_documentation(name: str) -> None:
    """Examples in docstrings are true."""
    assert doctest.testmod(importlib.import_module(f"sweep.{name}")).failed == 0


def test_names_survive_the_import_of_modules() -> None:
    """Importing submodules does not put modules in the place of the functions ``run`` and ``trace``."""
    for path in Path(sweep.__path__[0]).glob("*.py"):
        importlib.import_module(f"sweep.{path.stem}" if path.stem != "__init__" else "sweep")
    assert callable(sweep.run)
    assert callable(sweep.trace)


def test_errors_are_of_one_family() -> None:
    """One except clause catches what is the user's to mend."""
    assert issubclass(sweep.StudyError, sweep.SweepError)
    assert issubclass(sweep.StoreError, sweep.SweepError)
