"""Facts of a results folder: errors name what cannot be valid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sweep.store.commits import Commit
from sweep.store.run_facts import ended
from tests.sweep.records import rewrite
from tests.sweep.support import SIX_PARTS, command, copy_result, make_commit, write_study

STUDY = SIX_PARTS


@pytest.mark.parametrize(
    "changes",
    [
        {"identity": ...},
        {"keep": ...},
        {"keep": "rows"},
        {"complete": ...},
        {"complete": 1},
        {"n_runs": "120"},
        {"cells_sha256": ...},
        {"digest": 5},
        {"kernel_seconds": True},
        {"finished": "yesterday"},
        {"finished": 5},
        {"numerics_version": "2"},
        {"numerics_version": ...},
        {"log_digest": None},
        {"pcg64_digest": ...},
        {"waves": ...},
        {"reused_steps": ...},
        {"sources_digest": 7},
        {"waves": 30},
        {"waves": [15, 14]},
        {"waves": [31, -1]},
        {"waves": ["30"]},
        {"waves": []},
    ],
    ids=str,
)
def test_facts_with_other_content(six_parts: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    """The error names the invalid key of run.json."""
    folder = copy_result(six_parts, tmp_path / "r")
    rewrite(folder / "run.json", **changes)
    for options in (("show", folder), ("trace", folder, "--run", "1"), ("run", study_file(tmp_path), "--out", folder)):
        finished = command(*options)
        assert (finished.code, finished.out) == (2, "")
        (line,) = finished.err.splitlines()
        assert "run.json" in line
        assert repr(next(iter(changes))) in line


def study_file(folder: Path) -> Path:
    return write_study(folder / "study.toml", STUDY)


def commit_of(session: str, begin: float, end: float) -> Commit:
    """Return the commit of a part."""
    return make_commit(0, 0, 5, session, begin, end)


def test_seconds_of_all_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resumed study counts earlier calls too, from their first part to their last, and no second twice."""
    monkeypatch.setattr("sweep.store.run_facts.time", lambda: 1100.0)
    assert ended([commit_of("now", 1060, 1090)], 1050)["wall_seconds"] == 50
    earlier = [commit_of("a", 100, 110), commit_of("a", 130, 140), commit_of("b", 200, 207), commit_of("c", 205, 215)]
    assert ended([*earlier, commit_of("now", 1060, 1090)], 1050)["wall_seconds"] == 50 + 40 + 15
    assert ended([commit_of("beside", 1000, 1080)], 1050)["wall_seconds"] == 100
