"""The commands that read results."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweep.system.escaping import one_line

if TYPE_CHECKING:
    from sweep.results.result import Result

app = typer.Typer()

DirectoryArgument = Annotated[
    str, typer.Argument(metavar="DIR", help="Results folder, of a finished study or a part; or s3://BUCKET/PREFIX.")
]
TopOption = Annotated[
    int | None, typer.Option(metavar="N", help="Print N lines; by default those that fit on the screen.")
]

AtOption = Annotated[
    list[str] | None, typer.Option(metavar="NAME=V,V", help="Only cells with these values of a parameter.")
]


@app.command()
def show(
    directory: DirectoryArgument,
    by: Annotated[
        str | None,
        typer.Option(metavar="NAME,NAME", help="Pool all other parameters, as in --by activation."),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="cell, a parameter, rate, median_steps, expected_steps (expected running time, ERT), mean_steps "
            "(restricted mean survival time, RMST), converged, diverged, stalled, exhausted (right-censored), or a "
            "column of cells.parquet. Rates and counts start from the highest, all else from the lowest.",
        ),
    ] = None,
    top: Annotated[
        int | None, typer.Option(metavar="N", help="Print N cells, the best ones first unless --sort is given.")
    ] = None,
    parts: Annotated[
        bool, typer.Option("--parts", help="Print only the paths of the Parquet files that hold the runs.")
    ] = False,
) -> None:
    """Print the answer, the cells (configurations) and the digest.

    If not all cells fit on the screen, the best ten are printed.
    """
    from sweep.results.result import open_result
    from sweep.results.sentences import answer, coverage
    from sweep.terminal.cells import print_cells, print_sums

    result = open_result(directory, partial=True)
    if parts:
        _warn(coverage(result))
        print(*map(one_line, result.parts()), sep="\n")
        return
    if by is not None:
        _warn(coverage(result))
        print_sums(result, _names(by), sort, top)
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
            help="Statistic to rank by: rate, expected_steps (ERT), median_steps, final_loss, max_error, n_correct, "
            "test_loss or n_test_correct. "
            "Or parameters: print the best cell for each of their values. Or both, as in --by optimizer,final_loss.",
        ),
    ] = None,
    top: TopOption = None,
    at: AtOption = None,
) -> None:
    """Rank the cells (configurations) and test which may be the best, or find the best for each value of parameters."""
    from sweep.study.selection import parse_picks
    from sweep.terminal.best import print_best

    print_best(_open(directory), _names(by) if by else (), top, parse_picks(at) if at else None)


@app.command()
def compare(
    directory: DirectoryArgument,
    other: Annotated[str | None, typer.Argument(metavar="DIR", help="Results folder to compare with.")] = None,
    vary: Annotated[
        str | None, typer.Option(metavar="NAME", help="Parameter whose values are compared with each other.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME",
            help="Compare for each value of these parameters; others are pooled. Also the measure to compare: rate, "
            "final_loss, max_error, n_correct, test_loss or n_test_correct.",
        ),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(metavar="RATE", help="Test whether rates are equivalent within this, such as 0.05 for 5 points."),
    ] = None,
    top: TopOption = None,
) -> None:
    """Compare values of a parameter, or two results, on common seeds (common random numbers): rates and steps.

    A run is faster than another of its seed if it converges in fewer steps; if neither converges, neither is faster.
    Losses are compared with --by final_loss, or if convergence is not judged.
    p-values: exact sign-flip test of seeds (McNemar's with one pair of runs per seed), Holm's method for both tables.
    Intervals of 95 % are not adjusted.
    """
    from sweep.errors import SweepError
    from sweep.results.answers import default_statistic, split_by
    from sweep.results.comparison import Pairing
    from sweep.results.queries import COMPARED
    from sweep.statistics.measures import measure_of
    from sweep.terminal.comparisons import print_comparison
    from sweep.terminal.measures import print_measured_comparison

    if (vary is None) == (other is None):
        raise SweepError("give either --vary NAME, to compare the values of a parameter, or a second results folder")
    names = _names(by) if by else []
    result = _open(directory)
    if vary is not None:
        parameters, given = split_by(result.study, names, COMPARED)
        measure = measure_of(given or default_statistic(result.study))
        compared = result.compare(vary, names, margin=margin)
        if measure:
            print_measured_comparison(compared, parameters, measure, top)
        else:
            print_comparison(compared, parameters, top)
        return
    assert other is not None
    pairing = Pairing(result, _open(other))
    parameters, measure = pairing.split(names)
    compared = pairing.compare(names, margin=margin)
    if measure:
        print_measured_comparison(compared, parameters, measure, top)
    else:
        print_comparison(compared, parameters, top)
    if sentence := pairing.left_out():
        print(sentence)


@app.command()
def figure(
    directory: DirectoryArgument,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="lines, heatmap, slice, contour, parallel, importance (main and total effects), incidence (cumulative "
            "incidence), ecdf (run lengths over recorded targets, or a swept below), profile (performance profile), "
            "steps or loss.",
        ),
    ] = "lines",
    out: Annotated[
        Path | None, typer.Option(help="File to write, or folder to write a PNG to; DIR by default.")
    ] = None,
    x: Annotated[
        str | None, typer.Option(metavar="NAME", help="Parameter along the axis of lines, heatmap, contour, slice.")
    ] = None,
    y: Annotated[
        str | None, typer.Option(metavar="NAME", help="Parameter along the other axis of heatmap, contour.")
    ] = None,
    color: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Parameter by color, of at most 12 values, of lines, incidence, ecdf (also target), profile, steps.",
        ),
    ] = None,
    facet: Annotated[
        str | None,
        typer.Option(metavar="NAME[,NAME]", help="Parameters of the panels of lines: one, or two (across, down)."),
    ] = None,
    value: Annotated[
        str | None,
        typer.Option(
            metavar="VALUE",
            help="Statistic of lines, heatmap, slice, contour, parallel: rate, median_steps, expected_steps (ERT), "
            "final_loss, max_error, n_correct, test_loss, n_test_correct or another one of the cells; "
            "of importance: rate or mean_steps (RMST).",
        ),
    ] = None,
    at: Annotated[
        list[str] | None, typer.Option(metavar="NAME=V,V", help="Draw only cells with these values of a parameter.")
    ] = None,
    bands: Annotated[
        str | None,
        typer.Option(
            metavar="BANDS", help="95 % bands of incidence and ecdf: pointwise, or simultaneous (whole curves)."
        ),
    ] = None,
    parallel_runs: Annotated[
        str | None,
        typer.Option(metavar="K,K", help="For incidence: the share of choices of K runs in which any has converged."),
    ] = None,
) -> None:
    """Draw a figure of one of these kinds. Options that the kind does not have are refused."""
    given = {"x": x, "y": y, "color": color, "facet": tuple(_names(facet)) if facet else None, "bands": bands}
    _draw_figure(directory, out, kind, {**given, "value": value, "at": at, "parallel_runs": parallel_runs})


def _draw_figure(directory: str, out: Path | None, kind: str, given: dict[str, Any]) -> None:
    """Draw a figure with the given options, and print the path of its file."""
    from sweep.errors import SweepError, unknown
    from sweep.figures import KINDS, draw, figure_path, save_figure
    from sweep.figures.channels import parse_counts
    from sweep.figures.statistics import STATISTICS
    from sweep.results.answers import column_of, default_statistic
    from sweep.statistics.importance import EXPLAINED
    from sweep.study.selection import parse_picks

    if kind not in KINDS:
        raise SweepError(unknown("figure", kind, list(KINDS)))
    read: dict[str, Any] = {
        "value": lambda text: column_of(text, [*STATISTICS, *EXPLAINED]),
        "at": parse_picks,
        "parallel_runs": parse_counts,
    }
    said = {name: text for name, text in given.items() if text or text == ""}
    options = {name: read[name](text) if name in read else text for name, text in said.items()}
    written = _local(directory, out)
    result = _open(directory)
    default = default_statistic(result.study) if kind == "lines" else kind
    named = str(options.get("value", default))
    path = figure_path(written, named if kind == "lines" or named == default else f"{kind}_{named}")
    save_figure(draw(result, kind, **options), path)
    print(f"figure in {one_line(path)}")


@app.command()
def report(
    directory: DirectoryArgument,
    out: Annotated[Path | None, typer.Option(help="File to write; DIR/report.html by default.")] = None,
) -> None:
    """Write a report with answer, figures and tables as one self-contained HTML file."""
    from sweep.report import write_report

    written = _local(directory, out)
    path = write_report(_open(directory), written if out else written / "report.html")
    print(f"report in {one_line(path)}")


def _local(directory: str, out: Path | None) -> Path:
    """Return the local path of a figure or a report; StoreError or SweepError if there is none."""
    from sweep.errors import SweepError, shown
    from sweep.system.user_paths import address_of, local_folder

    if out is None and address_of(directory):
        raise SweepError(f"{shown(directory)} given; figures and reports are local files, so name one with --out FILE")
    return local_folder(out or directory)


def _open(directory: str) -> Result:
    """Open a result, complete or partial, and warn of a partial one."""
    from sweep.results.result import open_result
    from sweep.results.sentences import coverage

    result = open_result(directory, partial=True)
    _warn(coverage(result))
    return result


def _warn(sentence: str) -> None:
    """Print a sentence on standard error, if there is one."""
    if sentence:
        print(sentence, file=sys.stderr)


def _names(text: str) -> list[str]:
    """Return the names in a list separated by commas, which a single weight such as w[0,1] has too."""
    return [name.strip() for name in re.split(r",(?![^\[]*\])", text)]
