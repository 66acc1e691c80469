"""The command line: what it prints, its exit codes, and bad input that changes nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sweep
from sweep import load_study, open_result
from tests.sweep.support import Finished, command, make_study, tree, write_study

HEAVY = {"numpy", "numba", "pandas", "pyarrow", "matplotlib", "scipy"}

TEXT = """
name = "mine"
[data]
task = "xor"
[network]
hidden = 2
[training]
max_steps = 50
[parameters]
learning_rate = { values = [0.1, 0.2] }
[seeds]
count = 5
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that holds a study file and nothing else."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(TEXT)
    return tmp_path


def assert_refused(finished: Finished, words: tuple[str, ...]) -> None:
    """Require exit code 2 and one sentence that holds the words."""
    assert finished.code == 2, finished
    assert finished.out == ""
    (line,) = finished.err.splitlines()
    assert line.startswith("error: ")
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("hidden = 2", "hidden = 2\nactivaton = 'relu'", ("network", "'activaton'", "did you mean 'activation'")),
        ("[seeds]", "[seedz]", ("unknown key 'seedz'", "did you mean 'seeds'")),
        ("values = [0.1, 0.2]", "values = [0.1, -0.2]", ("parameters.learning_rate[1]", "-0.2", "at least 0")),
        ("values = [0.1, 0.2]", "values = [nan]", ("parameters.learning_rate[0]", "nan", "finite")),
        ("values = [0.1, 0.2]", "values = [inf]", ("parameters.learning_rate[0]", "inf", "finite")),
        ("values = [0.1, 0.2]", "values = []", ("parameters.learning_rate", "empty")),
        ("values = [0.1, 0.2]", "min = 2, max = 1, num = 3", ("parameters.learning_rate", "min 2", "max 1")),
        (
            "values = [0.1, 0.2]",
            "distribution = 'log_uniform_values', min = 0, max = 1, num = 3",
            ("parameters.learning_rate", "min 0", "above 0"),
        ),
        (
            "values = [0.1, 0.2]",
            "distribution = 'log_uniform', min = -3, max = 0, num = 3",
            ("parameters.learning_rate", "log_uniform_values"),
        ),
        ("hidden = 2", "hidden = 0", ("network.hidden", "0", "at least 1")),
        (
            "hidden = 2",
            "hidden = 2\nactivation = 'swish'",
            ("network.activation", "relu", "tanh", "sigmoid", "identity"),
        ),
        ('task = "xor"', 'task = "nand"', ("data", "unknown task 'nand'", "xor, seed")),
        ("count = 5", "base = -1", ("seeds.base", "-1")),
        ("count = 5", "base = 4294967296", ("seeds.base", "4294967296", "4294967295")),
        ("count = 5", "base = 1.5", ("seeds.base", "1.5", "integer")),
        ('task = "xor"', 'file = "gone.csv"', ("data", "gone.csv", "No such file")),
        ('task = "xor"', 'file = "empty.csv"', ("data", "empty.csv", "empty")),
        ('task = "xor"', 'file = "text.csv"', ("data", "text.csv", "row 3", "'one'")),
        ('task = "xor"', 'file = "nan.csv"', ("data", "nan.csv", "row 2", "'nan'")),
        ('task = "xor"', 'file = "ragged.csv"', ("data", "ragged.csv", "row 3")),
        ('task = "xor"', "task = ['xor']", ("data", "task")),
        ("count = 5", "count = 500_000_001", ("1,000,000,002 runs", "--allow-runs")),
        ("[data]", "[data", ("TOML",)),
    ],
)
def test_bad_study(place: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    """Each bad study is one clear sentence, exit code 2, and nothing is written."""
    for name, text in {
        "empty": "",
        "text": "x0,y\n1,2\none,2\n",
        "nan": "x0,y\nnan,2\n",
        "ragged": "x0,y\n1,2\n1\n",
    }.items():
        (place / f"{name}.csv").write_text(text)
    (place / "mine.toml").write_text(TEXT.replace(old, new))
    before = tree(place)
    assert_refused(command("run", "mine.toml"), words)
    if "runs" not in words[0]:
        assert_refused(command("plan", "mine.toml"), words)
        assert_refused(command("trace", "mine.toml"), words)
    assert tree(place) == before


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("run", "nothing"), ("unknown study 'nothing'", "xor", "path")),
        (("run", "lib/nothing.toml"), ("lib/nothing.toml", "No such file")),
        (("run", "xor", "--set", "hidden"), ("--set 'hidden'", "key=value")),
        (("run", "xor", "--set", "hiden=2"), ("hiden", "did you mean 'hidden'")),
        (("run", "xor", "--set", "learning_rate=-1"), ("learning_rate", "-1", "at least 0")),
        (("run", "xor", "--set", "learning_rate=nan"), ("learning_rate", "nan", "finite")),
        (("run", "xor", "--set", "learning_rate=inf"), ("learning_rate", "inf", "finite")),
        (("run", "xor", "--set", "hidden=0"), ("hidden", "0 given", "at least 1")),
        (("run", "xor", "--set", "base=-1"), ("seeds.base", "-1")),
        (("run", "xor", "--set", "task=xor,seed"), ("task",)),
        (("run", "xor", "--threads", "0"), ("threads 0", "at least 1")),
        (("run", "xor", "--threads", "1000000"), ("threads 1000000", "at most")),
        (("run", "xor", "--out", "s3://bucket/folder"), ("'s3://bucket/folder'", "local folder", "not supported")),
        (("run", "xor", "--out", "x" * 300), ("xxx", "too long")),
        (("run", "xor", "--out", f"y/{'x' * 300}/z"), ("xxx", "too long")),
        (("show", "r\udcff"), ("'r\\udcff'", "no results folder")),
        (("show", "x" * 300), ("xxx", "too long")),
        (("figure", "x" * 300), ("xxx", "too long")),
        (("trace", "x" * 300, "--run", "1"), ("xxx", "too long")),
        (("run", "xor", "--allow-runs", "90999"), ("91,000 runs", "--allow-runs 91000")),
        (("run", "xor", "--out", "mine.toml"), ("mine.toml", "file, not a folder")),
        (("run", "xor", "--out", "mine.toml/deep/er"), ("mine.toml", "file, not a folder")),
        (("trace", "seed", "--seed", "-1"), ("seed -1", "0 to 4294967295")),
        (("trace", "seed", "--seed", "4294967296"), ("seed 4294967296", "0 to 4294967295")),
        (("show", "gone"), ("gone", "no results folder")),
        (("figure", "gone"), ("gone", "no results folder")),
        (("trace", "gone", "--run", "3"), ("gone", "no results folder")),
    ],
)
def test_bad_command(place: Path, words: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Each bad argument is one clear sentence, exit code 2, and nothing is written."""
    before = tree(place)
    assert_refused(command(*words), expected)
    assert tree(place) == before


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("trace", "seed", "--seed", "1.5"), "--seed"),
        (("run", "xor", "--threads", "two"), "--threads"),
        (("run",), "STUDY"),
        (("trian", "xor"), "trian"),
        (("run", "xor", "--outt", "x"), "--outt"),
        (("run", "xor", "--keep", "rows"), "--keep"),
    ],
)
def test_wrong_usage(place: Path, words: tuple[str, ...], expected: str) -> None:
    """What the parser refuses ends with 2 too, names what is wrong and writes nothing."""
    before = tree(place)
    finished = command(*words)
    assert (finished.code, finished.out) == (2, "")
    assert expected in finished.err
    assert "Traceback" not in finished.err
    assert tree(place) == before


def test_all_faults_are_printed(place: Path) -> None:
    """Of a study with several faults each is a line."""
    (place / "mine.toml").write_text(
        TEXT.replace("hidden = 2", "hidden = 0\nbias = 3").replace("count = 5", "count = 0")
    )
    finished = command("run", "mine.toml")
    assert finished.code == 2
    assert [line.split()[:2] for line in finished.err.splitlines()] == [
        ["error:", "network.hidden:"],
        ["error:", "network.bias:"],
        ["error:", "seeds.count:"],
    ]


def test_folder_of_another_study(place: Path) -> None:
    """Results of another study are not overwritten unless asked."""
    assert command("run", "mine.toml").code == 0
    before = tree(place)
    other = ("run", "mine.toml", "--set", "count=6")
    assert_refused(command(*other), ("mine", "another study", "--overwrite"))
    assert tree(place) == before
    assert command(*other, "--overwrite").code == 0
    assert open_result("results/mine").study.seeds.count == 6


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


def test_run_with_options(place: Path) -> None:
    """--out and --set do what they say; --allow-runs of the size is enough."""
    words = ("run", "xor", "--out", "deep/er", "--set", "seeds.count=2", "--set", "max_steps=20", "--allow-runs", "182")
    assert command(*words).code == 0
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


def test_figure_as_asked(place: Path) -> None:
    """Roles and values go to the figure; what does not fit the study is one sentence, and nothing is written."""
    command("run", "mine.toml", "--out", "r", "--set", "scale=1,2", "--set", "distribution=normal,uniform")
    words = ("--x", "scale", "--color", "distribution", "--facet", "learning_rate", "--at", "learning_rate=0.2")
    assert command("figure", "r", *words).code == 0
    before = tree(place)
    for words, expected in (
        (("--x", "scael"), ("unknown parameter 'scael'", "did you mean 'scale'")),
        (("--x", "scale", "--facet", "distribution, scale"), ("'scale' given for x and for facet",)),
        (("--value", "loss"), ("unknown value 'loss'", "convergence_rate")),
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
    assert (told["activation"], told["below"], told["max_steps"]) == ("relu", "0.0001", "5000")
    assert tree(place) == before


def test_plan_of_an_immense_study() -> None:
    """A study that nobody could run is planned at once."""
    finished = command("plan", "xor", "--set", "seeds.count=4294967296")
    assert finished.code == 0
    assert f"{91 * 2**32:,} in " in finished.out


def test_plan_of_words_in_a_file(place: Path) -> None:
    """The plan echoes the values of every form."""
    forms = "learning_rate = { logspace = [1e-3, 1.0, 4] }\nscale = [1, 2]\nbelow = 0.5\nmax_steps = { range = [1, 3] }"
    (place / "mine.toml").write_text(
        TEXT.replace("learning_rate = { values = [0.1, 0.2] }", forms).replace("[training]\nmax_steps = 50", "")
    )
    told = dict(re.split(r"  +", line, maxsplit=1) for line in command("plan", "mine.toml").out.splitlines())
    assert told["learning_rate"] == "0.001, 0.01, 0.1, 1.0"
    assert (told["scale"], told["below"], told["max_steps"]) == ("1.0, 2.0", "0.5", "1, 2, 3")


def test_studies() -> None:
    """`sweep studies` lists every built-in study with what it is for."""
    finished = command("studies")
    assert finished.code == 0
    lines = dict(re.split(r"  +", line, maxsplit=1) for line in finished.out.splitlines())
    assert lines == {
        name: load_study(name).description for name in ("hinton-xor", "linear-seed", "linear-xor", "seed", "xor")
    }


@pytest.mark.parametrize("name", ["run", "plan", "trace", "show", "figure", "studies"])
def test_help(name: str) -> None:
    """Every command explains itself."""
    finished = command(name, "--help")
    assert finished.code == 0
    assert "Usage" in finished.out
    assert name in command("--help").out


def imports_of(*words: str) -> set[str]:
    """Return which heavy packages a command imports, in a process of its own."""
    code = (
        "import sys\nfrom sweep.__main__ import main\ntry:\n    main()\nexcept SystemExit as end:\n"
        "    assert not end.code, end.code\nfinally:\n    print('\\nmodules', *sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    return HEAVY & set(finished.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "words", [("--help",), ("--version",), ("run", "--help"), ("plan", "xor"), ("studies",)], ids=" ".join
)
def test_light_commands_import_nothing_heavy(words: tuple[str, ...]) -> None:
    """Help and plans are instant because no numerics are imported."""
    assert imports_of(*words) == set()


def test_run_never_imports_matplotlib() -> None:
    """Training needs no figures."""
    imported = imports_of("run", "mine.toml")
    assert "matplotlib" not in imported
    assert {"numba", "pyarrow"} <= imported


def test_bad_input_of_a_process(place: Path) -> None:
    """The installed command ends with 2 and a sentence, without a traceback; so does the module."""
    for words in ([str(Path(sys.executable).with_name("sweep"))], [sys.executable, "-m", "sweep"]):
        finished = subprocess.run([*words, "run", "nothing"], capture_output=True, text=True, check=False)
        assert (finished.returncode, finished.stdout) == (2, "")
        assert finished.stderr.startswith("error: unknown study 'nothing'")
    assert sorted(path.name for path in place.iterdir()) == ["mine.toml"]


def test_reader_that_goes_away() -> None:
    """A pipe closed early, as by `head`, is no traceback."""
    words = [sys.executable, "-m", "sweep", "trace", "seed"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
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
        patch.setattr("sweep.shard.Worker.train", interrupt)
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
