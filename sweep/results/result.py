"""The result of a study, in memory or on disk."""

from __future__ import annotations

from pathlib import Path

from sweep.errors import StoreError
from sweep.results.queries import ResultQueries
from sweep.store.files import Files
from sweep.store.memory import MemoryParts
from sweep.store.reader import StoreReader
from sweep.store.run_facts import totals
from sweep.study.model import Study


class Result(ResultQueries):
    """The result of a study, complete or partial."""

    def _repr_html_(self) -> str:
        """Return the answer and the best cells for a notebook."""
        from sweep.results.notebook import result_html

        return result_html(self)


def open_result(directory: str | Path | Files, *, partial: bool = False) -> Result:
    """Open a results folder.

    Parameters
    ----------
    directory
        Its path, or its address ``s3://BUCKET/PREFIX``.
    partial
        Whether to open a study that was interrupted or is under way, with the runs trained so far.

    Returns
    -------
    Result
        Complete, or partial if ``partial`` is given.

    Raises
    ------
    StoreError
        If it is no results folder, is damaged or mixes two trainings, if the study is not finished and ``partial`` is
        not given, or if no run is trained yet.
    """
    store = StoreReader.open(directory)
    facts = store.facts()
    if facts["complete"]:
        if store.has_parts:
            store.commits()  # refuses commits of different trainings, whichever of them are read later
        return Result(store.study, facts, store)
    if not partial:
        raise StoreError(
            f"results in {store.files.place!r} are not complete; run the same study again to finish it, "
            "or open what is trained with partial=True"
        )
    result = partial_result(store.study, store)
    if not result.facts["n_runs"]:
        raise StoreError(
            f"results in {store.files.place!r} have no trained runs yet; run the same study again to go on"
        )
    return result


def partial_result(study: Study, parts: StoreReader | MemoryParts) -> Result:
    """Return the partial result of the runs that are trained, if any.

    Raises
    ------
    StoreError
        If a commit is damaged.
    """
    facts = {}
    if isinstance(parts, StoreReader):
        facts = parts.facts()
        parts.partial = sorted(parts.commits().values(), key=lambda commit: commit.start)
    return Result(
        study, {**facts, **totals(study, parts.keep, parts.counted()), "digest": None, "complete": False}, parts
    )
