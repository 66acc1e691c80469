"""Studies and results do not depend on the state in which other code leaves the floating-point unit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sweep
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from sweep.store.store import Store
from sweep.training.executors import remote
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.part_result import PartResult
from tests.floating_point import STATES, in_state, state_here
from tests.rings import one_in
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import make_study

ROOT = Path(__file__).parents[3]
BY_STATE = pytest.mark.parametrize("state", STATES)

# Denormal initial weights, computed rates, and few steps.
CHANGES: dict[str, Any] = {
    "hidden": 2,
    "learning_rate": {"geomspace": [1e-3, 1.0, 7]},
    "scale": [1.0, 3e-310],
    "gain": {"linspace": [0.1, 0.7, 4]},
    "optimizer": "momentum",
    "max_steps": 6,
    "seeds.count": 5,
}


def run() -> sweep.Result:
    """Read a study and train it."""
    return sweep.run(sweep.load_study("xor", CHANGES), threads=2)


@BY_STATE
def test_runs_have_the_same_bits(state: str) -> None:
    """Values, rows, statistics and traces are those of the default state, and the state is restored."""
    expected = run()
    with in_state(state):
        found = run()
        replayed = sweep.trace(found, 3)
        assert state_here() == state
    assert found.study.identity == expected.study.identity
    assert found.facts["digest"] == expected.facts["digest"]
    assert found.cells.equals(expected.cells)
    assert not replayed.mismatches


@BY_STATE
def test_results_are_read_as_they_were_written(state: str, tmp_path: Path) -> None:
    """Numbers in records are read as they were written, so no file seems damaged."""
    study = make_study(count=8, learning_rate=[0.1, 0.2], hidden=2, max_steps=30)
    expected = run_in_parts(study, out=tmp_path / "r", part_runs=4)
    with in_state(state):
        found = sweep.open_result(tmp_path / "r")
        assert found.runs().equals(expected.runs())
        assert found.cells.equals(expected.cells)


@BY_STATE
def test_a_study_has_one_identity(state: str) -> None:
    """Denormal numbers are written in full, and do not become 0."""
    study = make_study(count=2, hidden=2, learning_rate=[0.0, 1e-310], weight_decay=5e-324, max_steps=3)
    identity, text = study.identity, study.to_toml()
    with in_state(state):
        assert study.identity == identity
        assert study.to_toml() == text


ANSWERS: dict[str, Callable[[sweep.Result], Any]] = {
    "summarize": lambda result: result.summarize("learning_rate"),
    "best": lambda result: result.best(),
    "compare": lambda result: result.compare("hidden"),
    "incidence": lambda result: result.incidence("hidden"),
    "parallel runs": lambda result: result.parallel_runs(2),
    "targets": lambda result: result.by_threshold.summarize("hidden"),
    "export": lambda result: result.export("json", by="hidden"),
}


@pytest.mark.parametrize("state", one_in(2, STATES))
def test_answers_have_the_same_bits(state: str, tmp_path: Path) -> None:
    """All methods of a result give the same answers, in memory and in a folder."""
    study = make_study(count=12, learning_rate=[0.05, 0.2], max_steps=40, loss_thresholds=[1.0, 0.5])
    first = sweep.run(study, tmp_path / "r")
    expected = {name: ask(first) for name, ask in ANSWERS.items()}
    for result in (sweep.run(study), sweep.open_result(tmp_path / "r")):
        for name, ask in ANSWERS.items():
            with in_state(state):
                found = ask(result)
            same = found == expected[name] if isinstance(found, str) else found.equals(expected[name])
            assert same, name


@BY_STATE
def test_workers_of_a_cluster_compute_in_the_default_state(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers train in threads of dask, where other code may have changed the state."""
    study, train, seen = make_study(count=8, hidden=2, max_steps=3), PartTrainer.train, []

    def watched(worker: PartTrainer, part: Part) -> PartResult:
        seen.append(state_here())
        return train(worker, part)

    run_in_parts(study, out=tmp_path / "r", part_runs=4, max_runs=1)
    (done,) = Store.open(tmp_path / "r").commits()
    missing = Plan(study, 4).part(int(not done))
    job = remote.Job(study.identity, "runs", str(tmp_path / "r"), "session", remote.own_sources(), 4, (), ())
    monkeypatch.setattr(remote, "_task_of_this_thread", lambda: lambda: False)
    monkeypatch.setattr(PartTrainer, "train", watched)
    with in_state(state):
        (commit,) = remote.train_chunk(job, (missing,))
        assert state_here() == state
    assert seen == ["default"]
    assert commit.part == missing.index


@pytest.mark.wide
@pytest.mark.parametrize("state", one_in(2, STATES))
def test_a_process_that_starts_in_another_state(state: str) -> None:
    """Modules imported in another state compute the same constants."""
    lines = (
        "from tests.floating_point import in_state",
        "from tests.sweep.system.test_floating_point import run",
        f"with in_state({state!r}):",
        "    print(run().facts['digest'])",
    )
    words = [sys.executable, "-c", "\n".join(lines)]
    ended = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stdout.strip() == run().facts["digest"]
