"""The example of MLflow logs what it says, where MLflow is installed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "how-to" / "mlflow.md").read_text("utf-8")


@pytest.mark.filterwarnings("ignore")  # those of MLflow
def test_cells_are_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each cell is a run with its parameters and finite statistics, and the best one is printed."""
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    ((_, example), (_, printed)) = re.findall(r"^```(python|text)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {}
    exec(compile(example, "mlflow", "exec"), names)
    assert capsys.readouterr().out == printed
    result = names["result"]
    logged = mlflow.search_runs(experiment_names=["xor"]).set_index("params.cell")
    assert set(logged["tags.digest"]) == {result.facts["digest"]}
    assert len(logged) == len(result.cells)
    for cell in result.cells.to_dict("records"):
        run = logged.loc[str(cell["cell"])]
        assert float(run["params.learning_rate"]) == cell["learning_rate"]
        for name, value in cell.items():
            if name not in ("cell", "hidden", "learning_rate"):
                known = not pd.isna(value) and abs(value) != float("inf")
                assert run.get(f"metrics.{name}") == value if known else pd.isna(run.get(f"metrics.{name}"))
