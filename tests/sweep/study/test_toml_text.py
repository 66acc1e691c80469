"""Texts that are too large for a study are refused before they are parsed, with little memory; others are read."""

from __future__ import annotations

import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sweep import StudyError
from sweep.study.toml_text import read_tables, read_value

MANY = 300_000
STUDY = '[data]\ntask = "xor"\n[network]\nhidden = 2\n[training]\nlearning_rate = 0.1\n'


def limit_memory() -> None:
    """Limit this process to 400 MB of addresses; 50 MB are in use after its start."""
    resource.setrlimit(resource.RLIMIT_AS, (400 * 2**20, 400 * 2**20))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (STUDY + "[parameters]\n" + ".".join(["a"] * 20_000) + " = 1\n", "keys of at most two parts"),
        (STUDY + "[" + ' . "b.c"'.join(["a"] * 20_000) + "]\n", "keys of at most two parts"),
        ("\n".join(f"k{k} = 1" for k in range(MANY)) + "\n" + STUDY, "at most 1,000 keys"),
        (STUDY + "x = {" + ", ".join(f"k{k} = 1" for k in range(MANY)) + "}\n", "at most 1,000 keys"),
        (STUDY + "".join(f"[k{k}]\n" for k in range(MANY)), "at most 65,536 patterns"),
        (STUDY.replace('task = "xor"', "inputs = [" + "[0.5, 0.25], " * MANY + "]"), "at most 65,536 patterns"),
        (STUDY.replace('task = "xor"', 'file = "patterns.csv"'), "larger than 67,108,864 bytes"),
    ],
    ids=["key", "table", "keys", "keys of one table", "tables", "rows", "patterns"],
)
def test_studies_beyond_all_bounds(tmp_path: Path, text: str, fault: str) -> None:
    """The answer is one sentence, with less memory than the parser alone would need."""
    (tmp_path / "study.toml").write_text(text)
    with (tmp_path / "patterns.csv").open("wb") as file:
        file.write(b"x0,y\n")
        file.truncate(10**9)
    plan = [sys.executable, "-m", "sweep", "plan", str(tmp_path / "study.toml")]
    finished = subprocess.run(plan, capture_output=True, text=True, check=False, preexec_fn=limit_memory)
    assert (finished.returncode, finished.stdout) == (2, "")
    (line,) = finished.stderr.splitlines()
    assert line.startswith("error: ")
    assert fault in line


def test_values_of_the_command_line_are_inspected_too() -> None:
    """A table with a long key is not a value, and is not parsed."""
    assert read_value("{ range = [2, 8] }") == {"range": [2, 8]}
    assert read_value("{" + ".".join(["a"] * 60_000) + " = 1}") is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "value",
    [
        '"a.b.c.d.e.f.g.h.i.j.k"',
        "'a.b.c.d.e.f.g.h.i.j.k'",
        '"\\"a.b.c.d.e.f.g.h.i.j.k\\\\"',
        '"""\na.b.c.d.e.f.g.h.i.j.k = "" \\""" = """"',
        "'''\na.b.c.d.e.f.g.h.i.j.k ' '' \\'''",
        '"#" # a.b.c.d.e.f.g.h.i.j.k',
        "1.5 # " + "= [" * 1_000_000,
        '"' + "= [" * 1_000_000 + '"',
        "[" + "1.5, " * 100_000 + "]",
        "[" + "[1.5, -2.5e-3], " * 65_536 + "]",
        "[ 1.5 , 2.5\t, 3.5,\n 4.5 ]",
        "{ a.b.c.d.e.f.g = 1, b = { c.d = 'e' } }",
        "1979-05-27T07:32:00.5",
    ],
    ids=range(13),
)
def test_what_studies_may_hold(value: str) -> None:
    """Texts, comments and numbers of any kind are not taken for keys."""
    text = f"# a.b\n\"ab\".'c.d' . e = 1\n[x.y]\nvalue = {value}\nlast = 1\n"
    assert read_tables(text, "mine") == tomllib.loads(text)


@given(st.text(alphabet="\"'\\\n#=.[]{}ab1 ", max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """A short text is read as the parser reads it, or refused in one sentence."""
    assume(text.count(".") < 8)
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with pytest.raises(StudyError, match="not valid TOML"):
            read_tables(text, "mine")
        return
    assert read_tables(text, "mine") == expected
