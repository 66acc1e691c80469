"""What a person sees: each command on terminals of 80 and of 40 columns, compared with pictures in text.

``python -m tests.sweep.terminal.test_screens`` writes the pictures again. Read what changed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.sweep.terminal.pseudo_terminal import CTRL_C, Terminal

PICTURES = Path(__file__).parent / "screens"
WIDTHS = [80, pytest.param(40, marks=pytest.mark.wide)]

# Nothing has a color, so NO_COLOR changes nothing: bold and italic letters, and bars of two strokes, suffice.
COLORS = re.compile(rb"\x1b\[[0-9;]*[34][0-9]")

STUDY = """
name = "demo"
data.task = "xor"
training.max_steps = 100
convergence.threshold = 0.1
seeds.count = 20
[parameters]
hidden = [2, 4, 8]
learning_rate = { geomspace = [0.01, 0.1, 4] }
"""
RUN = "sweep run demo.toml --out r --threads 1"
COMMANDS = [
    "sweep",
    "sweep run --help",
    "sweep nope",
    "sweep run demo.toml --set hiden=3",
    "sweep run no-such-file.toml",
    "sweep studies",
    "sweep explain stalled",
    "sweep explain learning_rate",
    "sweep plan demo.toml",
    "sweep compile demo.toml",
    RUN,
    RUN,
    "sweep show r",
    "sweep show r --by hidden",
    "sweep best r",
    "sweep best r --by hidden --top 2",
    "sweep compare r --vary hidden",
    "sweep figure r heatmap --out figure.png",
    "sweep report r",
    "sweep export r --to tex --out r.tex",
    "sweep trace seed --set max_steps=3",
    "sweep weights r --out weights",
    "sweep run demo.toml --out first --shard 1/2",
    "sweep run demo.toml --out second --max-runs 60 --shard 2/2",
    "sweep merge first second --out merged",
    "sweep reproduce seed",
    "sweep explore demo.toml --set max_steps=2 --export map --levels 0",
    "sweep bench --peers none",
    "sweep verify r",
    "# damage the result",
    "sweep verify r",
    "sweep show r",
]


def session(program: str, *arguments: object) -> list[str]:
    """Return the call of a function of the module of sessions."""
    return [sys.executable, "-m", "tests.sweep.terminal.session", program, json.dumps(arguments)]


def variables_in(folder: Path) -> dict[str, str]:
    """Write the study into a folder, and return the variables of the environment of sessions there."""
    (folder / "demo.toml").write_text(STUDY)
    root = str(Path(__file__).parents[3])
    return {"PYTHONPATH": root, "XDG_CACHE_HOME": str(folder / "cache"), "NUMBA_DISABLE_JIT": "1"}


def terminal(call: list[str], columns: int, folder: Path, **variables: str) -> Terminal:
    """Return a session in a terminal, in a folder that has the study."""
    return Terminal(call, columns, folder, variables_in(folder) | variables)


def commands(columns: int, folder: Path) -> str:
    """Return the screen of a session of commands."""
    with terminal(session("session", COMMANDS), columns, folder) as shown:
        assert shown.finish() == 0, shown.text
        assert not shown.screen.cursor.hidden
        assert not COLORS.search(shown.raw)
        text = re.sub(r"(?m)^(lane_occupancy  ).*", r"\1..", shown.text)  # depends on the CPU
        return re.sub(r"-[0-9a-f]{8}\.parquet", "-01234567.parquet", text)  # named at random


def progress(columns: int, folder: Path) -> str:
    """Return the screens of a command while it trains, after Ctrl-C, and after it has finished."""
    texts = []
    for before, percent, keys in ((3, " 40 %", CTRL_C), (2, " 80 %", b"")):
        with terminal(session("paused", before, *RUN.split()[1:]), columns, folder) as shown:
            texts.append(shown.wait_for(percent))
            shown.press(keys)
            (folder / "go").touch()
            assert shown.finish() == (130 if keys else 0)
            (folder / "go").unlink()
            assert not shown.screen.cursor.hidden
            assert not COLORS.search(shown.raw)
            texts.append(shown.text)
    return f"\n{'-' * columns}\n".join(texts)


def compiling(columns: int, folder: Path) -> str:
    """Return the screen while kernels are compiled."""
    with terminal(session("compiling"), columns, folder) as shown:
        text = shown.wait_for("kernel 3")
        (folder / "go").touch()
        assert shown.finish() == 0
        assert shown.text == "\n"  # nothing is left of the bar
        return text


def dumb(columns: int, folder: Path) -> str:
    """Return the screen of a command on a terminal that only prints."""
    (folder / "go").touch()
    with terminal(session("paused", 3, *RUN.split()[1:]), columns, folder, TERM="dumb") as shown:
        assert shown.finish() == 0
        assert b"\x1b" not in shown.raw
        return shown.text


def pipe(_: int, folder: Path) -> str:
    """Return what a command writes where there is no terminal, as in the log of a server."""
    (folder / "go").touch()
    variables = os.environ | variables_in(folder)
    call = session("paused", 3, *RUN.split()[1:])
    done = subprocess.run(call, capture_output=True, text=True, check=True, cwd=folder, env=variables)
    return f"{done.stderr}{'-' * 80}\n{done.stdout}"


DRAWN: dict[str, Callable[[int, Path], str]] = {
    "commands": commands,
    "progress": progress,
    "compiling": compiling,
    "dumb": dumb,
    "pipe": pipe,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("columns", WIDTHS)
def test_screen(name: str, columns: int, tmp_path: Path) -> None:
    """The screen is that of the picture."""
    picture = PICTURES / f"{name}-{columns}.txt"
    assert DRAWN[name](columns, tmp_path) == picture.read_text()


def main() -> None:
    """Write the pictures again."""
    for name, draw in DRAWN.items():
        for columns in (80, 40):
            with TemporaryDirectory() as folder:
                (PICTURES / f"{name}-{columns}.txt").write_text(draw(columns, Path(folder)))


if __name__ == "__main__":
    main()
