"""Bad input on the command line ends with one sentence and exit code 2, and changes nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sweep import open_result
from tests.sweep.support import STUDY_TEXT, assert_refused, command, tree

pytestmark = pytest.mark.usefixtures("place")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("hidden = 2", "hidden = 2\nactivaton = 'relu'", ("network", "'activaton'", "did you mean 'activation'")),
        ("[seeds]", "[seedz]", ("unknown key 'seedz'", "did you mean 'seeds'")),
        ("values = [0.1, 0.2]", "values = [0.1, -0.2]", ("parameters.learning_rate[1]", "-0.2", "at least 0")),
        ('task = "xor"', 'file = "gone.csv"', ("data", "gone.csv", "No such file")),
        ('task = "xor"', 'file = "text.csv"', ("data", "text.csv", "row 3", "'one'")),
        ("count = 5", "count = 500_000_001", ("1,000,000,002 runs", "--allow-runs")),
        ("[data]", "[data", ("TOML",)),
    ],
)
def test_bad_study(place: Path, old: str, new: str, expected: tuple[str, ...]) -> None:
    """Each bad study gives one sentence and exit code 2, and nothing is written."""
    (place / "text.csv").write_text("x0,y\n1,2\none,2\n")
    (place / "mine.toml").write_text(STUDY_TEXT.replace(old, new))
    before = tree(place)
    assert_refused(command("run", "mine.toml"), expected)
    if "runs" not in expected[0]:
        assert_refused(command("plan", "mine.toml"), expected)
        assert_refused(command("trace", "mine.toml"), expected)
    assert tree(place) == before


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("run", "nothing"), ("unknown study 'nothing'", "sweep studies", "path")),
        (("run", "lib/nothing.toml"), ("lib/nothing.toml", "No such file")),
        (("explore", "xor", "--export", "map", "--port", "80"), ("--port: has no effect with --export",)),
        (("explore", "xor", "--levels", "0"), ("--levels: selects what --export writes", "add --export DIR")),
        (("explore", "xor", "--to", "0/0/0"), ("--to: selects what --export writes", "leave out --to")),
        (("explore", "xor", "--network", "0/0/0"), ("--network: selects what --export writes", "leave out --network")),
        (("compare", "r", "s", "--vary", "hidden"), ("compare: must have one of --vary NAME", "got both")),
        (("plan", "gone.csv"), ("study file 'gone.csv' cannot be read: No such file or directory",)),
        (("run", "xor", "--set", "hidden"), ("--set", "'hidden'", "key=value")),
        (("run", "xor", "--set", "hiden=2"), ("hiden", "did you mean 'hidden'")),
        (("run", "xor", "--set", "learning_rate=-1"), ("learning_rate", "-1", "at least 0")),
        (("run", "xor", "--set", "max_steps=1e4"), ("training.max_steps", "got 10000.0", "write 10000")),
        (("run", "xor", "--set", "seeds.until=rate"), ("seeds.until", "a table", '{ best = "rate" }', "got 'rate'")),
        (("run", "xor", "--set", "test_fraction=0.2"), ("'test_fraction'", "did you mean 'test_count'")),
        (("run", "xor", "--seeds", "10"), ("--seeds", "--set seeds.count=VALUE")),
        (("run", "xor", "--epochs=10"), ("--epochs", "--set max_epochs=10")),
        (("run", "xor", "--threads", "0"), ("threads", "0", "from 1")),
        (("run", "xor", "--threads", "1000000"), ("threads", "1000000", "from 1")),
        (("run", "xor", "--out", "gs://bucket/folder"), ("'gs://bucket/folder'", "local", "s3://BUCKET/PREFIX")),
        (("run", "xor", "--out", "s3://bucket"), ("'s3://bucket'", "prefix")),
        (("run", "xor", "--out", "x" * 300), ("xxx", "255")),
        (("run", "xor", "--out", f"y/{'x' * 300}/z"), ("xxx", "255")),
        (("show", "r\udcff"), ("'r\\udcff'", "not a results folder")),
        (("show", "x" * 300), ("xxx", "255")),
        (("figure", "x" * 300), ("xxx", "255")),
        (("trace", "x" * 300, "--run", "1"), ("xxx", "255")),
        (("run", "xor", "--allow-runs", "90999"), ("91,000 runs", "--allow-runs 91000")),
        (("run", "xor", "--out", "mine.toml"), ("mine.toml", "is a file")),
        (("run", "xor", "--out", "mine.toml/deep/er"), ("mine.toml", "is a file")),
        (("trace", "seed", "--set", "seeds.base=48", "--seed", "0"), ("seed", "from 48 to 48", "got 0")),
        (("trace", "seed", "--seed", "4294967296"), ("seed", "4294967296", "from 83832 to 83832")),
        (("show", "gone"), ("gone", "not a results folder")),
        (("figure", "gone"), ("gone", "not a results folder")),
        (("trace", "gone", "--run", "3"), ("gone", "not a results folder")),
    ],
)
def test_bad_command(place: Path, options: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Each bad argument gives one sentence and exit code 2, and nothing is written."""
    before = tree(place)
    assert_refused(command(*options), expected)
    assert tree(place) == before


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("mine.csv", b"x0,y\n1,2\n", "study 'mine.csv' is not valid TOML: "),
        ("MINE.CSV", b"x0,y\n1,2\n", "study 'MINE.CSV' is not valid TOML: "),
        ("mine.parquet", b"PAR1\0", "study file 'mine.parquet' cannot be read: it is not a text file"),
    ],
)
def test_patterns_as_a_study(place: Path, name: str, content: bytes, fault: str) -> None:
    """The error names the option for a file of patterns."""
    (place / name).write_bytes(content)
    assert_refused(command("plan", name), (fault, f"if it holds patterns, set file to {name!r} in a study such as xor"))


def test_a_study_in_a_file_of_any_name(place: Path) -> None:
    """The content of a file decides, not its suffix."""
    (place / "toml.csv").write_text(STUDY_TEXT)
    assert command("plan", "toml.csv").code == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("trace", "seed", "--seed", "1.5"), "--seed"),
        (("run", "xor", "--threads", "two"), "--threads"),
        (("run",), "STUDY"),
        (("trian", "xor"), "trian"),
        (("run", "xor", "--outt", "x"), "--outt"),
        (("run", "xor", "--keep", "rows"), "--keep"),
    ],
)
def test_wrong_usage(place: Path, options: tuple[str, ...], expected: str) -> None:
    """Usage errors of the parser name the fault and exit with code 2, and nothing is written."""
    before = tree(place)
    finished = command(*options)
    assert (finished.code, finished.out) == (2, "")
    assert expected in finished.err
    assert "Traceback" not in finished.err
    assert tree(place) == before


def test_all_faults_are_printed(place: Path) -> None:
    """Each fault of a study is one line."""
    (place / "mine.toml").write_text(
        STUDY_TEXT.replace("hidden = 2", "hidden = -1\nbias = 3").replace("count = 5", "count = 0")
    )
    finished = command("run", "mine.toml")
    assert finished.code == 2
    assert [line.split()[:2] for line in finished.err.splitlines()] == [
        ["error:", "network.hidden:"],
        ["error:", "network.bias:"],
        ["error:", "seeds.count:"],
    ]


def test_folder_of_another_study(place: Path) -> None:
    """Only `--overwrite` replaces the results of another study."""
    assert command("run", "mine.toml").code == 0
    before = tree(place)
    other = ("run", "mine.toml", "--set", "count=6")
    assert_refused(command(*other), ("mine", "another study", "--overwrite"))
    assert tree(place) == before
    assert command(*other, "--overwrite").code == 0
    assert open_result("results/mine").study.seeds.count == 6


@pytest.mark.slow
def test_bad_input_of_a_process(place: Path) -> None:
    """The installed command and the module end with code 2 and one sentence, without a traceback."""
    for program in ([str(Path(sys.executable).with_name("sweep"))], [sys.executable, "-m", "sweep"]):
        finished = subprocess.run([*program, "run", "nothing"], capture_output=True, text=True, check=False)
        assert (finished.returncode, finished.stdout) == (2, "")
        assert finished.stderr.startswith("error: unknown study 'nothing'")
    assert sorted(path.name for path in place.iterdir()) == ["mine.toml"]
