"""What is measured for the networks of a study is kept for later runs, and decides no result."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sweep
from kernels import measured_choices
from kernels.candidates import Measured
from kernels.effort import Effort
from kernels.measured_choices import measured_choice
from kernels.tuning import Tuning
from sweep.errors import SweepError
from sweep.schedule.kernel_count import study_effort
from sweep.schedule.plan import Plan
from sweep.terminal import plan_page
from sweep.training.compiling import tune_study as measuring
from sweep.training.compiling.tune_study import tune_study
from sweep.training.networks import part_trainer
from sweep.training.networks.part_trainer import PartTrainer
from tests.sweep.support import command, make_study, write_study

STUDY = make_study(count=5, hidden=[2, 3], learning_rate=[0.05, 0.1, 1e6], max_steps=40)


@pytest.fixture(autouse=True)
def turned_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use choices, of an empty cache; whatever is measured, three packets are the fastest."""

    def fastest(guess: Tuning, variant_of: Callable[..., Any], recipe: Any, speed: Callable[..., float]) -> Measured:
        faster = guess._replace(turns=3, unrolled_units=0)
        assert variant_of(guess) != variant_of(faster)
        assert speed(guess) > 0
        return Measured(faster, 1.1, 9)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(measured_choices.SWITCH, "on")
    monkeypatch.setattr(measured_choices, "ENABLED", True)
    monkeypatch.setattr(measuring, "fastest", fastest)
    measured_choice.cache_clear()


@pytest.fixture
def long_study(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the study have kernels of most effort, which take measured choices."""
    for module in (part_trainer, plan_page):
        monkeypatch.setattr(module, "study_effort", lambda *_: Effort.MOST)


@pytest.mark.wide
def test_short_study_measures_kernels_of_long_ones() -> None:
    """A study that trains little measures as a longer one of the same networks."""
    assert study_effort(STUDY, Plan(STUDY).parts.operations) is Effort.LEAST
    assert [of.n_candidates for of in tune_study(STUDY)] == [9, 9]


@pytest.mark.usefixtures("long_study")
def test_later_runs_train_with_what_was_measured() -> None:
    """Each kind of network is measured once, those whose runs cost most first, and rows do not change."""
    before = sweep.run(STUDY).runs()
    assert [(of.network_class.sizes, of.n_candidates) for of in tune_study(STUDY)] == [((3,), 9), ((2,), 9)]
    measured_choice.cache_clear()  # as the next process
    assert [of.n_candidates for of in tune_study(STUDY)] == [None, None]
    assert [of.n_candidates for of in tune_study(STUDY, again=True)] == [9, 9]
    worker = PartTrainer(Plan(STUDY))
    variant = worker.trainer(worker.plan.grid.cell(0)).variant(2, worker.settings(np.array([0])))
    assert (variant.packets, variant.hidden) == (3, None)
    pd.testing.assert_frame_equal(sweep.run(STUDY).runs(), before, check_exact=True)


@pytest.mark.wide
def test_plan_of_a_short_study_recommends_no_tuning(capsys: pytest.CaptureFixture[str]) -> None:
    """Its kernels serve several classes of networks, so it uses no choice, not even one that was measured."""
    list(tune_study(STUDY))
    measured_choice.cache_clear()
    plan_page.print_plan(STUDY)
    assert "defaults for this CPU (longer studies use what 'sweep tune' measured)" in capsys.readouterr().out


@pytest.mark.usefixtures("long_study")
def test_plan_says_where_variants_come_from(capsys: pytest.CaptureFixture[str]) -> None:
    """`sweep plan` says whether variants are defaults, or whether measured ones are used."""

    def planned() -> str:
        plan_page.print_plan(STUDY)
        return next(line for line in capsys.readouterr().out.splitlines() if line.startswith("variants "))

    assert planned().endswith("  defaults for this CPU ('sweep tune' finds the fastest)")
    next(tune_study(STUDY))
    assert "  those that 'sweep tune' measured on this machine; defaults " in planned()


@pytest.mark.wide
def test_command_says_what_was_faster(tmp_path: Path) -> None:
    """The command prints a line for each kind of network, and does not measure it again unless asked to."""
    file = write_study(tmp_path / "study.toml", STUDY)
    finished = command("tune", file)
    assert finished.code == 0, finished
    changes = "units in a loop, 3 packets in turns"
    expected = f"1.10 times as fast as the first guess with {changes} (9 variants)"
    assert finished.out.splitlines() == [f"2-{n}-1 relu, gd, float64: {expected}" for n in (3, 2)]
    measured_choice.cache_clear()
    assert re.search(r" \(measured on \d{4}-\d\d-\d\d\)\n", command("tune", file).out)
    assert command("tune", file, "--again").out == finished.out


def test_nothing_is_measured_where_choices_are_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A choice that no run would use is refused."""
    monkeypatch.setenv(measured_choices.SWITCH, "off")
    with pytest.raises(SweepError, match=f"^{measured_choices.SWITCH}: must be unset to measure kernels, got 'off'$"):
        next(tune_study(STUDY))
    monkeypatch.setenv(measured_choices.SWITCH, "on")
    monkeypatch.setattr(measured_choices, "ENABLED", False)
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    with pytest.raises(SweepError, match=r"^NUMBA_DISABLE_JIT: must be unset to measure kernels, got '1'$"):
        next(tune_study(STUDY))
