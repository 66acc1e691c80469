"""The display of a result in notebooks."""

from __future__ import annotations

from html import escape

from sweep.results.answers import ranking_statistic
from sweep.results.queries import Queries
from sweep.results.sentences import answer
from sweep.results.tables.cells_table import cells_table

_MOST_CELLS = 10


def result_html(result: Queries) -> str:
    """Return the answer of a result and its best cells, pooled over replicates, as HTML."""
    sentences = "".join(f"<div>{escape(sentence[:1].upper() + sentence[1:])}.</div>" for sentence in answer(result))
    pooled = result.over_replicates
    best = cells_table(pooled, pooled.cells, sort=ranking_statistic(pooled), top=_MOST_CELLS).essential()
    return f"<div><b>{escape(result.study.name)}</b>{sentences}{best._repr_html_()}</div>"
