"""The command that writes the table of cells to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sweep.cli.arguments import DirectoryArgument, open_with_warning, split_names
from sweep.system.escaping import one_line
from sweep.system.wrapping import print_text


def export(
    directory: DirectoryArgument,
    to: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="csv, json or tex. Default: the suffix of FILE, or csv."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME", help="Write a row for each value of these parameters, of all its cells together."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="File to write. Default: standard output.")] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Sort the rows as show does. Default: the order of the study; with --top the best first.",
        ),
    ] = None,
    table: Annotated[
        str, typer.Option(metavar="TABLE", help="cells, or another table of the report, such as best.")
    ] = "cells",
    top: Annotated[int | None, typer.Option(metavar="N", help="Write at most N rows per table.")] = None,
) -> None:
    """Write a table of a result as CSV, JSON or TeX.

    The default table has a row for each cell (configuration).
    CSV and JSON have all statistics with all digits; JSON also describes the columns.
    TeX is a booktabs table for a paper, with rates in percent.
    For rows of runs, use the Parquet files that show --parts lists.
    """
    result = open_with_warning(directory)
    text = result.export(to, split_names(by) if by is not None else (), out=out, sort=sort, top=top, table=table)
    if out is None:
        print(text, end="")
    else:
        print_text(f"{table} in {one_line(out)}")
