"""Commits that share runs, for example after files of another folder were copied into a folder."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from sweep.errors import StoreError
from sweep.schedule.plan import Plan
from sweep.store.commits import Commit, check_planned, cover


def surplus(commits: Sequence[Commit], plan: Plan) -> list[Commit]:
    """Return the commits to leave out so that no run occurs twice.

    If most commits follow the plan, those that do not are left out first; otherwise those that do.
    """
    if cover(commits, None):
        return []
    planned = {commit for commit in commits if _is_planned(commit, plan)}
    trusted = planned if 2 * len(planned) >= len(commits) else set(commits) - planned
    starts: list[int] = []
    kept: list[Commit] = []
    left_out: list[Commit] = []
    for commit in sorted(commits, key=lambda commit: (commit not in trusted, commit.start)):
        place = bisect_left(starts, commit.start)
        before, after = kept[:place][-1:], kept[place : place + 1]
        if all(other.stop <= commit.start for other in before) and all(commit.stop <= other.start for other in after):
            starts.insert(place, commit.start)
            kept.insert(place, commit)
        else:
            left_out.append(commit)
    return left_out


def _is_planned(commit: Commit, plan: Plan) -> bool:
    """Return whether a commit is of a part of the plan."""
    try:
        check_planned(commit, plan)
    except StoreError:
        return False
    return True
