"""Which files are read as studies and patterns, and which paths are results folders."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import sweep
from sweep import StoreError, load_study
from sweep.study.data.pattern_files import open_patterns
from sweep.study.plugins import load_plugin
from sweep.system import user_files
from sweep.system.user_files import local_folder, read_text
from tests.sweep.support import assert_refused, command, make_study, tree

Reader = Callable[[Path], object]
STUDY = '[data]\ntask = "xor"\n[network]\nhidden = 2\n[training]\nlearning_rate = 0.1\n'
READERS: list[Reader] = [load_study, open_patterns, read_text, load_plugin]
# All files that a study names, by their ends.
NAMED = [f"{key}.{end}" for key, ends in (("file", ("csv", "parquet")), ("values", ("csv", "parquet", "npy", "npz")))
         for end in ends]  # fmt: skip


def refusal(read: Reader, path: Path) -> str:
    """Return the error of a file that is not read."""
    with pytest.raises(ValueError, match=r"\w") as caught:
        read(path)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 500
    return message


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        *((name, "not a regular file") for name in ("/dev/zero", "/dev/null", "/dev/urandom", "pipe")),
        ("", "it is a folder"),
        ("huge.toml", "larger than 67,108,864 bytes"),
        ("latin.toml", "not a text file"),
        ("zero.csv", "not a text file: it holds a zero byte"),
    ],
)
def test_what_is_not_read(tmp_path: Path, read: Reader, name: str, fault: str) -> None:
    """Devices and named pipes may never end; folders, files of more than 64 MiB and other encodings are no text."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "latin.toml").write_bytes('name = "é"'.encode("latin-1"))
    (tmp_path / "zero.csv").write_bytes(b"x0,y\n0,\0\n")
    with (tmp_path / "huge.toml").open("wb") as file:
        file.truncate(user_files.MAX_BYTES + 1)
    assert fault in refusal(read, tmp_path / name)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("name", ["a\0b.toml", "\ud800.toml", "a" * 300 + ".toml", "gone\n.toml"])
def test_odd_names(tmp_path: Path, read: Reader, name: str) -> None:
    """Impossible names are reported on one printable line."""
    refusal(read, tmp_path / name)


def test_pipes_of_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An inherited pipe, as of ``<(command)``, is read to its end, but not beyond the limit."""
    for limit, content in ((100, b"x" * 100), (99, b"x" * 100)):
        monkeypatch.setattr(user_files, "MAX_BYTES", limit)
        reading, writing = os.pipe()
        os.write(writing, content)
        os.close(writing)
        try:
            if limit == 100:
                assert read_text(Path(f"/dev/fd/{reading}")) == content.decode()
            else:
                assert "larger than 99 bytes" in refusal(read_text, Path(f"/dev/fd/{reading}"))
        finally:
            os.close(reading)


def test_study_from_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A study from a pipe is planned like one in a file."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # so that no other test notes a speed, which a plan shows
    (tmp_path / "study.toml").write_text(STUDY)
    plan = [sys.executable, "-m", "sweep", "plan"]
    file = subprocess.run([*plan, str(tmp_path / "study.toml")], capture_output=True, check=True)
    pipe = subprocess.run([*plan, "/dev/stdin"], input=STUDY.encode(), capture_output=True, check=True)
    assert pipe.stdout == file.stdout != b""


@pytest.mark.parametrize("named", NAMED)
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "huge", "missing"])
def test_files_that_studies_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, kind: str) -> None:
    """Files of patterns and of weights have the same limits, whatever their format."""
    monkeypatch.setattr(user_files, "MAX_BYTES", 100)
    key, path = named.partition(".")[0], tmp_path / named
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        path.write_bytes(bytes(101))
    fault = {"folder": "it is a folder", "huge": "larger than 100 bytes", "missing": "No such file"}
    (tmp_path / "study.toml").write_text(STUDY)
    message = refusal(lambda path: load_study(path.parent / "study.toml", {key: str(path)}), path)
    assert fault.get(kind, "it is a pipe or a device, not a regular file") in message
    assert repr(str(path)) in message


ADDRESSES = ["gs://bucket/x", "gs://bucket", "https://example.com/x", "file:///tmp/x", "S3A://b", "memory://x", "gs://"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_are_not_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Results are not written to a folder named ``gs:``, from Python or the command line."""
    monkeypatch.chdir(tmp_path)
    scheme = address.partition("://")[0] + "://"
    assert_refused(command("run", "xor", "--out", address), (scheme, "must be a local path"))
    for path in (address, Path(address)):
        with pytest.raises(StoreError, match="local path"):
            sweep.run(make_study(), out=path)
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("path", ["results", "/tmp/x", "a:b", "/s3:/x", "a/b://c", "C:/results", "~", "é://"])
def test_paths_are_folders(path: str) -> None:
    """Ordinary paths are not taken for addresses."""
    assert local_folder(path) == local_folder(Path(path)) == Path(path)


@pytest.mark.wide
def test_study_and_results_with_a_name_that_is_no_text(tmp_path: Path) -> None:
    """Files may have names that are not UTF-8; they are printed escaped."""
    folder = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(folder)
    with open(folder + b"/\xfe.toml", "w") as file:
        file.write(STUDY.replace('task = "xor"', 'file = "p.csv"') + "[seeds]\ncount = 1\n")
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}

    def finish(*words: bytes) -> tuple[int, bytes]:
        program = [os.fsencode(word) for word in (sys.executable, "-m", "sweep")]
        finished = subprocess.run([*program, *words], capture_output=True, env=environment, check=False)
        assert b"Traceback" not in finished.stderr
        return finished.returncode, finished.stderr + finished.stdout

    code, printed = finish(b"run", folder + b"/\xfe.toml", b"--out", folder + b"/r")
    assert code == 2
    assert rb"\udcff/p.csv" in printed
    with open(folder + b"/p.csv", "w") as file:
        file.write("x0,x1,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    code, printed = finish(b"run", folder + b"/\xfe.toml", b"--out", folder + b"/r")
    assert code == 0
    assert printed.endswith(rb"/\udcff/r" + b"\n")
    assert finish(b"show", folder + b"/r")[0] == 0
    assert finish(b"plan", b"\xff")[0] == 2
    assert finish(b"show", b"\xff")[0] == 2
    assert finish(b"plan", b"xor", b"--set", b"description=\xff")[0] == 2
