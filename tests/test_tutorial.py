"""The tutorials print what they say they print, to the last digit, and draw their pictures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PUBLISHED = Path(__file__).parents[1] / "results" / "published"
PICTURES = {
    "tutorial": ["tutorial_rate.png", "tutorial_steps.png"],
    "generalisation": ["generalisation.png", "generalisation_splits.png"],
}


@pytest.mark.parametrize("name", PICTURES)
def test_tutorial(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each block of Python runs after those before it; a block of text behind it is what it prints."""
    monkeypatch.chdir(tmp_path)
    text = (PUBLISHED / f"{name}.md").read_text("utf-8")
    names: dict[str, object] = {}
    printed = ""
    for language, block in re.findall(r"^```(python|text)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        if language == "python":
            exec(compile(block, name, "exec"), names)
            printed = capsys.readouterr().out
        else:
            assert printed == block
    drawn = sorted(path.name for path in tmp_path.glob("*.png"))
    assert drawn == PICTURES[name]
    for picture in drawn:
        assert (PUBLISHED / picture).exists()
        assert f"({picture})" in text
