"""Output and exit codes of the command line."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sweep import load_study, open_result
from sweep.cli.app import COMMANDS
from sweep.cli.figure_kinds import kind_texts
from tests.sweep.support import STUDY_TEXT, assert_refused, command, make_study, tree, write_study
from tests.waiting import LONG

HEAVY = {"numpy", "numba", "pandas", "pyarrow", "matplotlib", "scipy"}

pytestmark = pytest.mark.usefixtures("place")


def test_run_with_options(place: Path) -> None:
    """`--out` sets the folder, `--set` changes the study, and `--allow-runs` may equal the number of runs."""
    line = "run mine.toml --out deep/er --set seeds.count=2 --set max_steps=20 --allow-runs 4"
    assert command(*line.split()).code == 0
    result = open_result(place / "deep" / "er")
    assert (result.study.n_runs, result.study.values_of("max_steps")[0]) == (4, 20)
    assert sorted(path.name for path in place.iterdir()) == ["deep", "mine.toml"]


def test_show_sorts_and_pools(place: Path) -> None:
    """`--top`, `--sort` and `--by` choose rows and order; unknown names are refused."""
    command("run", "mine.toml", "--out", "r")
    assert command("show", "r", "--top", "1").out.startswith("1 of 2 cells, best first, each of 5 runs\n")
    ordered = command("show", "r", "--sort", "learning_rate").out
    assert ordered.startswith("2 cells, sorted by learning_rate, each of 5 runs\n")
    by = command("show", "r", "--by", "learning_rate")
    assert by.code == 0
    assert re.findall(r"^ *(0\.[12]) +\d", by.out, re.MULTILINE) == ["0.1", "0.2"]
    for options, expected in (
        (("--by", "hiden"), ("'hiden' is not swept", "learning_rate")),
        (("--sort", "speed"), ("unknown column 'speed'", "median_steps")),
        (("--top", "0"), ("top: must be an integer from 1, got 0",)),
    ):
        assert_refused(command("show", "r", *options), expected)


def test_figure(place: Path) -> None:
    """`sweep figure` writes a figure into the results folder, or to the path of `--out`."""
    command("run", "mine.toml", "--out", "r")
    finished = command("figure", "r")
    assert (finished.code, finished.out) == (0, "figure in r/lines.png\n")
    assert (place / "r" / "lines.png").read_bytes().startswith(b"\x89PNG")
    assert command("figure", "r", "--out", "rate.svg").code == 0
    assert b"<svg" in (place / "rate.svg").read_bytes()
    for bad in ("rate.docx", "gone/rate.png", "gone"):
        before = tree(place)
        assert_refused(command("figure", "r", "--out", bad), (bad,))
        assert tree(place) == before


def test_figure_into_a_folder(place: Path) -> None:
    """If `--out` is a folder, the file in it is named after the kind and the statistic."""
    command("run", "mine.toml", "--out", "r")
    (place / "figures").mkdir()
    for kind, value, name in (("lines", "rate", "convergence_rate"), ("slice", "median_steps", "steps_q50")):
        finished = command("figure", "r", kind, "--out", "figures", "--value", value)
        assert (finished.code, finished.out) == (0, f"figure in figures/{kind}_{name}.png\n")
    assert sorted(path.name for path in place.iterdir()) == ["figures", "mine.toml", "r"]


@pytest.mark.slow
def test_figure_options(place: Path) -> None:
    """Options reach the figure. Options that do not fit the study are refused, and nothing is written."""
    command("run", "mine.toml", "--out", "r", "--set", "scale=1,2", "--set", "distribution=normal,uniform")
    options = ("--x", "scale", "--color", "distribution", "--facet", "learning_rate", "--at", "learning_rate=0.2")
    assert command("figure", "r", *options).code == 0
    before = tree(place)
    for options, expected in (
        (("--x", "scael"), ("'scael' is not swept", "did you mean 'scale'")),
        (("--x", "scale", "--facet", "distribution, scale"), ("x and facet: must be different parameters", "'scale'")),
        (("--value", "loss"), ("unknown statistic 'loss'", "rate, median_steps")),
        (("--at", "scale"), ("--at", "'scale'", "NAME=VALUE")),
        (("--at", "scale=3"), ("scale: must be one of 1, 2; got 3",)),
        (("--at", "scale=1", "--at", "scale=2"), ("scale", "twice")),
    ):
        assert_refused(command("figure", "r", *options), expected)
    assert tree(place) == before


def plan_of(*options: str) -> dict[str, str]:
    """Return the table that `sweep plan` prints."""
    finished = command("plan", *options)
    assert finished.code == 0, finished
    size, _, options = finished.out.partition("\n\n")
    heading, rule, *options = options.splitlines()
    assert heading.split() == ["option", "values"]
    assert set(rule) == {"─"}
    return dict(re.split(r"  +", line, maxsplit=1) for line in (*size.splitlines(), *options))


def test_plan_names_only_a_stopping_rule_that_ends_runs() -> None:
    """Without patience the default rule ends none."""
    assert "stopping_rule" not in plan_of("xor")
    assert plan_of("xor", "--set", "patience=5")["stopping_rule"] == "patience"


def test_plan_of_many_values(place: Path) -> None:
    """Of many values the plan prints their number, range and first ones; `--values` prints all."""
    axes = "\n[[samples]]\ncount = 64\nscale = { min = 1.0, max = 2.0 }\nactivation = ['relu', 'tanh']\n"
    (place / "mine.toml").write_text(STUDY_TEXT + axes)
    values = load_study("mine.toml").parameters["scale"]
    table = plan_of("mine.toml")
    assert table["scale"] == (
        f"64 values from {min(values):.4g} to {max(values):.4g}: {values[0]:.4g}, {values[1]:.4g}, {values[2]:.4g}, .."
    )
    assert sorted(table["activation"].removesuffix(", in 64 points").split(", ")) == ["relu", "tanh"]
    assert table["learning_rate"] == "0.1, 0.2"
    assert plan_of("mine.toml", "--values")["scale"] == ", ".join(map(str, values))
    assert [path.name for path in place.iterdir()] == ["mine.toml"]


@pytest.mark.parametrize(
    ("data", "threshold"),
    [
        ({"function": [0, 15]}, "0.5"),
        ({"function": 6, "target_low": -1}, "0"),
        ({"function": [0, 6], "decision_threshold": 0.25}, "0.25"),
        ({"function": 6, "target_low": [-1, 0]}, "0, 0.5"),
        ({"function": 6, "decision_threshold": [0.25, 0.75]}, "0.25, 0.75"),
    ],
)
def test_plan_shows_the_decision_threshold(data: dict[str, Any], threshold: str) -> None:
    """The plan shows the decision threshold of outputs, unless softmax decides by the largest output."""
    changes = [f"--set={name}={value}".replace(" ", "") for name, value in data.items()]
    assert plan_of("xor", "--set=task=boolean", "--set=bits=2", *changes)["decision_threshold"] == threshold
    softmax = ("xor", "--set=task=encoder", "--set=n=3", "--set=output=softmax", "--set=loss=cross_entropy")
    assert "decision_threshold" not in plan_of(*softmax)


def test_plan_of_an_immense_study() -> None:
    """A plan of any size is quick."""
    assert plan_of("xor", "--set", "seeds.count=4294967296")["runs"].startswith(f"{91 * 2**32:,} in ")


EXPECTED = """
source = "a book"
question = "Functions"
picture = {{ kind = "lines", value = "n_correct", x = "learning_rate" }}
[[figures]]
name = "all runs"
statistic = "n_runs"
published = {n}
[[figures]]
share = "n_correct >= 0"
successes = 3
trials = 3
{more}
"""


def test_reproduce(place: Path) -> None:
    """`sweep reproduce` prints what was published and what came out; a figure that disagrees makes its exit code 3."""
    expected = place / "mine.expect.toml"
    expected.write_text(EXPECTED.format(n=10, more=""))
    finished = command("reproduce", "mine.toml", "--page", "page.md")
    assert finished.code == 0, finished
    digest = open_result("results/mine").digest[:12]
    assert f"2 of 2 figures agree; digest {digest}" in finished.out
    page = (place / "page.md").read_text()
    assert "## Functions\n\n### mine\n" in page
    assert "| all runs | 10 | 10 |" in page
    assert "| 3 of 3 | 1 \\[" in page
    assert f"2 of 2 figures agree. 10 runs of 5 seeds, digest `{digest}`" in page
    assert "![mine: mean number of correct outputs over learning rate](page/mine.png)" in page
    assert (place / "page" / "mine.png").is_file()

    (place / "mine.toml").write_text('description = "Anew."\n' + STUDY_TEXT)
    assert command("reproduce", "mine.toml", "--page", "page.md").code == 0
    assert "\nAnew.\n" in (place / "page.md").read_text(), "not the description that the result was trained with"

    expected.write_text(EXPECTED.format(n=11, more=""))
    finished = command("reproduce", "mine.toml")
    assert finished.code == 3
    assert "1 of 2 figures agree, 1 disagree" in finished.out
    known = EXPECTED.replace("published = {n}", 'published = 11\nknown_difference = "one was lost"')
    expected.write_text(known.format(more=""))
    finished = command("reproduce", "mine.toml")
    assert finished.code == 0
    assert "all runs: one was lost" in finished.out

    (place / "mine.toml").write_text(STUDY_TEXT.replace("count = 5", "count = 1"))
    expected.write_text(EXPECTED.partition("[[figures]]\nshare")[0].format(n=2))
    finished = command("reproduce", "mine.toml", "--page", "page.md", "--out", "one")
    assert finished.code == 0, finished
    assert "1 of 1 figures agree. 2 runs, digest" in (place / "page.md").read_text()


def test_reproduce_quickly(place: Path) -> None:
    """`--quick` trains a tenth of the seeds, or those that exact figures need; a page is of all seeds."""
    (place / "mine.toml").write_text(STUDY_TEXT.replace("count = 5", "count = 40"))
    exact = 'share = "n_correct >= 0"\npublished = 1\nkind = "statistical"'
    for first, count in (("first_seeds = 7", 7), ("first_seeds = 2", 4)):
        text = EXPECTED.format(n=14 if count == 7 else 4, more="").replace("published", f"{first}\npublished", 1)
        (place / "mine.expect.toml").write_text(f"{text}\n[[figures]]\n{exact}\n")
        finished = command("reproduce", "mine.toml", "--quick", "--out", f"r{count}")
        assert finished.code == 0, finished
        assert open_result(f"r{count}/mine-quick").study.seeds.count == count
    assert_refused(command("reproduce", "mine.toml", "--quick", "--page", "p.md"), ("--page", "leave out --quick"))
    (place / "other.toml").write_text(STUDY_TEXT)
    assert_refused(command("reproduce", "other.toml"), ("other.expect.toml", "cannot be read"))
    assert_refused(command("reproduce", "hinton-xr"), ("unknown study", "did you mean 'hinton-xor'?"))
    assert_refused(command("reproduce", "xor"), ("study xor", "has no published numbers", "sweep studies"))


@pytest.mark.soak
def test_built_in_studies_agree_quickly(place: Path) -> None:
    """With a tenth of the seeds, all figures of built-in studies agree, but for known differences."""
    assert command("reproduce", "--quick").code == 0


def test_kinds_of_figures_are_read_from_their_source() -> None:
    """The help of figures has the kinds, meanings and options that their modules declare, without importing them."""
    from sweep.figures import KINDS

    assert kind_texts() == [(name, kind.place, kind.meaning, kind.options) for name, kind in KINDS.items()]
    page = command("figure", "--help").out
    assert all(f"\n  {name}: " in page for name in KINDS)


def test_list_of_commands_fits_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """No command's sentence in the list of commands is cut off at 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    commands = command("--help").out.partition("Commands:")[2]
    assert commands.count("\n") > len(COMMANDS)
    assert "..." not in commands


@pytest.mark.slow
def test_commands_import_no_more_than_they_need() -> None:
    """Help and plans are fast because they import no numerical packages."""
    light = (("--help",), ("--version",), ("run", "--help"), ("figure", "--help"), ("plan", "xor"), ("studies",))
    assert imported_by(light) == [set()] * len(light)


@pytest.mark.wide
def test_training_imports_no_figures() -> None:
    """A run imports the packages that it needs, and not those that draw."""
    (imported,) = imported_by([("run", "mine.toml")])
    assert "matplotlib" not in imported
    assert {"numba", "pyarrow"} <= imported


def imported_by(commands: Sequence[tuple[str, ...]]) -> list[set[str]]:
    """Return the heavy packages that are imported after each of several commands of one process."""
    code = f"import sys\nfrom sweep.__main__ import main\nfor options in {[*commands]!r}:\n"
    code += "    sys.argv[1:] = options\n    try:\n        main()\n    except SystemExit as end:\n"
    code += "        assert not end.code, end.code\n    print('\\nmodules', *sys.modules)"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [HEAVY & {*line.split()} for line in finished.stdout.splitlines() if line.startswith("modules ")]


@pytest.mark.slow
def test_closed_pipe() -> None:
    """If the reader of a pipe exits early, as `head` does, the command prints no traceback."""
    options = [sys.executable, "-m", "sweep", "plan", "xor"]
    process = subprocess.Popen(options, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    process.wait(LONG)
    assert b"Traceback" not in errors


def test_study_file_named_like_a_built_in_study(place: Path) -> None:
    """The path selects a study file with the name of a built-in study."""
    write_study(place / "xor", make_study(name="own"))
    assert "own  " in command("plan", "./xor").out
    assert "xor  " in command("plan", "xor").out
