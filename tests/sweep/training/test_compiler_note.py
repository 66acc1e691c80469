"""Users learn where kernels take longer to compile, and may choose the compiler."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sweep
from kernels.numba import choice
from sweep.errors import EXIT_BAD_INPUT
from sweep.schedule.kernel_count import compiler_note
from sweep.system.progress import SweepProgress
from sweep.terminal.plan_page import print_plan

ROOT = Path(__file__).parents[3]
NOTE = "the fast compiler does not know numba"


@pytest.fixture(autouse=True)
def undecided(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the version of Numba decide on the compiler, and forget the decision."""
    monkeypatch.delenv(choice.VARIABLE, raising=False)
    choice.choose_compiler.cache_clear()
    yield
    choice.choose_compiler.cache_clear()


def test_another_numba_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``sweep plan`` has a line on it, and progress prints it unless it is off; a choice of the user is no news."""
    study = sweep.load_study("seed")
    monkeypatch.setattr(choice, "_folder", lambda package: str(tmp_path / package))
    print_plan(study)
    assert NOTE in capsys.readouterr().out
    for shown in (True, False):
        with SweepProgress(1, 1.0, 1, shown) as progress:
            progress.note(compiler_note())
        assert capsys.readouterr().err.count(NOTE) == shown
    monkeypatch.setenv(choice.VARIABLE, "plain")
    choice.choose_compiler.cache_clear()
    assert compiler_note() == ""
    print_plan(study)
    assert NOTE not in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["plan", "xor"], ["run", "seed", "--max-runs", "1"]])
def test_a_wrong_choice_is_refused(arguments: list[str], tmp_path: Path) -> None:
    """The error is one of the user, with the allowed names, before and while kernels are imported."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_DISABLE_JIT": "0", choice.VARIABLE: "quick"}
    command = [sys.executable, "-m", "sweep", *arguments]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == EXIT_BAD_INPUT
    assert ended.stderr == "error: XOR_SWEEP_COMPILER: must be fast or plain, got 'quick'\n"


@pytest.mark.slow
def test_the_plain_compiler_needs_nothing_of_the_fast_one() -> None:
    """Its private parts of Numba are not imported, as they may not exist."""
    script = (
        "import sys; from sweep.training.compiling.kernel_modules import import_all_kernels; import_all_kernels(); "
        "print(sorted(name for name in sys.modules if name.startswith('kernels.numba.fast.')))"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "0", choice.VARIABLE: "plain"}
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert found.strip() == "['kernels.numba.fast.relied_on']"
