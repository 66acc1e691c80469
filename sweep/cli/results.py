"""The commands that print answers of results."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.cli.completions import complete_by, complete_parameter, complete_sort
from sweep.system.escaping import one_line

if TYPE_CHECKING:
    from sweep.results.result import Result

app = typer.Typer()

DirectoryArgument = Annotated[
    str, typer.Argument(metavar="DIR", help="Results folder, complete or partial, or s3://BUCKET/PREFIX.")
]
TopOption = Annotated[
    int | None, typer.Option(metavar="N", help="Print at most N rows. Default: as many as fit on the screen.")
]

AtOption = Annotated[
    list[str] | None, typer.Option(metavar="NAME=V,V", help="Use only cells with these values of a parameter.")
]


@app.command()
def show(
    directory: DirectoryArgument,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME",
            help="Print a row for each value of these parameters; pool the others.",
            autocompletion=complete_parameter,
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            autocompletion=complete_sort,
            help="Sort by cell, a parameter, rate, median_steps, expected_steps (expected running time, ERT), "
            "mean_steps (restricted mean survival time, RMST), converged, diverged, stalled, exhausted "
            "(right-censored), or a column of cells.parquet. Rates, counts and margins sort from high to low, "
            "everything else from low to high.",
        ),
    ] = None,
    top: Annotated[
        int | None, typer.Option(metavar="N", help="Print at most N cells. Without --sort, the best cells first.")
    ] = None,
    parts: Annotated[
        bool, typer.Option("--parts", help="Print only the paths of the Parquet files that hold the runs.")
    ] = False,
) -> None:
    """Print the answer, the cells (configurations) and the digest.

    If the cells do not fit on the screen, print the best ten.
    """
    from sweep.results.result import open_result
    from sweep.results.sentences import answer, coverage
    from sweep.terminal.cells import print_cells, print_sums

    result = open_result(directory, partial=True)
    if parts:
        warn(coverage(result))
        print(*map(one_line, result.parts()), sep="\n")
        return
    if by is not None:
        warn(coverage(result))
        print_sums(result, split_names(by), sort, top)
        return
    print_cells(result, sort, top)
    print(*answer(result), sep="\n")
    for name in ("name", "identity", "n_runs", "net_steps", "lane_occupancy", "cpu", "digest"):
        if result.facts.get(name) is not None:
            print(f"{name:14}  {one_line(result.facts[name])}")


@app.command()
def best(
    directory: DirectoryArgument,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME",
            autocompletion=complete_by,
            help="Statistic to rank by: rate, expected_steps (ERT), median_steps, final_loss, max_error, n_correct, "
            "test_loss, n_test_correct or a recorded measure, such as margin. Or parameters, to print the best cell "
            "for each of their values. Or both: --by optimizer,final_loss.",
        ),
    ] = None,
    top: TopOption = None,
    at: AtOption = None,
) -> None:
    """Rank the cells (configurations) and test which may be the best.

    With parameters in --by, print the best cell for each of their values.
    """
    from sweep.study.selection import parse_picks
    from sweep.terminal.best import print_best

    print_best(open_with_warning(directory), split_names(by) if by else (), top, parse_picks(at) if at else None)


@app.command()
def compare(
    directory: DirectoryArgument,
    other: Annotated[str | None, typer.Argument(metavar="DIR", help="Second results folder.")] = None,
    vary: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Parameter whose values are compared.",
            autocompletion=complete_parameter,
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME",
            autocompletion=complete_by,
            help="Compare separately for each value of these parameters; pool the others. Also the measure to compare: "
            "rate, final_loss, max_error, n_correct, test_loss, n_test_correct or a recorded measure, such as margin.",
        ),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(metavar="RATE", help="Test whether rates are equivalent within this margin: 0.05 for 5 points."),
    ] = None,
    top: TopOption = None,
) -> None:
    """Compare the values of a parameter, or two results, on common seeds (common random numbers).

    Compares convergence rates and steps; with --by final_loss, or without a criterion, losses.
    A run is faster than another with its seed if it converges in fewer steps, or if only it converges.
    p-values: exact sign-flip test over seeds (McNemar's test for one pair per seed), adjusted by Holm's method.
    95 % intervals are not adjusted.
    """
    from sweep.errors import SweepError
    from sweep.results.answers import default_statistic, split_by
    from sweep.results.comparison import Pairing
    from sweep.results.queries import compared_by
    from sweep.statistics.of_cells import measure_of
    from sweep.terminal.comparisons import print_comparison
    from sweep.terminal.measures import print_measured_comparison

    if (vary is None) == (other is None):
        raise SweepError("compare needs either --vary NAME (the values of a parameter) or a second results folder")
    names = split_names(by) if by else []
    result = open_with_warning(directory)
    if vary is not None:
        parameters, statistic = split_by(result.study, names, compared_by())
        measure = measure_of(statistic or default_statistic(result.study))
        compared = result.compare(vary, names, margin=margin)
        if measure:
            print_measured_comparison(compared, parameters, measure, top)
        else:
            print_comparison(compared, parameters, top)
        return
    assert other is not None
    pairing = Pairing(result, open_with_warning(other))
    parameters, measure = pairing.split(names)
    compared = pairing.compare(names, margin=margin)
    if measure:
        print_measured_comparison(compared, parameters, measure, top)
    else:
        print_comparison(compared, parameters, top)
    if sentence := pairing.left_out():
        print(sentence)


def open_with_warning(directory: str) -> Result:
    """Open a result, complete or partial, and warn of a partial one."""
    from sweep.results.result import open_result
    from sweep.results.sentences import coverage

    result = open_result(directory, partial=True)
    warn(coverage(result))
    return result


def warn(sentence: str) -> None:
    """Print a sentence on standard error, unless it is empty."""
    if sentence:
        print(sentence, file=sys.stderr)


def split_names(text: str) -> list[str]:
    """Return the names in a comma-separated list. A comma within brackets, as in w[0,1], separates nothing."""
    return [name.strip().replace(", ", ",") for name in re.split(r",(?![^\[]*\])", text)]
