"""What the README says is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import sweep
from sweep.cli import app
from sweep.schema import cells_columns, runs_columns

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def block(language: str) -> str:
    """Return the first fenced block of a language."""
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found, f"README has no {language} block"
    return found[1]


def test_first_lines_are_the_two_commands() -> None:
    commands = [line.split("#")[0].strip() for line in block("sh").splitlines()]
    assert commands == ["make run", "make test", "make bench"]
    assert README.index("```sh") < 20


def test_study_file_is_valid() -> None:
    study = sweep.Study(**tomllib.loads(block("toml")))
    assert study.n_cells == 27
    assert study.n_runs == 27_000


def test_python_example_runs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    load = sweep.load_study
    monkeypatch.setattr(sweep, "load_study", lambda name, changes: load(name, {**changes, "seeds.count": 2}))
    exec(compile(block("python"), "README", "exec"), {})
    assert "convergence_rate" in capsys.readouterr().out


@pytest.mark.parametrize("columns", [runs_columns, cells_columns])
def test_every_column_is_documented(columns: object) -> None:
    study = sweep.Study(data={"task": "xor"}, network={"hidden": 2}, training={"learning_rate": 0.1})
    assert callable(columns)
    for column in columns(study):
        assert f"| `{column.name}` | {column.type} | {column.unit} | {column.doc} |" in README


def test_every_command_is_listed() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"`sweep {command.callback.__name__}" in README


def test_published_table_is_that_of_the_published_result() -> None:
    import pandas as pd

    cells = pd.read_parquet(Path(__file__).parents[1] / "results/published/xor/cells.parquet")
    rows = re.findall(r"^ +([\d.]+)((?: +\d+\.\d)+)$", block("text"), re.MULTILINE)
    printed = {(float(row), k): float(text) for row, line in rows for k, text in enumerate(line.split())}
    assert len(printed) == len(cells) == 91
    for k, hidden in enumerate(sorted(cells["hidden"].unique())):
        for cell in cells[cells["hidden"] == hidden].itertuples():
            assert printed[float(f"{cell.learning_rate:.4g}"), k] == round(100 * cell.convergence_rate, 1)
