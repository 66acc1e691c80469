"""Facts of a results folder that follow from its commits."""

from __future__ import annotations

import pytest

from sweep.store.commits import Commit
from sweep.store.run_facts import ended
from tests.sweep.support import make_commit


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
