"""The command line: what it prints, and its exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sweep
from sweep import load_study, open_result
from tests.sweep.support import STUDY_TEXT, assert_refused, command, make_study, tree, write_study

HEAVY = {"numpy", "numba", "pandas", "pyarrow", "matplotlib", "scipy"}

pytestmark = pytest.mark.usefixtures("place")


def test_run(place: Path) -> None:
    """`sweep run` trains, writes results/NAME and prints the table, the digest and the folder."""
    finished = command("run", "mine.toml", "--threads", "1")
    result = open_result(place / "results" / "mine")
    assert finished.code == 0
    lines = finished.out.splitlines()
    assert lines[0].startswith(f"mine: 10 runs in 2 cells, {result.facts['net_steps']:,} steps in ")
    assert f"digest {result.facts['digest']}" in lines
    assert "results in results/mine" in lines
    assert result.facts["digest"] == sweep.run(load_study(place / "mine.toml")).facts["digest"]
    again = command("run", "mine.toml")
    assert again.code == 0
    assert f"digest {result.facts['digest']}" in again.out


@pytest.mark.slow
def test_run_with_options(place: Path) -> None:
    """--out and --set do what they say; --allow-runs of the size is enough."""
    options = (
        "run",
        "xor",
        "--out",
        "deep/er",
        "--set",
        "seeds.count=2",
        "--set",
        "max_steps=20",
        "--allow-runs",
        "182",
    )
    assert command(*options).code == 0
    result = open_result(place / "deep" / "er")
    assert (result.study.n_runs, result.study.training.max_steps) == (182, 20)
    assert sorted(path.name for path in place.iterdir()) == ["deep", "mine.toml"]


def test_show(place: Path) -> None:
    """`sweep show` prints a line for each cell, and the digest that run.json holds."""
    command("run", "mine.toml", "--out", "r")
    finished = command("show", "r")
    assert finished.code == 0
    facts = json.loads((place / "r" / "run.json").read_text())
    assert re.search(rf"^digest +{facts['digest']}$", finished.out, re.MULTILINE)
    assert re.search(rf"^identity +{facts['identity']}$", finished.out, re.MULTILINE)
    rows = re.findall(r"^ *([01]) +(0\.[12]) ", finished.out, re.MULTILINE)
    assert rows == [("0", "0.1"), ("1", "0.2")]


def test_show_what_is_asked(place: Path) -> None:
    """--top, --sort and --by choose lines and order; what is unknown is one sentence."""
    command("run", "mine.toml", "--out", "r")
    assert command("show", "r", "--top", "1").out.startswith("1 of 2 cells, best first\n")
    ordered = command("show", "r", "--sort", "learning_rate").out
    assert ordered.startswith("2 cells, by learning_rate\n")
    by = command("show", "r", "--by", "learning_rate")
    assert by.code == 0
    assert re.findall(r"^ *(0\.[12]) +1 ", by.out, re.MULTILINE) == ["0.1", "0.2"]
    for words, expected in (
        (("--by", "hiden"), ("unknown parameter 'hiden'", "learning_rate")),
        (("--sort", "speed"), ("unknown column 'speed'", "median_steps")),
        (("--top", "0"), ("top 0", "at least 1")),
    ):
        assert_refused(command("show", "r", *words), expected)


def test_figure(place: Path) -> None:
    """`sweep figure` writes a figure into the folder, or where it is told."""
    command("run", "mine.toml", "--out", "r")
    finished = command("figure", "r")
    assert (finished.code, finished.out) == (0, "figure in r/convergence_rate.png\n")
    assert (place / "r" / "convergence_rate.png").read_bytes().startswith(b"\x89PNG")
    assert command("figure", "r", "--out", "rate.svg").code == 0
    assert b"<svg" in (place / "rate.svg").read_bytes()
    for bad in ("rate.docx", "gone/rate.png", "gone"):
        before = tree(place)
        assert_refused(command("figure", "r", "--out", bad), (bad,))
        assert tree(place) == before


def test_figure_into_a_folder(place: Path) -> None:
    """A folder is not taken for the name of a file: the figure goes into it, named by what it shows."""
    command("run", "mine.toml", "--out", "r")
    (place / "figures").mkdir()
    for value, name in (("expected_steps", "expected_steps"), ("median_steps", "steps_q50")):
        finished = command("figure", "r", "--out", "figures", "--value", value)
        assert (finished.code, finished.out) == (0, f"figure in figures/{name}.png\n")
    assert sorted(path.name for path in place.iterdir()) == ["figures", "mine.toml", "r"]


@pytest.mark.slow
def test_figure_as_asked(place: Path) -> None:
    """Roles and values go to the figure; what does not fit the study is one sentence, and nothing is written."""
    command("run", "mine.toml", "--out", "r", "--set", "scale=1,2", "--set", "distribution=normal,uniform")
    words = ("--x", "scale", "--color", "distribution", "--facet", "learning_rate", "--at", "learning_rate=0.2")
    assert command("figure", "r", *words).code == 0
    before = tree(place)
    for words, expected in (
        (("--x", "scael"), ("unknown parameter 'scael'", "did you mean 'scale'")),
        (("--x", "scale", "--facet", "distribution, scale"), ("'scale' given for x and for facet",)),
        (("--value", "loss"), ("unknown statistic 'loss'", "rate, median_steps")),
        (("--at", "scale"), ("--at 'scale'", "NAME=VALUE")),
        (("--at", "scale=3"), ("scale 3", "1, 2")),
        (("--at", "scale=1", "--at", "scale=2"), ("--at scale given twice",)),
    ):
        assert_refused(command("figure", "r", *words), expected)
    assert tree(place) == before


def test_plan(place: Path) -> None:
    """`sweep plan` tells cells, runs, bytes and every value, and trains nothing."""
    before = tree(place)
    finished = command("plan", "xor")
    assert finished.code == 0
    told = dict(re.split(r"  +", line, maxsplit=1) for line in finished.out.splitlines())
    study = load_study("xor")
    assert told["study"] == f"xor  {study.identity}"
    assert told["cells"] == "91 (7 hidden x 13 learning_rate)"
    assert told["seeds"] == "1,000 (0 to 999)"
    assert told["runs"].startswith("91,000 in ")
    assert re.fullmatch(r"[\d,]+ in memory, about [\d,]+ on disk", told["bytes"])
    assert told["hidden"] == "2, 3, 4, 6, 8, 12, 16"
    assert told["learning_rate"].split(", ") == [str(value) for value in study.parameters["learning_rate"]]
    assert (told["activation"], told["threshold"], told["max_steps"]) == ("relu", "0.0001", "5000")
    assert tree(place) == before


def test_plan_of_many_values(place: Path) -> None:
    """Of more values than are read it tells number, range and the first, one line for each option; on request all."""
    axes = "\n[[samples]]\ncount = 64\nscale = { min = 1.0, max = 2.0 }\nactivation = ['relu', 'tanh']\n"
    (place / "mine.toml").write_text(STUDY_TEXT + axes)
    values = load_study("mine.toml").parameters["scale"]
    told = dict(re.split(r"  +", line, maxsplit=1) for line in command("plan", "mine.toml").out.splitlines())
    assert told["scale"] == (
        f"64 values from {min(values)} to {max(values)}: {values[0]}, {values[1]}, {values[2]}, .."
    )
    assert sorted(told["activation"].removesuffix(", in 64 points").split(", ")) == ["relu", "tanh"]
    assert told["learning_rate"] == "0.1, 0.2"
    every = command("plan", "mine.toml", "--values").out
    assert f"  {', '.join(map(str, values))}\n" in every


@pytest.mark.parametrize(
    ("data", "middle"),
    [
        ({"function": [0, 15]}, "0.5"),
        ({"function": 6, "target_low": -1}, "0.0"),
        ({"function": [0, 6], "decision_threshold": 0.25}, "0.25"),
        ({"function": 6, "target_low": [-1, 0]}, "0.0, 0.5"),
        ({"function": 6, "decision_threshold": [0.25, 0.75]}, "0.25, 0.75"),
    ],
)
def test_plan_tells_the_middle(data: dict[str, Any], middle: str) -> None:
    """What separates high from low outputs is shown where it decides what is right: not with softmax."""
    changes = [f"--set={name}={value}".replace(" ", "") for name, value in data.items()]
    options = ("plan", "xor", "--set=task=boolean", "--set=bits=2", *changes)
    assert [
        line.split("  ")[-1].strip()
        for line in command(*options).out.splitlines()
        if line.startswith("decision_threshold")
    ] == [middle]
    softmax = ("plan", "xor", "--set=task=encoder", "--set=n=3", "--set=output=softmax", "--set=loss=cross_entropy")
    assert "\ndecision_threshold" not in command(*softmax).out


def test_plan_of_an_immense_study() -> None:
    """A study that nobody could run is planned at once."""
    finished = command("plan", "xor", "--set", "seeds.count=4294967296")
    assert finished.code == 0
    assert f"{91 * 2**32:,} in " in finished.out


def test_plan_of_options_in_a_file(place: Path) -> None:
    """The plan echoes the values of every form."""
    forms = (
        "learning_rate = { geomspace = [1e-3, 1.0, 4] }\nscale = [1, 2]\nthreshold = 0.5\n"
        "max_steps = { range = [1, 3] }"
    )
    (place / "mine.toml").write_text(
        STUDY_TEXT.replace("learning_rate = { values = [0.1, 0.2] }", forms).replace("[training]\nmax_steps = 50", "")
    )
    told = dict(re.split(r"  +", line, maxsplit=1) for line in command("plan", "mine.toml").out.splitlines())
    assert told["learning_rate"] == "0.001, 0.01, 0.1, 1.0"
    assert (told["scale"], told["threshold"], told["max_steps"]) == ("1.0, 2.0", "0.5", "1, 2, 3")


def test_studies() -> None:
    """`sweep studies` lists every built-in study with what it is for."""
    finished = command("studies")
    assert finished.code == 0
    lines = dict(re.split(r"  +", line, maxsplit=1) for line in finished.out.splitlines())
    assert lines == {
        name: load_study(name).description
        for name in ("hinton-symmetry", "hinton-xor", "linear-seed", "linear-xor", "seed", "xor")
    }


@pytest.mark.parametrize("name", ["run", "plan", "trace", "show", "figure", "studies"])
def test_help(name: str) -> None:
    """Every command explains itself."""
    finished = command(name, "--help")
    assert finished.code == 0
    assert "Usage" in finished.out
    assert name in command("--help").out


def imports_of(*options: str) -> set[str]:
    """Return which heavy packages a command imports, in a process of its own."""
    code = (
        "import sys\nfrom sweep.__main__ import main\ntry:\n    main()\nexcept SystemExit as end:\n"
        "    assert not end.code, end.code\nfinally:\n    print('\\nmodules', *sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code, *options], capture_output=True, text=True, check=True)
    return HEAVY & set(finished.stdout.splitlines()[-1].split())


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [("--help",), ("--version",), ("run", "--help"), ("plan", "xor"), ("studies",)], ids=" ".join
)
def test_light_commands_import_nothing_heavy(words: tuple[str, ...]) -> None:
    """Help and plans are instant because no numerics_version are imported."""
    assert imports_of(*words) == set()


@pytest.mark.slow
def test_run_never_imports_matplotlib() -> None:
    """Training needs no figures."""
    imported = imports_of("run", "mine.toml")
    assert "matplotlib" not in imported
    assert {"numba", "pyarrow"} <= imported


@pytest.mark.slow
def test_reader_that_goes_away() -> None:
    """A pipe closed early, as by `head`, is no traceback."""
    options = [sys.executable, "-m", "sweep", "trace", "seed"]
    process = subprocess.Popen(options, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)
    assert b"Traceback" not in errors


def test_interrupt(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt ends with 130 and says that the same command goes on."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("sweep.training.part_trainer.PartTrainer.train", interrupt)
        finished = command("run", "mine.toml")
    assert finished.code == 130
    assert "results/mine" in finished.err
    assert "same command" in finished.err
    assert command("show", "results/mine").code == 2
    assert command("run", "mine.toml").code == 0


def test_study_file_named_like_a_built_in_study(place: Path) -> None:
    """A study file named like a built-in study is reached by its path."""
    write_study(place / "xor", make_study(name="own"))
    assert "own  " in command("plan", "./xor").out
    assert "xor  " in command("plan", "xor").out
