"""Commits in one folder whose rows another machine or version trained, so that bits may differ.

Without locks, two runs that start in the same folder at once may both write into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sweep.errors import StoreError
from sweep.store.bits import Bits
from sweep.store.commits import Commit
from sweep.study.model import Study


class MixtureError(StoreError):
    """A results folder holds rows of two different trainings."""


def foreign_commits(commits: Iterable[Commit], study: Study, bits: Bits, whose: str) -> Iterator[tuple[Commit, str]]:
    """Yield each commit of a folder whose rows were trained with other facts than ``bits``, and the difference.

    ``whose`` is where ``bits`` come from, for the difference, which is part of a sentence.
    """
    for commit in commits:
        difference = bits.difference(Bits.of(vars(commit)), study)
        if difference:
            yield commit, difference.clause(f"in {whose}", f"in the commit of part {commit.part}")
