"""Comparisons of xor-sweep with another side in pairs, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sweep.bench import pairs
from sweep.bench.bench_host import LIMITS, Checkout, Host
from sweep.bench.case import CASES, Case
from sweep.bench.measurement import Effort, Side, interleave
from sweep.bench.pairs import Pairs, main
from sweep.bench.peers import OWN, UnsupportedError
from sweep.bench.studies import study_tables
from sweep.study.model import Study

FAST = ("--pairs", "3", "--seconds", "0.002", "--threads", "1")

# A checkout that trains nothing: all losses are the learning rate, and each run takes a microsecond.
STUB = """
import time
import numpy as np

class SweepError(Exception):
    pass

class Study:
    def __init__(self, data, network, training, convergence, seeds):
        if "batch" in training:
            raise SweepError("training.batch: unknown key")
        self.n_runs, self.rate = seeds["count"], training["learning_rate"]
        self.identity = str(network)

class Result:
    def __init__(self, study):
        self.study = study

    def runs(self, names):
        return {name: np.full(self.study.n_runs, self.study.rate) for name in names}

def run(study, threads):
    time.sleep(1e-6 * study.n_runs)
    return Result(study)
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a checkout, which also replaces the one that is tested."""
    (tmp_path / "other/sweep").mkdir(parents=True)
    (tmp_path / "other/sweep/__init__.py").write_text(STUB)
    monkeypatch.setattr(pairs, "HERE", tmp_path / "other")
    return tmp_path / "other"


@pytest.mark.wide
def test_pairs_with_a_peer(capsys: pytest.CaptureFixture[str]) -> None:
    """Rates of both, their ratio pair by pair, and whether losses agree, for each case that is named."""
    main(["--case", "xor", "--peer", "notebook", *FAST, "--steps", "5"])
    printed = capsys.readouterr().out
    assert "threads: 1" in printed
    assert "xor-sweep: xor, relu, float64, hidden 2, 5 steps" in printed
    assert "NumPy, the notebook's loop: xor, relu" in printed
    assert "losses of 100.00% of the networks agree" in printed


@pytest.mark.wide
def test_pairs_of_two_cases(capsys: pytest.CaptureFixture[str]) -> None:
    """The cost of a step in steps of another case, and the part of roots and divisions in it."""
    main(["--case", "xor-adam", "--versus", "xor", "--hidden", "2", *FAST, "--json"])
    row = json.loads(capsys.readouterr().out)
    assert row["sides"] == ["xor-adam", "xor"]
    assert row["cost_of_a_step"] == pytest.approx(1 / row["ratio"][0])
    assert row["roots_in_steps"] > 0
    assert row["agreement"] is None
    assert row["cpu"]


def test_ratios_are_of_steps_and_of_operations() -> None:
    """The larger case does more operations in a step."""
    cases = CASES["relu-parity4"], CASES["relu-parity3"]
    row = Pairs(("a", "b"), cases, ((1e6, 2e6, 4e6), (2e6, 2e6, 2e6)), None).summary()
    assert row["ratio"] == [1.0, 0.5, 2.0]
    assert row["ratio_of_operations"] == pytest.approx([1609 / 520 * ratio for ratio in row["ratio"]])
    assert row["networks_per_second"] == [4000, 4000]


def test_pairs_with_another_checkout(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both sides are whole checkouts, which train a case as a study."""
    main(["--case", "relu-parity3", "relu-parity4", "--against", str(checkout), *FAST])
    printed = capsys.readouterr().out
    assert "sweep.run there: relu-parity4, relu, float64, hidden 4, 500 steps" in printed
    assert printed.count("losses of 100.00% of the networks agree") == 2


def test_a_checkout_that_cannot_train_a_case(checkout: Path, tmp_path: Path) -> None:
    """An earlier version may not know the options."""
    with (
        Checkout("there", checkout, 1, tmp_path) as host,
        pytest.raises(UnsupportedError, match=r"cannot train this study: training\.batch"),
    ):
        host.train(CASES["xor-online"], 1, 1)
    with pytest.raises(SystemExit, match="xor-online: not measured: that checkout cannot train this study"):
        main(["--case", "xor-online", "--against", str(checkout), *FAST])


def test_a_kernel_that_is_compiled_meanwhile_is_not_measured() -> None:
    """Studies of 256 networks and more are worth a kernel, which takes 9 seconds, here a number."""

    class Compiles:
        enough: ClassVar[dict[Any, Any]] = {}
        compiled = False

        def train(self, case: Case, variant: int, n_networks: int) -> tuple[float, int]:
            compiles, self.compiled = n_networks >= 256 and not self.compiled, self.compiled or n_networks >= 256
            return 9 * compiles + n_networks * 1e-3, n_networks

    host: Any = Compiles()
    interleave((Side(host, CASES["xor"]),) * 2, Effort(2, 2.0, 0.1), lambda what: None)
    assert host.enough[CASES["xor"], 1, 2.0] == (2000, pytest.approx(1e3 * CASES["xor"].steps))


@pytest.mark.parametrize("name", ["xor", "relu-parity3", "relu-parity6"])
def test_cases_of_earlier_versions_use_no_later_option(name: str) -> None:
    """The first version had only these keys."""
    tables = study_tables(CASES[name], 3)
    assert set(tables) == {"data", "network", "training", "convergence", "seeds"}
    assert set(tables["network"]) == {"hidden"}
    assert set(tables["training"]) == {"learning_rate", "max_steps"}
    assert Study(**tables).n_runs == 3


def test_peers_are_limited_to_the_cpu_of_the_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own flags stay, and xor-sweep itself needs none."""
    monkeypatch.setenv("NUMBA_CPU_NAME", "haswell")
    monkeypatch.setenv("XLA_FLAGS", "--mine")
    with Host("notebook", 1, tmp_path) as peer, Host(OWN, 1, tmp_path) as own:
        assert peer._environment()["XLA_FLAGS"] == f"--mine {LIMITS['haswell']['XLA_FLAGS']}"
        assert own._environment()["XLA_FLAGS"] == "--mine"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--case", "xor", "--against", "nowhere"),
            "--against: must be a checkout with the package sweep, got 'nowhere'",
        ),
        (("--case", "xor", "--peer", "notebook", "--pairs", "0"), "must be above 0"),
        (("--case", "xor"), "one of the arguments --peer --against --versus is required"),
        (("--case", "xor", "--peer", "jax"), "invalid choice: 'jax'"),
    ],
)
def test_bad_options_are_refused(options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, and exit code 2."""
    with pytest.raises(SystemExit) as error:
        main(list(options))
    assert error.value.code == 2
    assert message in capsys.readouterr().err
