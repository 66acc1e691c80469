"""The tutorial prints what it says it prints, to the last digit, and draws its pictures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PUBLISHED = Path(__file__).parents[1] / "results" / "published"
BLOCKS = re.findall(
    r"^```(python|text)\n(.*?)^```$", (PUBLISHED / "tutorial.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
)


def test_tutorial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each block of Python runs after those before it; a block of text behind it is what it prints."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    printed = ""
    for language, text in BLOCKS:
        if language == "python":
            exec(compile(text, "tutorial", "exec"), names)
            printed = capsys.readouterr().out
        else:
            assert printed == text
    drawn = sorted(path.name for path in tmp_path.glob("*.png"))
    assert drawn == ["tutorial_rate.png", "tutorial_steps.png"]
    assert all((PUBLISHED / name).exists() for name in drawn)
