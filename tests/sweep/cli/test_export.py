"""``sweep export`` with odd names, texts as parameters, and results without runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import sweep
from sweep.system.atomic_files import replace_file
from tests.sweep.in_parts import interrupt_in_parts
from tests.sweep.support import assert_refused, command, make_study, tree

TEXTS = make_study(
    count=3,
    name="1_a.b-c",
    data={"task": "boolean", "bits": 2},
    hidden=["2-2", "3-2"],
    coding=["01", "pm1"],
    function=[6, 14],
    draw_order=["w v b c k", "w.T v b c k"],
    learning_rate=0.1,
    max_steps=5,
)
FORMATS = ("csv", "json", "tex")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a study with texts as values into a folder with an odd name, and with a description that breaks TeX."""
    study = sweep.Study(**{**TEXTS.canonical(), "description": "50 % & \\end{table} $x_1$\n\x1b[31mred \u202e é"})
    folder = tmp_path_factory.mktemp("texts") / "é\n\x1b[31m{%&\\"
    sweep.run(study, folder)
    return folder


def test_texts_stay_texts(folder: Path) -> None:
    """JSON keeps "01" as text; texts of hidden units and drawing orders do not change."""
    rows = json.loads(command("export", folder, "--to", "json").out)["rows"]
    for name in ("hidden", "coding", "draw_order"):
        assert {row[name] for row in rows} == set(TEXTS.parameters[name])
    lines = command("export", folder, "--by", "draw_order,coding").out.splitlines()
    orders, codings = TEXTS.parameters["draw_order"], TEXTS.parameters["coding"]
    assert {tuple(line.split(",")[:3]) for line in lines[1:]} == {(a, b, "4") for a in orders for b in codings}


@pytest.mark.parametrize("form", FORMATS)
def test_descriptions_and_folders_do_not_matter(folder: Path, form: str, tmp_path: Path) -> None:
    """Standard output is plain ASCII text, equal to the file, and the message with the odd name is one line."""
    printed = command("export", folder, "--to", form)
    assert (printed.code, printed.err) == (0, "")
    assert printed.out.isascii()
    assert printed.out.replace("\n", "").isprintable()
    assert "31m" not in printed.out
    out = tmp_path / f"é\n\x1b[31m.{form}"
    written = command("export", folder, "--out", out)
    assert written.out == f"cells in {tmp_path}/é\\n\\x1b[31m.{form}\n"
    assert out.read_text("utf-8") == printed.out


def test_names_of_files(folder: Path, tmp_path: Path) -> None:
    """Export writes through a link. Names that are too long and broken links are refused and leave no file."""
    (tmp_path / "real.csv").write_text("before")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    (tmp_path / "lost.csv").symlink_to(tmp_path / "nowhere")
    assert command("export", folder, "--out", tmp_path / "link.csv").code == 0
    assert (tmp_path / "real.csv").read_text() == "before"
    before = tree(tmp_path)
    assert_refused(command("export", folder, "--out", tmp_path / f"{'a' * 300}.csv"), ("cannot be written",))
    assert_refused(command("export", folder, "--out", tmp_path / "lost.csv"), ("lost.csv", "regular file"))
    assert tree(tmp_path) == before


def test_a_full_disk_keeps_the_old_file(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the disk is full, the old file stays and no partial file is left."""
    (tmp_path / "cells.csv").write_text("before")
    replace_file(tmp_path / "other.csv", b"")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert_refused(command("export", folder, "--out", tmp_path / "cells.csv"), ("No space left on device",))
    assert tree(tmp_path) == {"cells.csv": b"before", "other.csv": b""}


@pytest.mark.parametrize("form", FORMATS)
def test_results_without_runs(tmp_path: Path, form: str) -> None:
    """A folder without trained runs, or no folder, is refused; no empty table is written."""
    interrupt_in_parts(make_study(count=3, hidden=2), tmp_path / "r", 0, part_runs=2)
    assert_refused(command("export", tmp_path / "r", "--to", form), ("no trained runs yet",))
    assert_refused(command("export", tmp_path / "none", "--out", tmp_path / f"t.{form}"), ("not a results folder",))
    assert not (tmp_path / f"t.{form}").exists()


def test_published_results_are_not_pooled(folder: Path, tmp_path: Path) -> None:
    """Published results have cells but neither rows nor counts, so export cannot pool them."""
    published = Path(__file__).parents[3] / "results/published/xor"
    assert command("export", published).out.count("\n") == 92
    assert_refused(command("export", published, "--by", "hidden"), ("published with its cells only",))
