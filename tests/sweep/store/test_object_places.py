"""Addresses of object stores, and an environment that does not lead to one; no store is needed for this."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

import sweep
from sweep import StoreError, open_result
from sweep.store.location import files_at
from sweep.store.objects import ObjectFiles
from tests.sweep.support import command, make_study, tree

pytestmark = pytest.mark.slow

STUDY = make_study(count=3, name="mine")
ADDRESS = "s3://bucket/prefix"


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> str:
    """Leave nothing in the environment that leads beyond this machine; return where nobody listens."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT", "AWS_ALLOW_HTTP"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", nobody)
    monkeypatch.setenv("AWS_ENDPOINT_URL", nobody)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return nobody


def refusal(call: Callable[[], object]) -> str:
    """Return the one sentence that an error says, within seconds."""
    begin = time.monotonic()
    with pytest.raises(StoreError) as caught:
        call()
    assert time.monotonic() - begin < 5
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 300
    return message


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
    """Addresses lead to a bucket and a prefix, also where a Path has swallowed a slash."""
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
        ("s3://bucket", "give a prefix too, as in s3://bucket/NAME"),
        ("s3://bucket/", "--overwrite would work on a whole bucket"),
        ("s3://bucket/a/../b", "not empty, '.' or '..'"),
        ("s3://bucket/./b", "not empty"),
        ("s3://bucket/a//b", "not empty"),
        ("s3://bucket/a//", "not empty"),
        ("s3://bucket/a\nb", "can be printed"),
        ("s3://bucket/a\udcff", "can be printed"),
        ("s3://bucket/" + "x" * 1000, "too long"),
        ("s3://bucket/x?versionId=secret", "'?' or '#'"),
        ("s3://bucket/x#secret", "'?' or '#'"),
        ("s3://user:secret@bucket/x", "with a user"),
        ("s3://secret@bucket/x?a@b", "with a user"),
        ("s3a://bucket/x", "not supported"),
        ("gs://bucket/x", "local folder or s3://BUCKET/PREFIX"),
    ],
)
def test_addresses_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, words: str) -> None:
    """They are refused in one sentence that tells no secrets, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    for call in (lambda: sweep.run(STUDY, out=address), lambda: open_result(address)):
        told = refusal(call)
        assert words in told
        assert "secret" not in told
    assert command("run", "xor", "--out", address).code == command("show", address).code == 2
    assert tree(tmp_path) == {}


def test_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said at once which variables to set, where no service of the machine gives credentials either."""
    for call in (lambda: sweep.run(STUDY, out=ADDRESS), lambda: open_result(ADDRESS)):
        told = refusal(call)
        for option in (ADDRESS, "no credentials", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
            assert option in told
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    assert "SecretAccessKey" in refusal(lambda: open_result(ADDRESS))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"AWS_ALLOW_HTTP": "true"}, "there is no connection; see to AWS_ENDPOINT"),
        ({"AWS_ENDPOINT_URL": "https://127.0.0.1:1"}, "there is no connection"),
        ({"AWS_ALLOW_HTTP": "false"}, "AWS_ALLOW_HTTP=true"),
        ({"AWS_ALLOW_HTTP": "maybe"}, "maybe"),
        ({"AWS_ENDPOINT_URL": "localhost:9000"}, "AWS_ENDPOINT_URL in the environment must be a URL"),
        ({"AWS_ENDPOINT_URL": "http://user:secret@host"}, "must be a URL"),
        ({"AWS_ENDPOINT_URL": "http://a b"}, "must be a URL"),
        ({"AWS_SESSION_TOKEN": "secret\nsecret"}, "AWS_SESSION_TOKEN in the environment holds a line break"),
        ({"AWS_REGION": "eu\r"}, "AWS_REGION in the environment holds a line break"),
    ],
)
def test_stores_that_are_not_reached(monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], words: str) -> None:
    """What was never reached is not waited for, and the sentence says what to look at."""
    for name, value in {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", **changes}.items():
        monkeypatch.setenv(name, value)
    for call in (lambda: sweep.run(STUDY, out=ADDRESS), lambda: open_result(ADDRESS)):
        told = refusal(call)
        assert ADDRESS in told
        assert words in told
        assert "secret" not in told


def test_without_the_package() -> None:
    """It is said how to install what object stores need."""
    with mock.patch.dict(sys.modules, {"obstore": None, "obstore.exceptions": None, "obstore.store": None}):
        told = refusal(lambda: open_result(ADDRESS))
    assert ADDRESS in told
    assert "pip install 'xor-sweep[s3]'" in told


def test_the_package_is_imported_for_addresses_alone(tmp_path: Path) -> None:
    """Local results are written and read without it."""
    out = repr(str(tmp_path / "r"))
    code = (
        "import sys, sweep; from tests.sweep.support import make_study;"
        f"sweep.run(make_study(count=1), out={out}); sweep.open_result({out}).cells;"
        "assert not [name for name in sys.modules if name.startswith('obstore') or name == 'sweep.store.objects']"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_figures_and_reports_are_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They ask for a file, before anything is read, and take no address for one."""
    monkeypatch.chdir(tmp_path)
    sweep.run(STUDY, out=tmp_path / "r")
    for name in ("figure", "report"):
        for options, expected in (((ADDRESS,), "--out FILE"), (("r", "--out", f"{ADDRESS}.png"), "give a local path")):
            finished = command(name, *options)
            assert (finished.code, finished.out) == (2, "")
            (line,) = finished.err.splitlines()
            assert expected in line
            assert ADDRESS in line
    assert "name one of its runs with --run" in command("trace", ADDRESS).err
