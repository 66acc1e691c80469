"""The commands and the Python of README.md run in the order of the page, and print what it shows.

``python -m tests.test_readme`` writes these outputs and draws the pictures again.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import tempfile
from pathlib import Path

import pytest

from tests.sweep.support import command

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
# A fenced block, or a command within a sentence or a table.
STEP = re.compile(r"^```(sh|python|text)\n(.*?)^```$|`(sweep [^`\n]+)`", re.DOTALL | re.MULTILINE)
PICTURE = re.compile(r"\((docs/gallery/\w+\.png)\)<br>`(sweep figure [^`\n]+)`")
SECONDS = re.compile(r"[\d.,]+ s of training \(.* per second\)")
PATTERNS = "x0,x1,y\n0,0,0\n0,1,1\n1,0,1\n1,1,1\n"


def run_line(line: str) -> str:
    """Run a command and return its output; ``make`` runs the commands of the Makefile."""
    words = shlex.split(line, comments=True)
    if words[0] == "make":
        recipe = re.search(rf"^{words[1]}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
        assert recipe, line
        return "".join(map(run_line, re.findall(r"\$\(BIN\)/(sweep .*)", recipe[1])))
    if words == [".", ".venv/bin/activate"]:
        return ""
    assert words[0] == "sweep"
    finished = command(*words[1:])
    assert finished.code == 0, f"{line}: {finished.err}"
    return finished.out


def run_page() -> list[tuple[str, str]]:
    """Run the page in the working directory; return its blocks of output, and what is printed now.

    A block of output belongs to the first command of the block before it, or to its Python.
    """
    Path("patterns.csv").write_text(PATTERNS)
    outputs = []
    printed = ""
    for language, text, inline in STEP.findall(README):
        if language == "text":
            outputs.append((text, printed))
        elif language == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(text, "README", "exec"), {})
            printed = out.getvalue()
        elif language == "sh":
            printed, *_ = [run_line(line) for line in text.splitlines()]
        else:
            run_line(inline)
    return outputs


@pytest.mark.wide
def test_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one folder; outputs are those of the page, but for numbers of time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    outputs = run_page()
    assert len(outputs) == 2
    for shown, printed in outputs:
        assert SECONDS.sub("", shown) == SECONDS.sub("", printed)
    assert Path("half-adder.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_named_exists() -> None:
    for goal in re.findall(r"(?:^|`)make ([\w-]+)", README, re.MULTILINE):
        assert re.search(rf"^{goal}:", MAKEFILE, re.MULTILINE), goal
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert [target for target in targets if ":" not in target and not (ROOT / target).exists()] == []


def write_page() -> None:
    """Run the page in full; write its outputs, and draw its pictures in 64 colors, which make small files."""
    from PIL import Image

    page = README
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for shown, printed in run_page():
            page = page.replace(f"```text\n{shown}```", f"```text\n{printed}```")
        for name, line in [("docs/gallery/heatmap.png", "sweep figure results/xor heatmap"), *PICTURE.findall(README)]:
            run_line(f"{line} --out picture.png")
            with Image.open("picture.png") as picture:
                picture.convert("RGB").quantize(64).save(ROOT / name, optimize=True)
    (ROOT / "README.md").write_text(page, "utf-8")


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "Agg")
    write_page()
