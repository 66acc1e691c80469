"""The page of a report: answer, study, figures, tables, and provenance."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from shlex import quote
from typing import Any

from sweep.errors import SweepError, shown
from sweep.report.figures import report_figures
from sweep.report.provenance import provenance
from sweep.results.answers import swept
from sweep.results.result import Result
from sweep.results.sentences import answer
from sweep.results.tables import table_kinds
from sweep.results.tables.cells_table import cells_table
from sweep.study.description import describe
from sweep.study.reading.value_forms import Scalar
from sweep.system.atomic_files import check_parent, replace_file
from sweep.system.formatting import count_text, exact, short

# Most cells in the table. A larger result shows only the best ones, this many.
MOST_CELLS, BEST_CELLS = 10_000, 1_000
# Most values of an option for which the table of cells has a filter.
MOST_FILTERED = 100


def write_report(result: Result, path: Path) -> Path:
    """Write the report of a complete or partial result to a file, or to report.html in a folder, and return its path.

    The file is replaced atomically; SweepError if its suffix is not that of a page, or it cannot be written.
    """
    path = path / "report.html" if path.is_dir() else path
    if path.suffix.lower() not in (".html", ".htm"):
        raise SweepError(f"report: must be a folder or a file with the suffix .html, got {shown(str(path), 200)}")
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
    return template.render(
        name=result.study.name,
        description=result.study.description,
        style=(package / "page.css").read_text("utf-8"),
        script=(package / "page.js").read_text("utf-8"),
        study=describe(result.study),
        answer=answer(result),
        figures=report_figures(result),
        sections=_sections(result),
        cells=_cells(result),
        provenance=provenance(result),
        zip=zip,
    )


def _sections(result: Result) -> list[dict[str, Any]]:
    """Return the tables of each kind but that of cells, with notes that several of them share once."""
    sections = []
    for kind in table_kinds().values():
        tables = kind.build(result.over_replicates, kind.most_shown) if kind.name != "cells" else []
        if tables:
            notes = dict.fromkeys(note for table in tables for note in table.notes)
            sections.append({"kind": kind, "tables": tables, "notes": list(notes)})
    return sections


def _cells(result: Result) -> dict[str, Any]:
    """Return the table of cells, filters for its rows, and what the command that replays a run needs."""
    cells, seeds = result.cells, result.study.seeds
    table = cells_table(result, cells, top=BEST_CELLS if len(cells) > MOST_CELLS else None)
    return {
        "table": table,
        "rows": zip(table.frame.to_dict("records"), table.texts, strict=True),
        "count": count_text(len(table.frame), "cell"),
        "filters": [
            {"column": k, "name": name.replace("_", " "), "values": _options(result.study.parameters[name])}
            for k, name in enumerate(swept(result.study), 1)
            if len(result.study.parameters[name]) <= MOST_FILTERED
        ],
        "n_seeds": seeds.count,
        "base": seeds.base,
        "folder": quote(result.place) if result.place and result.keeps_runs else "",
    }


def _options(values: Sequence[Scalar]) -> list[tuple[Scalar, str]]:
    """Return values with distinct texts."""
    texts = [short(value) for value in values]
    return [
        (value, text if texts.count(text) == 1 else exact(value)) for value, text in zip(values, texts, strict=True)
    ]
