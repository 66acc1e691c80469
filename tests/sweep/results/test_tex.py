"""TeX tables: a small parser finds what the terminal shows, and pdflatex accepts them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sweep
from sweep import Result
from sweep.results.tex import as_tex, numbers_as_tex
from tests.sweep.support import make_study

# Special characters as TeX prints them.
NAMED = {"textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^"}
NAMED |= {"textless": "<", "textgreater": ">", "textbar": "|"}

ORDERS = ["w v b c k", "w.T v b c k"]
RATES = make_study(count=6, name="a_b.c-d", hidden=[2, 3], draw_order=ORDERS, output_scale=[0.5, 1.5], threshold=0.3)
FIXED = make_study(count=6, name="fixed", hidden=2, criterion="none", learning_rate=[1e-5, 0.1, 1e300], max_steps=20)
LONG = make_study(count=2, name="long", hidden=2, learning_rate=[k / 100 for k in range(1, 42)], max_steps=5)


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    """Train a study with a criterion, one without, and one with many cells."""
    return {study.name: sweep.run(study) for study in (RATES, FIXED, LONG)}


def printed(text: str) -> str:
    """Return what TeX prints; any special character that is not escaped is an error."""
    found, rest = "", text
    while rest:
        match = re.match(r"\\text(\w+)\{\}|\\([#$%&_{}])|([^#$%&_{}\\~^])", rest)
        assert match, f"{rest[:10]!r} means something in TeX"
        found += NAMED[f"text{match[1]}"] if match[1] else match[2] or match[3]
        rest = rest[match.end() :]
    return found


def number(text: str) -> str:
    """Return a number as the terminal prints it."""
    text = text.replace("$", "").replace("{,}", ",").replace(r"\infty", "inf").replace("--", "-")
    power = re.fullmatch(r"(.*?)(?: \\times )?10\^\{(-?\d+)\}", text)
    if not power:
        return text
    return f"{ {'': '1', '-': '-1'}.get(power[1], power[1]) }e{int(power[2]):+03d}"


def heads(row: str) -> list[str]:
    """Return the heads of columns, which may be stacked in lines."""
    stacked = [re.fullmatch(r"\\shortstack\[[lr]\]\{(.*)\}", head) for head in row.split(" & ")]
    lines = [match[1].split(r"\\") if match else [head] for match, head in zip(stacked, row.split(" & "), strict=True)]
    return [" ".join(map(printed, parts)).replace("_ ", "_") for parts in lines]


def tabular(text: str) -> tuple[str, list[str], list[list[str]]]:
    """Check the structure of a table; return its caption, heads and rows."""
    lines = [line for line in text.splitlines() if not line.startswith("% ")]
    kind = "longtable" if "longtable" in lines[0] else "tabular"
    content = "\n".join(lines)
    assert content.count("{") - content.count(r"\{") == content.count("}") - content.count(r"\}")
    for begun in ("table", "tabular", "longtable"):
        assert content.count(rf"\begin{{{begun}}}") == content.count(rf"\end{{{begun}}}") <= 1
    spec = re.search(rf"\\begin\{{{kind}\}}\{{([lr]+)\}}", content)
    caption = re.search(r"\\caption\{(.*)\}(?:$| \\label)", content, re.MULTILINE)
    head = re.search(r"\\toprule\n(.*) \\\\\n\\midrule", content)
    body = re.search(r"(?:\\midrule|\\endlastfoot)\n([^\\].*) \\\\\n(?:\\bottomrule|\\end)", content, re.DOTALL)
    assert spec
    assert caption
    assert head
    assert body
    rows = [re.split(r"(?<!\\) & ", row) for row in body[1].rpartition("\\endlastfoot\n")[2].split(" \\\\\n")]
    assert {len(spec[1])} == {len(row) for row in [heads(head[1]), *rows]}
    return printed(caption[1]), heads(head[1]), rows


def texts(result: Result, **options: Any) -> str:
    """Export as TeX."""
    text = result.export("tex", **options)
    assert text is not None
    return text


def test_losses_are_numbers_of_tex(results: dict[str, Result]) -> None:
    """Powers of ten and infinity are typeset; parameters with one value are left out."""
    text = texts(results["fixed"])
    caption, head, rows = tabular(text)
    assert head == ["learning_rate", "median final training loss", "quartiles", "finite, %"]
    assert [row[0] for row in rows] == ["$10^{-5}$", "0.1", "$10^{300}$"]
    assert rows[2][1:] == [r"$\infty$", r"$\infty$ to $\infty$", "0.0"]
    assert "the loss of a diverged run counts as infinite" in caption
    for row, values in zip(rows[:2], results["fixed"].cells.to_dict("records"), strict=False):
        ends = (values[f"final_loss_q50{end}"] for end in ("", "_low", "_high"))
        assert number(row[1]) == "{:.3g} [{:.3g}, {:.3g}]".format(*ends)


def test_long_tables_break_across_pages(results: dict[str, Result]) -> None:
    """Tables of more than 40 rows are longtables; the caption of the first rows says how many there are."""
    text = texts(results["long"])
    assert r"in the preamble: \usepackage{booktabs}\usepackage{longtable}" in text.splitlines()[0]
    assert len(tabular(text)[2]) == 41
    text = texts(results["long"], top=3)
    assert "longtable" not in text
    assert tabular(text)[0].startswith("long: 3 of 41 cells, best first, each of 2 runs. ")
    assert tabular(texts(results["long"], by="learning_rate", sort="n_runs"))[0].startswith(
        "long: 41 values of learning_rate, sorted by n_runs, each of 1 cell and 2 runs. "
    )


def test_labels_of_several_tables_are_numbered(results: dict[str, Result]) -> None:
    """Labels are numbered, and heads have no line feeds."""
    text = texts(results["a_b.c-d"], table="comparisons")
    labels = re.findall(r"\\label\{(.*)\}", text)
    assert len(labels) > 1
    assert labels == [f"tab:a_b.c-d-{k}" for k in range(1, len(labels) + 1)]
    found = re.findall(r"\\toprule\n(.*) \\\\\n\\midrule", text)
    assert len(found) == len(labels)
    assert r"\shortstack[r]{rate\\of\\first,\\\%}" in found[0]


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_any_text_is_escaped(text: str) -> None:
    """TeX prints the text."""
    assert printed(as_tex(text)) == text


@given(st.floats(allow_nan=False))
def test_any_number_is_read_back(value: float) -> None:
    """The typeset number is the number."""
    assert number(numbers_as_tex(f"{value:.4g}")) == f"{value:.4g}"
    assert number(numbers_as_tex(f"{value:,.0f}")) == f"{value:,.0f}"


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_pdflatex_sets_them(results: dict[str, Result], tmp_path: Path) -> None:
    """All tables typeset as one document without an error."""
    bodies = [texts(result, by=by) for result in results.values() for by in ((), "learning_rate")]
    preamble = r"\documentclass{article}\usepackage{booktabs}\usepackage{longtable}\begin{document}"
    (tmp_path / "all.tex").write_text("\n\n".join([preamble, *bodies, r"\end{document}"]))
    options = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "all.tex"]
    done = subprocess.run(options, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Missing character" not in done.stdout
