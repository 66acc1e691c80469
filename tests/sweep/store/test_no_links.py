"""File systems without hard links: files are created whole and only if absent, or one sentence says why not."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

import sweep
from sweep.system import atomic_files as durable
from tests.sweep.in_parts import interrupt_in_parts, run_in_parts
from tests.sweep.support import assert_refused, command, make_study, write_study

STUDY = make_study(count=10, name="mine")
PART_RUNS = 4


@pytest.fixture(params=["EPERM", "EOPNOTSUPP", "ENOSYS"], autouse=True)
def no_links(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the system refuse hard links."""
    number = getattr(errno, request.param)
    with mock.patch.object(os, "link", side_effect=OSError(number, os.strerror(number))):
        yield


@pytest.mark.slow
def test_a_study(tmp_path: Path) -> None:
    """A study is started, interrupted, resumed and finished, and no draft is left."""
    out = tmp_path / "r"
    interrupt_in_parts(STUDY, out, 3, part_runs=PART_RUNS)
    result = run_in_parts(STUDY, out=out, part_runs=PART_RUNS)
    assert result.facts["digest"] == sweep.run(STUDY).facts["digest"]
    assert sweep.verify(out).intact
    assert sweep.verify(out).leftovers == []
    other = make_study(count=10, scale=2.0)
    assert sweep.run(other, out=out, overwrite=True).facts["digest"] == sweep.run(other).facts["digest"]


def test_neither_links_nor_renaming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what is missing, and no result is left."""

    class Library:
        def renameat2(self, *_: object) -> int:
            import ctypes

            ctypes.set_errno(errno.EINVAL)
            return -1

    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: Library())
    refused = command("run", write_study(tmp_path / "mine.toml", STUDY), "--out", tmp_path / "r")
    assert_refused(refused, ("run.json", "neither hard links nor a rename that replaces nothing", "--out"))
    assert {path.name for path in (tmp_path / "r").iterdir()} == {"parts", "commits"}
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())
    assert_refused(command("run", tmp_path / "mine.toml", "--out", tmp_path / "r"), ("neither hard links",))


def test_other_errors_keep_their_reason(tmp_path: Path) -> None:
    """Errors that have nothing to do with links are reported unchanged."""
    (tmp_path / "taken").mkdir()
    (tmp_path / "draft").write_bytes(b"1")
    with pytest.raises(FileExistsError):
        durable.link_new(tmp_path / "draft", tmp_path / "taken")
    with pytest.raises(FileNotFoundError):
        durable.link_new(tmp_path / "draft", tmp_path / "nowhere" / "x")
    with (
        mock.patch.object(os, "link", side_effect=OSError(errno.EIO, "broken")),
        pytest.raises(OSError, match="broken"),
    ):
        durable.link_new(tmp_path / "draft", tmp_path / "new")
