"""Streams of NumPy's generators that are passed with runs, for orders of patterns."""

from __future__ import annotations

from sweep.study.axes.grid import Cell
from sweep.study.model import Study

# Bytes of the stream of a run, if it is passed: three copies of 625 or 10 numbers of 64 bits.
STREAM_BYTES = {"": 0, "mt19937": 3 * 8 * 625, "pcg64": 3 * 8 * 10}


def generator_of_streams(study: Study, cell: Cell) -> str:
    """Return the generator whose streams are passed with the runs of a cell, for orders; empty if none are passed."""
    if cell["order"] != "continued" or cell["batch"] == study.data.n_patterns:
        return ""
    # Only NumPy draws weights of pcg64, or those of a next attempt after orders.
    goes_on = study.restarts.max_restarts > 0 and study.restarts.draw == "next"
    return str(cell["generator"]) if goes_on or cell["generator"] != "mt19937" else ""
