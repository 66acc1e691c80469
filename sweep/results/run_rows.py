"""The rows of runs as DataFrames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sweep.analysis.table_values import status_array
from sweep.columns import arrow_schema
from sweep.errors import StoreError
from sweep.results.run_order import in_run_order
from sweep.schemas.run_columns import runs_columns

if TYPE_CHECKING:
    from sweep.store.stored_runs import StoredRuns


class RunRows:
    """The rows of the runs of a study."""

    def __init__(self, stored: StoredRuns) -> None:
        self._stored = stored
        self._study = stored.plan.study

    def frame(self, columns: list[str] | None = None) -> pd.DataFrame:
        """Return all rows in run order; see :meth:`sweep.Result.runs`.

        Rows may be many, so parts are written directly into the final columns.
        """
        wanted = self._known_columns(columns)
        read = list(dict.fromkeys(wanted)) or ["run"]  # each once
        n_runs = sum(commit.n_runs for commit in self._stored.counted())
        if not n_runs:
            return self._no_rows(read)[wanted]
        numbers: dict[str, NDArray[Any]] = {}
        others: dict[str, list[pa.ChunkedArray]] = {name: [] for name in read}
        at = 0
        for table in in_run_order(self._stored, read):
            for field in table.schema:
                if pa.types.is_floating(field.type) or pa.types.is_integer(field.type):
                    whole = numbers.setdefault(field.name, np.empty(n_runs, field.type.to_pandas_dtype()))
                    whole[at : at + len(table)] = table[field.name].to_numpy()
                else:
                    others[field.name] += table[field.name].chunks
            at += len(table)
        converted = {name: pa.chunked_array(chunks).to_pandas() for name, chunks in others.items() if chunks}
        frame = pd.DataFrame({name: (numbers | converted)[name] for name in read}, copy=False)
        return frame if read == wanted else frame[wanted]

    def batches(self, columns: list[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield the rows in batches, in run order; see :meth:`sweep.Result.batches`."""
        wanted = self._known_columns(columns)
        for table in in_run_order(self._stored, list(dict.fromkeys(wanted)) or ["run"]):
            yield table.to_pandas()[wanted]

    def row(self, run: int) -> dict[str, Any]:
        """Return the row of a run; see :meth:`sweep.Result.row`."""
        check_kept(self._stored)
        if not 0 <= run < self._study.n_runs:
            raise StoreError(f"run: must be from 0 to {self._study.n_runs - 1}, got {run}")
        table = self._stored.table_at(self._stored.plan.position(run))
        rows = table.filter(pc.equal(table["run"], run)).to_pylist()
        if not rows:
            raise StoreError(f"run {run} is not trained, because its cell needed no more seeds (seeds.until)")
        return dict(rows[0])

    def _known_columns(self, columns: list[str] | None) -> list[str]:
        """Check requested columns, and return them; all by default."""
        check_kept(self._stored)
        known = [column.name for column in runs_columns(self._study)]
        wanted = known if columns is None else list(columns)
        unknown = [name for name in wanted if name not in known]
        if unknown:
            raise StoreError(f"runs have no column {unknown[0]!r}; they have {', '.join(known)}")
        return wanted

    def _no_rows(self, columns: list[str]) -> pd.DataFrame:
        """Return an empty frame whose columns have the same types as those of runs."""
        fields = [field for field in arrow_schema(runs_columns(self._study)) if field.name in columns]
        no_status = status_array(np.empty(0, np.int8))
        arrays = [no_status if field.name == "status" else pa.array([], field.type) for field in fields]
        frame: pd.DataFrame = pa.table(arrays, [field.name for field in fields]).to_pandas()
        return frame


def check_kept(stored: StoredRuns) -> None:
    """Raise StoreError if rows of runs were not kept."""
    if stored.keep != "runs":
        raise StoreError(
            "this result keeps cells only; run the study with keep='runs' (--keep runs) to keep rows of runs"
        )
