"""How often races keep the best cell, and what they save: seeds drawn from many that are all trained once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

import sweep
from sweep import Study
from sweep.analysis.study_race import StudyRace
from sweep.statistics.racing import Race

N_TRAINED, COUNT, N_RACES = 1000, 1000, 300

# Three studies beside xor, by what they race.
STUDIES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "monks": (
        {
            "data": {"task": "monks", "problem": 3, "test": {"task": "monks_all", "problem": 3}},
            "network": {"activation": "tanh"},
            "training": {"optimizer": "adam", "max_steps": 200},
            "convergence": {"criterion": "none"},
            "parameters": {"hidden": {"values": [2, 4, 8]}, "learning_rate": {"values": [0.003, 0.01, 0.03, 0.1, 0.3]}},
        },
        {"best": "test_accuracy"},
    ),
    "spiral": (
        {
            "data": {"task": "spiral", "n": 60, "noise": 0.1, "train_count": 30},
            "network": {"activation": "tanh", "hidden": 8},
            "training": {"optimizer": "adam", "max_steps": 200},
            "convergence": {"criterion": "none"},
            "parameters": {
                "weight_decay": {"values": [0.0, 0.01, 0.1]},
                "learning_rate": {"values": [0.001, 0.003, 0.01, 0.03, 0.1]},
            },
        },
        {"best": "test_loss"},
    ),
    "parity": (
        {
            "data": {"task": "parity", "bits": 3},
            "network": {"hidden": 6},
            "training": {"max_steps": 1000},
            "convergence": {"threshold": 0.01},
            "parameters": {
                "optimizer": {"values": ["gd", "momentum", "rmsprop", "adam"]},
                "learning_rate": {"values": [0.003, 0.01, 0.03, 0.1]},
            },
        },
        {"best": "median_steps"},
    ),
}


class Simulated(NamedTuple):
    """The means over races: runs as a share of those with fixed seeds, contenders left, and whether the best is."""

    share: float
    n_left: float
    kept: float


def best_of(values: NDArray[np.float64], by_wins: bool) -> int:
    """Return the cell with the best mean, or one that no other beats with most seeds; -1 if each is beaten."""
    if not by_wins:
        return int(values.mean(axis=1).argmax())
    advantage = [((each > values).sum(axis=1) - (each < values).sum(axis=1)).min() for each in values]
    return int(np.argmax(advantage)) if max(advantage) >= 0 else -1


def simulate(values: NDArray[np.float64], by_wins: bool, margin: float | None = None, n: int = N_RACES) -> Simulated:
    """Race with seeds that are drawn from those of the study, of which the best cell is known."""
    rng, best, found = np.random.default_rng(0), best_of(values, by_wins), []
    rounds = [20, 20, 40, 80, 160, 320, 360]
    for _ in range(n):
        drawn = values[:, rng.integers(0, values.shape[1], COUNT)]
        race, start = Race(len(values), len(rounds), 0.95, by_wins=by_wins, margin=margin), 0
        for k in rounds:
            if race.open.any():
                race.add(drawn[race.open][:, None, start : start + k])
            start += k
        found.append((race.n_seeds.mean() / COUNT, race.left.sum(), race.left[best]))
    return Simulated(*map(float, np.mean(found, axis=0)))


def trained(name: str) -> tuple[NDArray[np.float64], bool]:
    """Return the values of many seeds of a study, and whether its cells are compared by wins."""
    if name.startswith("xor"):
        tables, until = sweep.load_study("xor").canonical(), {"best": name.split()[1]}
    else:
        tables, until = STUDIES[name]
    fixed = sweep.run(Study(**{**tables, "seeds": {"count": N_TRAINED}}))
    study = Study(**{**tables, "seeds": {"count": N_TRAINED, "until": until}})
    race = StudyRace(study)
    values = np.empty(study.n_runs)
    for table in fixed.stored.tables(race.columns):
        values[table["run"].to_numpy()] = race.values_of(table)
    return values.reshape(study.n_cells, -1), race.race.by_wins


@pytest.mark.soak
@pytest.mark.parametrize("name", ["xor rate", "xor median_steps", "xor final_loss", *STUDIES])
def test_races_keep_the_best(name: str) -> None:
    """The best cell is left in at least 95 % of races, which train less than half of the runs; by wins too."""
    values, by_wins = trained(name)
    for found in (simulate(values, by_wins), simulate(values, True, margin=0.005)):
        assert found.kept >= 0.95
        assert found.share < 0.5
