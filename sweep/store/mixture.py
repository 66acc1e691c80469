"""Commits in one folder whose rows another machine or version trained, so that bits may differ.

Without locks, two runs that begin in the same folder at once may both write into it.
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


class Stranger(NamedTuple):
    """A commit that does not fit the others.

    Attributes
    ----------
    commit
        The commit whose rows were trained differently.
    difference
        The difference, as part of a sentence.
    """

    commit: Commit
    difference: str


def strangers(commits: Iterable[Commit], study: Study, bits: Bits, whose: str) -> Iterator[Stranger]:
    """Yield commits whose rows were trained differently from the others.

    Parameters
    ----------
    commits
        Commits of one folder.
    study
        Their study.
    bits
        Facts that the commits must agree with.
    whose
        Where ``bits`` come from, for sentences.

    Yields
    ------
    Stranger
        Each commit that differs, with the difference.
    """
    for commit in commits:
        difference = bits.difference(Bits.of(vars(commit)), study)
        if difference:
            yield Stranger(commit, difference.told(f"in {whose}", f"in the commit of part {commit.part}"))
