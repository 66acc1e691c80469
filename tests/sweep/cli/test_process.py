"""The command as a process: its version, and interrupts at any moment."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import kernels
import sweep
from sweep.cli import app as cli
from sweep.system.host import machine_facts
from tests.rings import one_in
from tests.sweep.support import command

# Runs the command line, but the import of one module is interrupted.
INTERRUPTED_IMPORT = """
import builtins, sys
from sweep.__main__ import main
real, module = builtins.__import__, sys.argv.pop(1)
def interrupted(name, *args, **kwargs):
    if name == module:
        raise KeyboardInterrupt
    return real(name, *args, **kwargs)
builtins.__import__ = interrupted
main()
"""


def test_version() -> None:
    """`sweep --version` names the version that is installed, and that of the numbers."""
    finished = command("--version")
    assert (finished.code, finished.err) == (0, "")
    assert finished.out == f"xor-sweep {sweep.__version__} (numerics version {kernels.NUMERICS})\n"
    assert sweep.__version__ == metadata.version("xor-sweep") == machine_facts()["versions"]["xor-sweep"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("sweep.study.load", ("plan", "xor")),
        ("sweep.schedule.plan", ("plan", "xor")),
        ("sweep.training.run", ("run", "xor", "--out", "never")),
        ("numba", ("run", "xor", "--out", "never")),
        ("pyarrow", ("show", "never")),
        ("kernels", ("--version",)),
        ("sweep.training.trace", ("trace", "seed")),
    ],
)
def test_interrupt_while_importing(tmp_path: Path, module: str, words: tuple[str, ...]) -> None:
    """Ctrl-C before there is anything to keep ends with 130, without a traceback."""
    program = [sys.executable, "-c", INTERRUPTED_IMPORT, module, *words]
    finished = subprocess.run(program, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (finished.returncode, finished.stdout, finished.stderr) == (130, "", "")
    assert list(tmp_path.iterdir()) == []


def test_interrupt_outside_of_a_command() -> None:
    """Ctrl-C while the command line itself starts or ends is no traceback either."""
    code = "from unittest import mock\nfrom sweep.cli import app as cli\nfrom sweep.__main__ import main\n"
    code += "mock.patch.object(cli, 'app', side_effect=KeyboardInterrupt).start()\nmain()"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout, finished.stderr) == (130, "", "")


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", one_in(4, [1000, 100, 400, 1500]))
def test_too_few_addresses_to_train(tmp_path: Path, megabytes: int) -> None:
    """A limit of addresses below which compilers fail, or never end, is told before anything is begun."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))

    for options in (("run", "xor"), ("trace", "seed"), ("verify", "r")):
        program = [sys.executable, "-m", "sweep", *options]
        options: dict[str, Any] = {"capture_output": True, "text": True, "cwd": tmp_path, "preexec_fn": limit}
        finished = subprocess.run(program, check=False, **options)
        assert (finished.returncode, finished.stdout) == (2, "")
        assert finished.stderr == (
            f"error: this process may have {megabytes * 2**20:,} bytes of address space (ulimit -v); training needs "
            "at least 2,147,483,648\n"
        )
    assert list(tmp_path.iterdir()) == []


def chained(error: Exception, cause: Exception) -> Exception:
    """Return an error that was raised from another."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 14.9 GiB for an array"),
        ImportError("libarrow.so: failed to map segment from shared object"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
        chained(OSError("Could not find/load shared object file"), OSError("x: failed to map segment")),
    ],
)
def test_memory_that_is_not_there(error: Exception) -> None:
    """Whatever lacks memory ends in one sentence and code 1."""
    with mock.patch.object(cli, "app", side_effect=error):
        finished = command("show", "r")
    assert (finished.code, finished.out) == (1, "")
    assert finished.err.startswith("error: there is not enough memory for this")
    assert len(finished.err.splitlines()) == 1


def test_other_errors_are_no_lack_of_memory() -> None:
    """What is a fault of the program stays a traceback."""
    with mock.patch.object(cli, "app", side_effect=RuntimeError("no fault of memory")), pytest.raises(RuntimeError):
        command("show", "r")


@pytest.mark.slow
@pytest.mark.parametrize("setting", one_in(2, ["MPLBACKEND=nonsense", "NUMBA_NUM_THREADS=0", "NUMBA_NUM_THREADS=some"]))
def test_settings_of_other_packages(tmp_path: Path, setting: str) -> None:
    """Settings that no command needs are ignored, where they are nonsense too."""
    name, _, value = setting.partition("=")
    program = [sys.executable, "-m", "sweep", "trace", "seed", "--set", "max_steps=2", "--figure", "run.svg"]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", name: value}
    finished = subprocess.run(program, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert (finished.returncode, finished.stderr) == (0, "figure in run.svg\n")
