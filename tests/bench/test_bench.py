"""The benchmark itself: processes of peers, pairs, what is printed and written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sweep.bench import command as bench_command
from sweep.bench import measurement
from sweep.bench.bench_host import Checkout, Host
from sweep.bench.case import CASES, Case
from sweep.bench.measurement import Comparison, Effort
from sweep.bench.peers import HOMES, MissingError, UnsupportedError
from sweep.bench.runner import Findings
from tests.sweep.support import assert_refused, command

TINY = Effort(repeats=2, seconds=0.002, trial_seconds=0.001)
CASE = Case(2, steps=5)


def test_a_peer_works_in_its_own_process(tmp_path: Path) -> None:
    """It reports its title, trains the requested networks, and returns their losses."""
    with Host("numpy-batch", 1, tmp_path) as host:
        assert host.hello(CASE)["title"] == "NumPy, batched"
        seconds, n_networks = host.train(CASE, 64, 100)
        assert seconds > 0
        assert n_networks == 128
        assert host.losses().shape == (128,)


@pytest.mark.parametrize(("home", "options"), [("no_such_module:Peer", "^No module named"), ("notebook:np", "ended")])
def test_a_peer_that_cannot_work_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str, options: str
) -> None:
    """A missing library, or a process that ends, is reported as a sentence, and the benchmark continues."""
    path = tmp_path / "sitecustomize.py"
    path.write_text(f"import sweep.bench.peers as peers\npeers.HOMES['notebook'] = {home!r}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Host("notebook", 1, tmp_path / "durable") as host, pytest.raises(MissingError, match=options):
        host.train(CASE, 1, 1)


def test_a_peer_names_what_it_cannot_train(tmp_path: Path) -> None:
    """Scalar Numba has no tanh."""
    with Host("numba", 1, tmp_path) as host, pytest.raises(UnsupportedError, match="with relu and"):
        host.train(Case(2, activation="tanh"), 1, 1)


@pytest.mark.wide
def test_benchmark_end_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Peers are compared in pairs, others are listed with a reason, and files agree with the table."""
    monkeypatch.setattr(bench_command, "QUICK", TINY)
    monkeypatch.setattr(Checkout, "fewest", Host.fewest)  # few networks, with whichever kernels
    monkeypatch.setitem(HOMES, "jax-vmap", "no.such.module:Peer")
    options: dict[str, Any] = {"dtype": None, "quick": True, "as_json": False, "threads": 2}
    assert bench_command.bench("notebook,numba", None, "2,3", activation="relu", out=tmp_path / "out", **options)
    assert "NumPy, the notebook's loop" in capsys.readouterr().out
    found = json.loads((tmp_path / "out/bench.json").read_text())
    assert {row["peer"] for row in found["rows"]} == {"notebook", "numba"}
    assert len(found["rows"]) == 4
    for row in found["rows"]:
        assert row["agrees"]
        assert row["ratio_low"] <= row["ratio"] <= row["ratio_high"]
        assert len(row["rates"]) == len(row["own_rates"]) == TINY.repeats

    assert bench_command.bench("notebook,numba", None, "3", activation="tanh", out=tmp_path / "other", **options)
    printed = capsys.readouterr().out
    assert "xor, tanh, float64: million network-steps" in printed
    assert "not measured: numba: trains only XOR, by gradient descent, with relu and one hidden layer" in printed


def test_cases_are_chosen_by_name_and_changed_by_options() -> None:
    """XOR comes in several sizes and forms, other cases in one; options replace these values."""
    many = bench_command._cases(CASES["xor"], None, None, None, False)
    assert len(many) == 12
    assert bench_command._cases(CASES["xor"], None, None, None, True) == [CASES["xor"]]
    for case in CASES.values():
        if case.name != "xor":
            assert bench_command._cases(case, None, None, None, False) == [case]
    (changed,) = bench_command._cases(CASES["parity5"], "7", "float32", None, True)
    assert changed == replace(CASES["parity5"], hidden=7, dtype="float32")


def comparison(agreement: float) -> Comparison:
    """Make up a comparison."""
    return Comparison(CASE, "cpp", "C++", "", 64, (1e6, 2e6, 4e6), (4e6, 4e6, 4e6), agreement, same_bits=True)


def test_ratios_are_of_pairs() -> None:
    """The ratio is the median of ratios; one network that differs is too many where bits must be the same."""
    row = comparison(1.0).summary()
    assert (row["ratio"], row["ratio_low"], row["ratio_high"]) == (2.0, 1.0, 4.0)
    assert row["agrees"]
    assert not comparison(0.999).summary()["agrees"]


def test_losses_that_differ_fail_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that trains something else is named, with exit code 1; --json prints JSON."""

    def run(peers: object, cases: object, effort: object, threads: object, findings: Findings) -> None:
        findings.comparisons.append(comparison(0.5))

    monkeypatch.setattr(bench_command, "run_benchmark", run)
    finished = command("bench", "--out", str(tmp_path))
    assert finished.code == 1
    assert "losses differ: cpp, xor, relu, float64, hidden 2, 5 steps: only 50.0% of the networks agree" in finished.out
    finished = command("bench", "--out", str(tmp_path), "--json")
    assert json.loads(finished.out)["rows"][0]["agrees"] is False


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--peers", "jaks-vmap"), ("--peer", "'jaks-vmap'", "did you mean 'jax-vmap'")),
        (("--peers", "xor-sweep"), ("unknown peer 'xor-sweep'",)),
        (("--case", "xor-adams"), ("--case", "'xor-adams'", "did you mean 'xor-adam'")),
        (("--hidden", "2,two"), ("--hidden", "'two'", "1 to 1024")),
        (("--hidden", "0"), ("--hidden", "'0'")),
        (("--dtype", "float16"), ("--dtype", "'float16'", "float64")),
        (("--activation", "gelu"), ("--activation", "'gelu'", "relu")),
        (("--threads", "0"), ("--threads", "must be from 1")),
    ],
)
def test_bad_options_are_refused(tmp_path: Path, options: tuple[str, ...], words: tuple[str, ...]) -> None:
    """They give one sentence and exit code 2, and write nothing."""
    assert_refused(command("bench", *options, "--out", str(tmp_path / "out")), words)
    assert not (tmp_path / "out").exists()


def test_best_variant_survives_one_that_fails() -> None:
    """A batch size that fails is skipped; a peer for which all fail is missing."""

    class Fragile(Host):
        def __init__(self) -> None:
            self.enough = {}

        def train(self, case: Case, variant: int, n_networks: int) -> tuple[float, int]:
            if variant == 3:
                raise MissingError("out of memory")
            return 1.0 / variant, max(n_networks, 1)

    variants = {"1": "batch 1", "2": "batch 2", "3": "batch 3"}
    said: list[str] = []
    assert measurement.best_variant(Fragile(), CASE, variants, TINY, said.append) == 2
    assert "batch 3 failed" in said
    with pytest.raises(MissingError):
        measurement.best_variant(Fragile(), CASE, {"3": "a", "4": "b"}, TINY, said.append)
