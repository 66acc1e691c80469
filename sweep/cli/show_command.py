"""The command that prints the answer and the cells of a result."""

from __future__ import annotations

from typing import Annotated

import typer

from sweep.cli.arguments import AtOption, DirectoryArgument, split_names, warn
from sweep.cli.completions import complete_sort, parameter_option
from sweep.system.escaping import one_line
from sweep.system.wrapping import print_text


def show(
    directory: DirectoryArgument,
    by: Annotated[
        str | None,
        parameter_option("Print a row for each value of these parameters, of all its cells together.", "NAME,NAME"),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            autocompletion=complete_sort,
            help="Sort by cell, a parameter, rate, median_steps, expected_steps (expected running time, ERT), "
            "mean_steps (restricted mean survival time, RMST), a count (converged, diverged, stalled, exhausted), or "
            "another column of cells.parquet. All counts, and statistics of which more is better such as rates, sort "
            "from high to low, all others from low to high.",
        ),
    ] = None,
    at: AtOption = None,
    top: Annotated[
        int | None, typer.Option(metavar="N", help="Print at most N cells; without --sort, the best ones.")
    ] = None,
    parts: Annotated[
        bool, typer.Option("--parts", help="Print only the paths of the Parquet files that hold the runs.")
    ] = False,
) -> None:
    """Print a result: its cells (configurations) and a summary.

    If the cells do not fit on the screen, only the best ten are printed.
    The digest, on the last line, is a hash of all rows.
    """
    from sweep.results.result import open_result
    from sweep.results.sentences import answer, coverage
    from sweep.study.selection import parse_picks
    from sweep.terminal.printed import print_cells

    result = open_result(directory, partial=True)
    if parts:
        warn(coverage(result))
        print(*map(one_line, result.parts()), sep="\n")
        return
    if by is not None or at:
        warn(coverage(result))
        print_cells(result, split_names(by) if by is not None else (), sort, top, parse_picks(at or []))
        return
    print_cells(result, (), sort, top)
    print_text(*answer(result))
    for name in ("name", "identity", "n_runs", "net_steps", "lane_occupancy", "cpu", "digest"):
        if result.facts.get(name) is not None:
            print_text(f"{name:14}  {one_line(result.facts[name])}")
