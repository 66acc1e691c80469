"""The display of a result in notebooks."""

from __future__ import annotations

from html import escape

from sweep.results.answers import default_statistic, has_criterion, swept
from sweep.results.queries import Queries
from sweep.results.sentences import answer
from sweep.statistics.ranking import rank_cells
from sweep.study.description import html_table
from sweep.system.formatting import interval_text, rate_text, short, steps_text

_MOST_CELLS = 10


def result_html(result: Queries) -> str:
    """Return the answer of a result and its best cells as HTML."""
    sentences = "".join(f"<div>{escape(sentence[:1].upper() + sentence[1:])}.</div>" for sentence in answer(result))
    names = swept(result.study)
    evaluated = has_criterion(result.study)
    cells = rank_cells(result.cells, default_statistic(result.study)).head(_MOST_CELLS)
    of_losses = ["runs", "median final loss [95 %]"]
    head = ["cell", *names, *(["rate, % [95 %]", "median steps", "expected steps"] if evaluated else of_losses)]
    rows = []
    for row in cells.to_dict("records"):
        steps = [rate_text(row), steps_text(row["steps_q50"]), steps_text(row["expected_steps"])]
        texts = steps if evaluated else [str(row["n_runs"]), interval_text(row, "final_loss_q50")]
        rows.append([str(row["cell"]), *(short(row[name]) for name in names), *texts])
    n_cells = len(result.cells)
    which = f"the best {len(rows)} of {n_cells:,} cells"
    more = f"<small>{which}</small>" if len(rows) < n_cells else ""
    return f"<div><b>{escape(result.study.name)}</b>{sentences}{html_table(head, rows)}{more}</div>"
