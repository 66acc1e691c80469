"""Commits in one folder whose rows another machine or version trained, so that bits may differ.

Without locks, two runs that start in the same folder at once may both write into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sweep.errors import StoreError
from sweep.store.bits import Bits
from sweep.store.commits import Commit
from sweep.study.model import Study


class MixtureError(StoreError):
    """A results folder holds rows of two different trainings."""


class ForeignCommit(NamedTuple):
    """A commit of another training.

    Attributes
    ----------
    commit
        The commit.
    difference
        How its training differs, as part of a sentence.
    """

    commit: Commit
    difference: str


def foreign_commits(commits: Iterable[Commit], study: Study, bits: Bits, whose: str) -> Iterator[ForeignCommit]:
    """Yield commits whose rows were trained with other facts than ``bits``.

    Parameters
    ----------
    commits
        Commits of one folder.
    study
        Their study.
    bits
        Facts that all commits must share.
    whose
        Where ``bits`` come from, for messages.

    Yields
    ------
    ForeignCommit
        Each commit that differs, with the difference.
    """
    for commit in commits:
        difference = bits.difference(Bits.of(vars(commit)), study)
        if difference:
            yield ForeignCommit(commit, difference.clause(f"in {whose}", f"in the commit of part {commit.part}"))
