"""The example of a tuner: its trials get the rates of their own cells, and it finds a good one."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

import sweep

optuna = pytest.importorskip("optuna", reason="the extra bench is not installed")
EXAMPLE = Path(__file__).parents[1] / "docs" / "how-to" / "tuner.py"


def test_tuner(capsys: pytest.CaptureFixture[str]) -> None:
    """Each trial has the rate of a study with only its values; the best trial is among the best of the grid."""
    names = runpy.run_path(str(EXAMPLE))
    trials = names["tuner"].trials
    assert len(trials) == 80
    for trial in (trials[0], trials[-1], names["tuner"].best_trial):
        parameters = {name: [value] for name, value in trial.params.items()}
        tables = {"data": {"task": "xor"}, "network": {"hidden": 8}, "seeds": {"count": 200}}
        alone = sweep.run(sweep.Study(parameters=parameters, **tables))
        assert trial.value == alone.cells["convergence_rate"].iloc[0]
    assert names["tuner"].best_value > 0.9
    assert capsys.readouterr().out.startswith("best of 80 trials: 0.9")
