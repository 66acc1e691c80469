"""Texts of studies are read as the parser reads them, or refused in one sentence, with limited memory."""

from __future__ import annotations

import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep import StudyError
from sweep.study.load import read_tables, read_value

STUDY = '[data]\nfile = "patterns.csv"\n[network]\nhidden = 2\n[training]\nlearning_rate = 0.1\n'


def limit_memory() -> None:
    """Limit this process to 400 MB of addresses; 50 MB are in use after its start."""
    resource.setrlimit(resource.RLIMIT_AS, (400 * 2**20, 400 * 2**20))


@pytest.mark.slow
def test_files_beyond_the_limit(tmp_path: Path) -> None:
    """A huge file is refused in one sentence, with less than 400 MB."""
    (tmp_path / "study.toml").write_text(STUDY)
    with (tmp_path / "patterns.csv").open("wb") as file:
        file.write(b"x0,y\n")
        file.truncate(10**9)
    plan = [sys.executable, "-m", "sweep", "plan", str(tmp_path / "study.toml")]
    finished = subprocess.run(plan, capture_output=True, text=True, check=False, preexec_fn=limit_memory)
    assert (finished.returncode, finished.stdout) == (2, "")
    (line,) = finished.stderr.splitlines()
    assert line.startswith("error: ")
    assert "larger than 67,108,864 bytes" in line


def test_values_of_the_command_line() -> None:
    """A text that is not one value has none."""
    assert read_value("{ range = [2, 8] }") == {"range": [2, 8]}
    for text in ("1\nother = 2", "[" * 10_000, "9" * 10_000, "abc"):
        assert read_value(text) is None


@given(st.text(alphabet="\"'\\\n#=.[]{}ab1 ", max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """A short text is read as the parser reads it, or refused in one sentence."""
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with pytest.raises(StudyError, match="not valid TOML"):
            read_tables(text, "mine")
        return
    assert read_tables(text, "mine") == expected
