"""The page of a report: answer, study, figures, tables, and provenance."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from shlex import quote
from typing import Any

from sweep.analysis.compare import MOST_COMPARED
from sweep.columns import statuses
from sweep.errors import StoreError, SweepError
from sweep.report.figures import report_figures
from sweep.report.losses import best_value, loss_comparisons
from sweep.report.provenance import provenance
from sweep.results.answers import default_statistic, has_criterion, swept
from sweep.results.pooled_cells import pairs_seeds
from sweep.results.result import Result
from sweep.results.sentences import answer, may_be_best
from sweep.statistics.ranking import best_cells, rank_cells
from sweep.study.description import describe
from sweep.study.reading.value_forms import Scalar
from sweep.system.atomic_files import check_parent, replace_file
from sweep.system.formatting import (
    chance_text,
    count_text,
    difference_text,
    measure_texts,
    rate_text,
    short,
    steps_ratio_text,
    steps_text,
)

# Most cells in the table. A larger result shows only the best ones, this many.
MOST_CELLS, BEST_CELLS = 10_000, 1_000
# Most ranked cells; parameters with more values are not compared.
_MOST_RANKED, _MOST_VALUES = 10, 12

_LOSS_COLUMNS = ["median final loss [95 %]", "quartiles", "finite, %"]


def write_report(result: Result, path: Path) -> Path:
    """Write the report of a result to a file, atomically.

    Parameters
    ----------
    result
        Complete or partial.
    path
        The file to write, or a folder for report.html.

    Returns
    -------
    Path
        The written file.

    Raises
    ------
    SweepError
        If the file cannot be written.
    """
    path = path / "report.html" if path.is_dir() else path
    check_parent(path)
    page = report_page(result).encode(errors="backslashreplace")  # names of folders may not be valid UTF-8
    try:
        replace_file(path, page)
    except OSError as error:
        raise SweepError(f"report {str(path)!r} cannot be written: {error.strerror}") from None
    return path


def report_page(result: Result) -> str:
    """Return the report of a result as self-contained HTML."""
    from jinja2 import Environment, StrictUndefined

    package = files(__package__)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((package / "page.html.jinja").read_text("utf-8"))
    has_rates = has_criterion(result.study)
    has_converged = has_rates and bool(result.cells["n_converged"].any())  # otherwise no cell is better than another
    return template.render(
        name=result.study.name,
        description=result.study.description,
        style=(package / "page.css").read_text("utf-8"),
        script=(package / "page.js").read_text("utf-8"),
        study=describe(result.study),
        answer=answer(result),
        figures=report_figures(result),
        ranked=_ranked(result) if has_converged or not has_rates else None,
        comparisons=_comparisons(result) if has_converged else [],
        loss_comparisons=[] if has_rates else loss_comparisons(result),
        keeps_runs=result.keeps_runs,
        table=_table(result, has_rates),
        provenance=provenance(result),
    )


def _table(result: Result, has_rates: bool) -> dict[str, Any]:
    """Return the table of cells: headers, and rows of texts and sort keys."""
    cells = result.cells
    ranked_by = default_statistic(result.study)
    shown = rank_cells(cells, ranked_by).head(BEST_CELLS) if len(cells) > MOST_CELLS else cells
    parameters = swept(result.study)
    statistics = ["rate, % [95 %]", "median steps", "expected steps"] if has_rates else _LOSS_COLUMNS
    rows = []
    ends = statuses(result.study.has_patience)
    for row in shown.to_dict("records"):
        texts = [(str(row["cell"]), row["cell"]), *((short(row[name]), row[name]) for name in parameters)]
        if has_rates:
            texts.append((rate_text(row), row["convergence_rate"]))
            texts += [(steps_text(row[name]), _sortable(row[name])) for name in ("steps_q50", "expected_steps")]
        else:
            numbers = (row[name] for name in (ranked_by, "final_loss_q25", "finite_rate"))
            texts += zip(measure_texts(row, "final_loss"), map(_sortable, numbers), strict=True)
        texts += [(f"{row[f'n_{status}']:,}", row[f"n_{status}"]) for status in ends]
        rows.append({"cell": row["cell"], "first_run": row["cell"] * result.study.seeds.count, "texts": texts})
    return {
        "names": ["cell", *(name.replace("_", " ") for name in parameters), *statistics, *ends],
        "rows": rows,
        "n_cells": len(cells),
        "count": count_text(len(rows), "cell"),
        "filters": [
            {"column": k + 1, "name": name.replace("_", " "), "values": _options(values)}
            for k, (name, values) in enumerate((name, result.study.parameters[name]) for name in parameters)
            if len(values) <= 100
        ],
        "n_seeds": result.study.seeds.count,
        "base": result.study.seeds.base,
        "folder": quote(result.place) if result.place and result.keeps_runs else "",
    }


def _options(values: Sequence[Scalar]) -> list[tuple[Scalar, str]]:
    """Return values with distinct texts."""
    texts = [short(value) for value in values]
    return [(value, text if texts.count(text) == 1 else str(value)) for value, text in zip(values, texts, strict=True)]


def _sortable(value: Any) -> Any:
    """Return a sort key; empty text if the value is missing or infinite."""
    return "" if steps_text(value) == "-" else value


def _ranked(result: Result) -> dict[str, Any]:
    """Return the table of the best cells, and the sentence on those that may be the best."""
    has_rates, ranked_by = has_criterion(result.study), default_statistic(result.study)
    ranked = result.best() if pairs_seeds(result) else best_cells(result.cells, None, ranked_by)
    names, rows = swept(result.study), []
    for row in ranked.head(_MOST_RANKED).to_dict("records"):
        numbers = [rate_text(row), steps_text(row["steps_q50"])] if has_rates else measure_texts(row, "final_loss")
        values = [short(row[name]) for name in names]
        rows.append([str(row["rank"]), str(row["cell"]), *values, *numbers, chance_text(row["p_value_holm"])])
    sentence = "" if ranked["may_be_best"].isna().all() else may_be_best(ranked, result.study)
    names = [name.replace("_", " ") for name in names]
    statistics = ["rate, % [95 %]", "median steps"] if has_rates else _LOSS_COLUMNS
    head = ["rank", "cell", *names, *statistics, "p-value (Holm)"]
    return {"names": head, "rows": rows, "sentence": sentence, "n_cells": len(ranked)}


def _comparisons(result: Result) -> list[dict[str, Any]]:
    """Return the comparisons of the best value with each other value, for each parameter with few values."""
    if not pairs_seeds(result):
        return []
    found = []
    for name in swept(result.study):
        if len(result.study.parameters[name]) > min(_MOST_VALUES, MOST_COMPARED):
            continue
        try:
            table = result.compare(name, [])
        except StoreError:
            raise
        except SweepError:  # a partial result may have no pairs yet
            continue
        compared = table.dropna(subset=["difference"]).to_dict("records")
        if not compared:
            continue
        best = best_value(compared, "difference")
        rows = [_comparison(row, best) for row in compared if best in (row["first"], row["second"])]
        found.append({"name": name.replace("_", " "), "best": short(best), "rows": rows})
    return found


def _comparison(row: dict[Any, Any], best: Any) -> list[str]:
    """Return the texts of a comparison with the best value."""
    sign, other = (1, "second") if row["first"] == best else (-1, "first")
    best_side = "first" if other == "second" else "second"
    ends = sorted((sign * row["difference_low"], sign * row["difference_high"]))
    difference = difference_text(sign * row["difference"], *ends)
    rate = f"{100 * row[f'{other}_rate']:.1f}"
    faster = [f"{100 * row[f'{side}_faster']:.1f}" for side in (best_side, other)]
    steps = steps_ratio_text(row, (short(row["first"]), short(row["second"])), turned=sign < 0)
    chances = [chance_text(row[f"{name}_holm"]) for name in ("p_value", "p_steps")]
    return [short(row[other]), rate, difference, chances[0], *faster, chances[1], steps]
