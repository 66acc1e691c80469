"""The command as a process: its version, and interrupts at any moment."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import kernels
import sweep
from sweep.machine import machine_facts
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
    assert finished.out == f"xor-sweep {sweep.__version__} (numerics {kernels.NUMERICS})\n"
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert sweep.__version__ == project["version"] == machine_facts()["versions"]["xor-sweep"]


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("sweep.load", ("plan", "xor")),
        ("sweep.plan", ("plan", "xor")),
        ("sweep.engine", ("run", "xor", "--out", "never")),
        ("numba", ("run", "xor", "--out", "never")),
        ("pyarrow", ("show", "never")),
        ("kernels", ("--version",)),
        ("sweep.replay", ("trace", "seed")),
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
    code = "from unittest import mock\nfrom sweep import cli\nfrom sweep.__main__ import main\n"
    code += "mock.patch.object(cli, 'app', side_effect=KeyboardInterrupt).start()\nmain()"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout, finished.stderr) == (130, "", "")
