"""Tutorials and how-to guides do what they say: all blocks of a page run in their order, and print what it shows."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweep.errors import EXIT_PARTIAL
from tests.sweep.own import only_plugins
from tests.sweep.support import command

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(
    r"^```(toml|python|sh|text)\n(?:(?:#:schema .*\n)?# (\w+\.(?:toml|py))\n)?(.*?)^```$", re.DOTALL | re.MULTILINE
)
# Packages that `make soak` installs, and MLflow, which tests do not install, by the page that needs them.
NEEDED = {"scikit-learn": "sklearn", "mlflow": "mlflow"}
WHERE_INSTALLED = [pytest.mark.soak, pytest.mark.filterwarnings("ignore")]
PAGES = [path for part in ("tutorials", "how-to") for path in sorted((DOCS / part).glob("*.md"))]
RUN = [
    pytest.param(path, marks=WHERE_INSTALLED if path.stem in NEEDED else (), id=f"{path.parent.name}/{path.stem}")
    for path in PAGES
    if BLOCK.search(path.read_text("utf-8"))
]


def run_line(line: str) -> str:
    """Run a line of the shell, and return what it prints."""
    before, _, target = line.partition(" > ")
    options = shlex.split(before)
    if options[0] != "sweep":
        return subprocess.run(["sh", "-c", line], check=True, capture_output=True, text=True).stdout
    finished = command(*options[1:])
    assert finished.code == (EXIT_PARTIAL if "--max-runs" in options else 0), f"{line}: {finished.err}"
    if target:
        Path(target).write_text(finished.out, "utf-8")
    return finished.out


@pytest.fixture(autouse=True)
def new_process() -> Iterator[None]:
    """Forget the plugins of other pages."""
    with only_plugins():
        yield


@pytest.mark.parametrize("page", RUN)
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A block whose first line names a file is that file; a block of text is what the block before it prints."""
    if page.stem in NEEDED:
        pytest.importorskip(NEEDED[page.stem], reason="it is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    names: dict[str, object] = {}
    ran, printed = "", ""
    for language, file, text in BLOCK.findall(page.read_text("utf-8")):
        if language == "text":
            lines = printed.splitlines()
            shown = text.splitlines()
            assert shown == lines if ran == "python" else [line for line in shown if line not in lines] == []
        elif file:
            Path(file).write_text(text, "utf-8")
        elif language == "python":
            exec(compile(text, page.name, "exec"), names)
            printed = capsys.readouterr().out
        elif language == "sh":
            printed = "".join(map(run_line, text.splitlines()))
        ran = language
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", page.read_text("utf-8")):
        assert (page.parent / picture).is_file()
        assert (tmp_path / picture).is_file()
