"""Printed output: tables, progress and the machine; and the public names of the package."""

from __future__ import annotations

import doctest
import importlib
import math
import pkgutil
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sweep
from sweep.system import host
from sweep.system.formatting import short
from sweep.terminal import printed, screen
from tests.rings import one_in
from tests.sweep.own import only_plugins
from tests.sweep.support import make_study


@pytest.mark.parametrize(
    "scalars",
    [
        {"hidden": 2},
        {"hidden": [2]},
        {"hidden": [2, 3], "threshold": [0.1, 0.2], "count": 5},
        {"hidden": 2, "learning_rate": 0.1, "threshold": list(range(1, 14)), "max_steps": list(range(14)), "count": 2},
    ],
)
def test_other_numbers_of_parameters_make_a_list(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, scalars: dict[str, Any]
) -> None:
    """With one or three parameters, or too many columns, cells are listed with rates and intervals."""
    monkeypatch.setattr(screen, "MAX_ROWS", 200)
    result = sweep.run(make_study(**({"count": 20, "hidden": [2, 3, 4]} | scalars)))
    printed.print_summary(result)
    out = capsys.readouterr().out
    for row in result.cells.to_dict("records"):
        rate, low, high = (100 * row[f"convergence_rate{end}"] for end in ("", "_low", "_high"))
        assert re.search(rf"^ *{row['cell']} .* {rate:.1f} \[{low:.1f}, {high:.1f}\]", out, re.MULTILINE)


@pytest.mark.wide
def test_long_tables_show_the_best(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long table is cut to the best cells, and a line says how to show the others."""
    study = make_study(count=20, hidden=[2, 3, 4], learning_rate=[0.05, 0.1, 0.2, 0.4])
    result = sweep.run(study, out=tmp_path / "r r")
    monkeypatch.setattr(screen, "MAX_ROWS", 11)
    printed.print_cells(result)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "10 of 12 cells, best first, each of 20 runs"
    best = result.cells.sort_values(["convergence_rate", "expected_steps"], ascending=[False, True])["cell"]
    assert listed(lines) == list(best[:10])
    assert f"2 more: sweep show '{tmp_path / 'r r'}' --top 12" in lines[-1]
    assert f"sweep export '{tmp_path / 'r r'}' --out cells.csv" in lines[-1]
    printed.print_cells(result, sort="hidden")
    assert "--sort hidden --top 12" in capsys.readouterr().out
    printed.print_cells(result, top=12)
    assert listed(capsys.readouterr().out.splitlines()) == list(best)
    monkeypatch.setattr(screen, "MAX_ROWS", 12)
    printed.print_cells(result)
    assert listed(capsys.readouterr().out.splitlines()) == list(range(12))
    printed.print_cells(sweep.run(study), top=1)
    assert "11 more are in result.cells" in capsys.readouterr().out


def listed(lines: list[str]) -> list[int]:
    """Return the numbers of the cells in a table."""
    return [int(line.split()[0]) for line in lines if re.match(r" *\d+  .*\[", line)]


@pytest.mark.parametrize(("lines", "columns"), one_in(2, [(30, 120), (30, 70), (15, 120), (30, 30)]))
def test_tables_fit_the_screen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, lines: int, columns: int
) -> None:
    """No line is wider than the terminal; the matrix needs height and width, and a narrow one shows no counts."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("LINES", str(lines))
    monkeypatch.setenv("COLUMNS", str(columns))
    rates = [0.01 * k for k in range(1, 12)]
    printed.print_summary(
        sweep.run(make_study(count=10, hidden=[1, 2, 3, 4, 5, 6], learning_rate=rates, threshold=10.0))
    )
    out = re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out).splitlines()
    assert "…" not in "".join(out)  # no number is cut
    assert max(map(len, out)) <= columns
    matrix, counts = lines >= 20 and columns >= 50, columns >= 90
    text = " ".join(" ".join(out).split())
    assert ("runs converged, %: learning_rate (down) and hidden (across)" in text) == matrix
    if matrix:
        assert len(out) <= lines
    else:
        assert "10 of 66 cells, best first" in text
        assert ("numbers by status need a screen" in text) != counts
        assert ("exhausted" in text) == counts
    assert re.search(r" runs converged .* best cell", text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(0.1, "0.1"), (0.0017782794, "0.001778"), (2, "2"), (True, "True"), ("relu", "relu"), (1e-10, "1e-10")],
        *[(50.0, "50"), (12_345.0, "12345"), (12_345.5, "1.235e+04"), (1e6, "1e+06"), (math.inf, "inf")],
    ],
)
def test_short_values(value: object, text: str) -> None:
    """Values of parameters are written with at most four digits, whole numbers with all."""
    assert short(value) == text
    if isinstance(value, float):
        assert short(np.float64(value)) == text


def test_machine_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine has a name, also without /proc."""
    facts = host.machine_facts()
    assert facts["n_processors"] == host.available_threads() >= 1
    assert facts["versions"]["numpy"] == np.__version__

    def fail(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", fail)
    assert host.machine_facts()["cpu"]
    assert host.log_digest() == host.log_digest()


def test_names_of_the_package() -> None:
    """All public names exist, are listed and documented; others raise AttributeError."""
    for name in sweep.__all__:
        assert getattr(sweep, name).__doc__
        assert name in dir(sweep)
    assert callable(sweep.run)
    assert callable(sweep.trace)
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = sweep.nothing
    assert re.fullmatch(r"\d+\.\d+\.\d+", sweep.__version__)


def test_lanes_are_an_attribute() -> None:
    """``sweep.lanes`` needs no import, and works without Numba."""
    code = "import sweep, sys; sweep.lanes.select; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# Without those of the bench, whose peers are not installed.
MODULES = [
    found.name for found in pkgutil.walk_packages(sweep.__path__, "sweep.") if not found.name.startswith("sweep.bench")
]
EXAMPLES = [name for name in MODULES if ">>> " in Path(find_spec(name).origin).read_text("utf-8")]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_in_the_documentation(name: str) -> None:
    """Examples in docstrings give the documented output; what they declare is forgotten."""
    with only_plugins():
        assert doctest.testmod(importlib.import_module(name)).failed == 0
