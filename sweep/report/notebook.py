"""What notebooks show of studies and results."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from sweep.answers import default_statistic, judges_convergence, swept
from sweep.report.words import asked
from sweep.result import Result
from sweep.sentences import answer
from sweep.statistics.ranking import rank_cells
from sweep.study import Study
from sweep.wording import interval_text, rate_text, short, steps_text

_MOST_CELLS = 10


def study_html(study: Study) -> str:
    """Return a study in words, with the values of what is swept."""
    told = asked(study)
    table = _table(["swept", "values", "meaning"], told["swept"]) if told["swept"] else ""
    fixed = "; ".join(f"{name} {value}" for name, value, _ in told["fixed"])
    return f"<div><b>{escape(study.name)}</b>: {escape(told['sentence'])}{table}<small>{escape(fixed)}</small></div>"


def result_html(result: Result) -> str:
    """Return what a result says, and its best cells."""
    sentences = "".join(f"<div>{escape(sentence[:1].upper() + sentence[1:])}.</div>" for sentence in answer(result))
    names = swept(result.study)
    judged = judges_convergence(result.study)
    cells = rank_cells(result.cells, result.study, default_statistic(result.study)).head(_MOST_CELLS)
    of_losses = ["runs", "median final loss [95 %]"]
    head = ["cell", *names, *(["rate, % [95 %]", "median steps", "expected steps"] if judged else of_losses)]
    rows = []
    for row in cells.to_dict("records"):
        steps = [rate_text(row), steps_text(row["steps_q50"]), steps_text(row["expected_steps"])]
        said = steps if judged else [str(row["n_runs"]), interval_text(row, "final_loss_q50")]
        rows.append([str(row["cell"]), *(short(row[name]) for name in names), *said])
    n_cells = len(result.cells)
    which = f"the best {len(rows)} of {n_cells:,} cells"
    more = f"<small>{which}</small>" if len(rows) < n_cells else ""
    return f"<div><b>{escape(result.study.name)}</b>{sentences}{_table(head, rows)}{more}</div>"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table of texts."""
    lines = ["<tr>" + "".join(f"<th>{escape(text)}</th>" for text in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"
