"""Addresses of object stores, and environments in which no store can be reached."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

import sweep
from sweep import open_result
from sweep.store.local import files_at
from sweep.store.objects import ObjectFiles
from tests.sweep.object_store import refusal
from tests.sweep.support import assert_refused, command, make_study, tree

pytest.importorskip("obstore", reason="the extra s3 is not installed")

pytestmark = pytest.mark.wide

STUDY = make_study(count=3, name="mine")
ADDRESS = "s3://bucket/prefix"


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> str:
    """Remove everything from the environment that leads beyond this machine; return an address without a server.

    No test may wait for the store there.
    """
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT", "AWS_ALLOW_HTTP"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", nobody)
    monkeypatch.setenv("AWS_ENDPOINT_URL", nobody)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("sweep.store.requests.Waits.pause", lambda *_: pytest.fail("a request is repeated"))
    return nobody


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("s3://bucket/prefix", ADDRESS),
        ("s3://bucket/prefix/", ADDRESS),
        ("S3://bucket/prefix", ADDRESS),
        (Path("s3://bucket/prefix"), ADDRESS),
        (Path("s3://bucket/prefix/"), ADDRESS),
        ("s3://my-bucket.of.mine/a b/ü/c=1/%41", "s3://my-bucket.of.mine/a b/ü/c=1/%41"),
        ("s3://bucket/@home/a:b", "s3://bucket/@home/a:b"),
    ],
)
def test_addresses(address: str | Path, place: str) -> None:
    """Addresses name a bucket and a prefix, even if a Path has removed a slash."""
    files = files_at(address)
    assert isinstance(files, ObjectFiles)
    assert files.place == files.where() == place
    assert files.where("run.json") == f"{place}/run.json"
    assert f"s3://{files.bucket}/{files.prefix}" == place


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("s3:", "s3://BUCKET/PREFIX"),
        ("s3://", "s3://BUCKET/PREFIX"),
        ("s3://bu/x", "3 to 63"),
        ("s3://My_Bucket/x", "lowercase"),
        ("s3://bucket:9000/x", "lowercase"),
        ("s3://bucket", "add a prefix such as s3://bucket/NAME"),
        ("s3://bucket/", "--overwrite would empty the whole bucket"),
        ("s3://bucket/a/../b", "not empty, '.' or '..'"),
        ("s3://bucket/./b", "not empty"),
        ("s3://bucket/a//b", "not empty"),
        ("s3://bucket/a//", "not empty"),
        ("s3://bucket/a\nb", "must be printable"),
        ("s3://bucket/a\udcff", "must be printable"),
        ("s3://bucket/" + "x" * 1000, "at most 900 bytes"),
        ("s3://bucket/x?versionId=secret", "without '?' and '#'"),
        ("s3://bucket/x#secret", "without '?' and '#'"),
        ("s3://user:secret@bucket/x", "without a user"),
        ("s3://secret@bucket/x?a@b", "without a user"),
        ("s3a://bucket/x", "must be a local path or s3://"),
        ("gs://bucket/x", "a local path or s3://BUCKET/PREFIX"),
    ],
)
def test_invalid_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, words: str) -> None:
    """Invalid addresses are refused in one sentence without secrets, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    for call in (lambda: sweep.run(STUDY, out=address), lambda: open_result(address)):
        message = refusal(call)
        assert words in message
        assert "secret" not in message
    assert command("run", "xor", "--out", address).code == command("show", address).code == 2
    assert tree(tmp_path) == {}


def test_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variables to set."""
    for call in (lambda: sweep.run(STUDY, out=ADDRESS), lambda: open_result(ADDRESS)):
        message = refusal(call)
        for option in (ADDRESS, "no credentials", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
            assert option in message
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    assert "SecretAccessKey" in refusal(lambda: open_result(ADDRESS))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"AWS_ALLOW_HTTP": "true"}, "there is no connection; check AWS_ENDPOINT"),
        ({"AWS_ENDPOINT_URL": "https://127.0.0.1:1"}, "there is no connection"),
        ({"AWS_ALLOW_HTTP": "false"}, "AWS_ALLOW_HTTP=true"),
        ({"AWS_ALLOW_HTTP": "maybe"}, "maybe"),
        ({"AWS_ENDPOINT_URL": "localhost:9000"}, "AWS_ENDPOINT_URL must be a URL"),
        ({"AWS_ENDPOINT_URL": "http://user:secret@host"}, "must be a URL"),
        ({"AWS_ENDPOINT_URL": "http://a b"}, "must be a URL"),
        ({"AWS_SESSION_TOKEN": "secret\nsecret"}, "AWS_SESSION_TOKEN must not hold line breaks"),
        ({"AWS_REGION": "eu\r"}, "AWS_REGION must not hold line breaks"),
    ],
)
def test_stores_that_are_not_reached(monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], words: str) -> None:
    """A store that was never reached is not waited for, and the error names what to check."""
    for name, value in {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", **changes}.items():
        monkeypatch.setenv(name, value)
    for call in (lambda: sweep.run(STUDY, out=ADDRESS), lambda: open_result(ADDRESS)):
        message = refusal(call)
        assert ADDRESS in message
        assert words in message
        assert "secret" not in message


def test_without_the_package() -> None:
    """The error names the command that installs the missing package."""
    with mock.patch.dict(sys.modules, {"obstore": None, "obstore.exceptions": None, "obstore.store": None}):
        message = refusal(lambda: open_result(ADDRESS))
    assert ADDRESS in message
    assert "pip install 'xor-sweep[s3]'" in message


def test_the_package_is_imported_for_addresses_alone(tmp_path: Path) -> None:
    """Local results are written and read without obstore."""
    out = repr(str(tmp_path / "r"))
    code = (
        "import sys, sweep; from tests.sweep.support import make_study;"
        f"sweep.run(make_study(count=1), out={out}); sweep.open_result({out}).cells;"
        "assert not [name for name in sys.modules if name.startswith('obstore') or name == 'sweep.store.objects']"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_figures_and_reports_are_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures and reports need a local file, which is checked before anything is read."""
    monkeypatch.chdir(tmp_path)
    sweep.run(STUDY, out=tmp_path / "r")
    for name in ("figure", "report"):
        for options, expected in (
            ((ADDRESS,), "--out FILE"),
            (("r", "--out", f"{ADDRESS}.png"), "must be a local path"),
        ):
            assert_refused(command(name, *options), (expected, ADDRESS))
    assert "name one of its runs with --run" in command("trace", ADDRESS).err
