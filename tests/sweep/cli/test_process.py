"""The process of a command: version, interrupts, limits of memory, and settings of other packages."""

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

# Runs the command line and interrupts the import of one module.
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
    """`sweep --version` prints the installed version and the numerics version."""
    finished = command("--version")
    assert (finished.code, finished.err) == (0, "")
    assert finished.out == f"xor-sweep {sweep.__version__} (numerics version {kernels.NUMERICS})\n"
    assert sweep.__version__ == metadata.version("xor-sweep") == machine_facts()["versions"]["xor-sweep"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "options"),
    one_in(
        4,
        [
            ("kernels", ("--version",)),
            ("sweep.study.load", ("plan", "xor")),
            ("sweep.schedule.plan", ("plan", "xor")),
            ("numba", ("run", "xor", "--out", "never")),
            ("sweep.training.run", ("run", "xor", "--out", "never")),
            ("pyarrow", ("show", "never")),
            ("sweep.training.networks.trace", ("trace", "seed")),
        ],
    ),
)
def test_interrupt_while_importing(tmp_path: Path, module: str, options: tuple[str, ...]) -> None:
    """Ctrl-C during imports ends with code 130 and without a traceback."""
    program = [sys.executable, "-c", INTERRUPTED_IMPORT, module, *options]
    finished = subprocess.run(program, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (finished.returncode, finished.stdout, finished.stderr) == (130, "", "")
    assert list(tmp_path.iterdir()) == []


def test_interrupt_outside_of_a_command() -> None:
    """Ctrl-C while the command line starts or ends prints no traceback."""
    code = "from unittest import mock\nfrom sweep.cli import app as cli\nfrom sweep.__main__ import main\n"
    code += "mock.patch.object(cli, 'app', side_effect=KeyboardInterrupt).start()\nmain()"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout, finished.stderr) == (130, "", "")


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", one_in(4, [1000, 100, 400, 1500]))
def test_too_few_addresses_to_train(tmp_path: Path, megabytes: int) -> None:
    """A limit of addresses that is too low for the compiler is refused before training starts."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))

    process: dict[str, Any] = {"capture_output": True, "text": True, "cwd": tmp_path, "preexec_fn": limit}
    for options in (("run", "xor"), ("trace", "seed"), ("verify", "r")):
        finished = subprocess.run([sys.executable, "-m", "sweep", *options], check=False, **process)
        assert (finished.returncode, finished.stdout) == (2, "")
        (line,) = finished.stderr.splitlines()
        for part in ("error: ", "address space", f"{megabytes * 2**20:,}", "2,147,483,648"):
            assert part in line
    assert list(tmp_path.iterdir()) == []


def chained(error: Exception, cause: Exception) -> Exception:
    """Return an error with its cause."""
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
def test_lack_of_memory(error: Exception) -> None:
    """Any error that means a lack of memory ends with one sentence and code 1."""
    with mock.patch.object(cli, "app", side_effect=error):
        finished = command("show", "r")
    assert (finished.code, finished.out) == (1, "")
    assert finished.err.startswith("error: there is not enough memory")
    assert len(finished.err.splitlines()) == 1


def test_other_errors_are_tracebacks() -> None:
    """A fault of the program itself is not hidden."""
    with mock.patch.object(cli, "app", side_effect=RuntimeError("no fault of memory")), pytest.raises(RuntimeError):
        command("show", "r")


@pytest.mark.wide
@pytest.mark.parametrize(
    "settings",
    one_in(2, [{"MPLBACKEND": "nonsense", "NUMBA_NUM_THREADS": "some"}, {"NUMBA_NUM_THREADS": "0"}]),
    ids=str,
)
def test_settings_of_other_packages(tmp_path: Path, settings: dict[str, str]) -> None:
    """Commands ignore settings of other packages, also invalid ones."""
    program = [sys.executable, "-m", "sweep", "trace", "seed", "--set", "max_steps=2", "--figure", "run.svg"]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", **settings}
    finished = subprocess.run(program, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert (finished.returncode, finished.stderr) == (0, "figure in run.svg\n")
