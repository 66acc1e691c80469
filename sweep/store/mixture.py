"""Commits of one folder whose rows were not trained by the same machine and version, as far as bits depend on it.

Where nothing locks a folder, two that begin anew in it at once may both write into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sweep.bits import BITS, Bits, compared
from sweep.errors import StoreError
from sweep.store.commits import Commit
from sweep.study import Study


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
    told = {name: (getattr(bits, name), whose) for name in compared(study)}
    for commit in commits:
        difference = ""
        for name, (wanted, teller) in told.items():
            given = getattr(commit, name)
            if given is not None and wanted is not None and given != wanted:
                theirs, own = (str(each)[:12] for each in (given, wanted))
                difference = f"{BITS[name]} is {own!r} in {teller} and {theirs!r} in the commit of shard {commit.shard}"
                break
        if difference:
            yield Stranger(commit, difference)
            continue
        for name, (wanted, _) in told.items():
            if wanted is None and getattr(commit, name) is not None:
                told[name] = getattr(commit, name), f"the commit of shard {commit.shard}"
