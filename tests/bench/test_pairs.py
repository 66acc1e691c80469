"""Comparisons of xor-sweep with another side in pairs, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from sweep.bench import runner
from sweep.bench.bench_host import LIMITS, Checkout, Host
from sweep.bench.case import CASES, Case
from sweep.bench.measurement import Effort, Side, interleave
from sweep.bench.pairs import main
from sweep.bench.peers import UnsupportedError
from sweep.study.model import Study

FAST = ("--pairs", "3", "--seconds", "0.002", "--threads", "1")

# A checkout that trains nothing: all losses are the learning rate, and each run takes 10 ns.
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

class Result:
    def __init__(self, study):
        self.study = study

    def runs(self, names):
        return {name: np.full(self.study.n_runs, self.study.rate) for name in names}

def run(study, threads):
    time.sleep(1e-8 * study.n_runs)
    return Result(study)
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a checkout, which also replaces the one that is tested."""
    (tmp_path / "other/sweep").mkdir(parents=True)
    (tmp_path / "other/sweep/__init__.py").write_text(STUB)
    monkeypatch.setattr(runner, "HERE", tmp_path / "other")
    return tmp_path / "other"


def test_pairs_with_another_checkout(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both sides are whole checkouts, which train a case as a study."""
    main(["--case", "xor,relu-parity4", "--hidden", "4,5", "--against", str(checkout), *FAST])
    printed = capsys.readouterr().out
    assert "relu-parity4, relu, float64: million network-steps per second" in printed
    assert printed.count(f"sweep.run of {checkout}") == 2
    assert "losses differ" not in printed


def test_a_checkout_that_cannot_train_a_case(
    checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An earlier version may not know the options."""
    with (
        Checkout("there", checkout, 1, tmp_path) as host,
        pytest.raises(UnsupportedError, match=r"cannot train this study: training\.batch"),
    ):
        host.train(CASES["xor-online"], 1, 1)
    main(["--case", "xor-online", "--against", str(checkout), *FAST])
    assert f"not measured: {checkout}: that checkout cannot train this study" in capsys.readouterr().out


def test_a_kernel_that_is_compiled_meanwhile_is_not_measured() -> None:
    """Studies of 256 networks and more are worth a kernel, which takes 9 seconds, here a number."""

    class Compiles:
        enough: ClassVar[dict[Any, Any]] = {}
        compiled = False
        fewest = staticmethod(lambda case: 1)

        def train(self, case: Case, variant: int, n_networks: int) -> tuple[float, int]:
            compiles, self.compiled = n_networks >= 256 and not self.compiled, self.compiled or n_networks >= 256
            return 9 * compiles + n_networks * 1e-3, n_networks

    host: Any = Compiles()
    interleave((Side(host, CASES["xor"]),) * 2, Effort(2, 2.0, 0.1), lambda what: None)
    assert host.enough[CASES["xor"], 1, 2.0] == (2000, pytest.approx(1e3 * CASES["xor"].steps))


@pytest.mark.parametrize("name", ["xor", "relu-parity3", "relu-parity6"])
def test_cases_of_earlier_versions_use_no_later_option(name: str) -> None:
    """The first version had only these keys."""
    tables = CASES[name].study_tables(3)
    assert set(tables) == {"data", "network", "training", "convergence", "seeds"}
    assert set(tables["network"]) == {"hidden"}
    assert set(tables["training"]) == {"learning_rate", "max_steps"}
    assert Study(**tables).n_runs == 3


def test_peers_are_limited_to_the_cpu_of_the_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own flags stay, and xor-sweep itself needs none."""
    monkeypatch.setenv("NUMBA_CPU_NAME", "haswell")
    monkeypatch.setenv("XLA_FLAGS", "--mine")
    with Host("notebook", 1, tmp_path) as peer, Checkout("here", tmp_path, 1, tmp_path) as own:
        assert peer._environment()["XLA_FLAGS"] == f"--mine {LIMITS['haswell']['XLA_FLAGS']}"
        assert own._environment()["XLA_FLAGS"] == "--mine"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--against", "nowhere"), "--against: must be a checkout with the package sweep, got 'nowhere'"),
        (("--against", ".", "--pairs", "0"), "must be above 0"),
    ],
)
def test_bad_options_are_refused(options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, and exit code 2."""
    with pytest.raises(SystemExit) as error:
        main(list(options))
    assert error.value.code == 2
    assert message in capsys.readouterr().err
