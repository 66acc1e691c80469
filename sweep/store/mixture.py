"""Commits of one folder whose rows were not trained by the same machine and version, as far as bits depend on it.

Where nothing locks a folder, two that begin anew in it at once may both write into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sweep.errors import StoreError
from sweep.store.bits import BITS, Bits
from sweep.store.commits import Commit
from sweep.study.model import Study


class MixtureError(StoreError):
    """A results folder holds rows of two trainings."""


class Stranger(NamedTuple):
    """A commit that does not belong to the others.

    Attributes
    ----------
    commit
        Whose rows were trained by something else.
    difference
        In what, to go into a sentence.
    """

    commit: Commit
    difference: str


def strangers(commits: Iterable[Commit], study: Study, bits: Bits, whose: str) -> Iterator[Stranger]:
    """Yield commits whose rows do not belong to the others; those of older versions, which tell less, do.

    Parameters
    ----------
    commits, study
        Of one folder.
    bits, whose
        What they must agree with, and who tells it; what is not told there the first commit says that does.
    """
    tellers = dict.fromkeys(BITS, whose)
    for commit in commits:
        given, teller = Bits.of(vars(commit)), f"the commit of shard {commit.shard}"
        difference = bits.difference(given, study)
        if difference:
            yield Stranger(commit, difference.told(f"in {tellers[difference.name]}", f"in {teller}"))
            continue
        tellers |= dict.fromkeys(given.told().keys() - bits.told().keys(), teller)
        bits = Bits(**given.told() | bits.told())
