"""The commands that read results."""

from __future__ import annotations

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
TopOption = Annotated[int | None, typer.Option(metavar="N", help="Print N lines; as many as fit by default.")]

AtOption = Annotated[
    list[str] | None, typer.Option(metavar="NAME=V,V", help="Only cells with these values of a parameter.")
]


@app.command()
def show(
    directory: DirectoryArgument,
    by: Annotated[
        str | None,
        typer.Option(metavar="NAME,NAME", help="Add up over all parameters but these, as in --by activation."),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="cell, a parameter, rate, median_steps, expected_steps, converged, diverged, stalled, exhausted, or "
            "a column of cells.parquet. Rates and counts start from the highest, all else from the lowest.",
        ),
    ] = None,
    top: Annotated[
        int | None, typer.Option(metavar="N", help="Print N cells, the best ones first unless --sort is given.")
    ] = None,
    parts: Annotated[
        bool, typer.Option("--parts", help="Print only the paths of the Parquet files that hold the runs.")
    ] = False,
) -> None:
    """Print the answer, the cells and the digest.

    Of more cells than fit on the screen the best ten are printed.
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
            help="A statistic to rank by: rate, expected_steps, median_steps, final_loss, max_error or n_correct. "
            "Parameters, for each of whose values the best cell is told. Or both, as in --by optimizer,final_loss.",
        ),
    ] = None,
    top: TopOption = None,
    at: AtOption = None,
) -> None:
    """Rank the cells, and tell which of them may be the best, or the best one for each value of parameters."""
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
            help="Compare for each value of these parameters; else over all others. Also what is compared: rate, "
            "final_loss, max_error or n_correct.",
        ),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(metavar="RATE", help="Also tell whether rates are equivalent within this, as 0.05 for 5 points."),
    ] = None,
    top: TopOption = None,
) -> None:
    """Compare the values of a parameter, or two results, on common seeds: how many runs converge, and how fast.

    A run is faster than another of its seed if it converges in fewer steps; where neither converges, neither is.
    Where convergence is not judged, or with --by final_loss, losses are compared.
    p-values are those of the exact sign-flip test of seeds (McNemar's where a seed has one pair of runs).
    They are adjusted for the number of all in both tables (Holm); intervals of 95 % are each for itself.
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
            help="lines, heatmap, slice, contour, parallel, importance, incidence, ecdf (over targets: a swept below), "
            "profile (performance profile), steps or loss.",
        ),
    ] = "lines",
    out: Annotated[
        Path | None, typer.Option(help="File to write, or folder to write a PNG to; DIR by default.")
    ] = None,
    x: Annotated[
        str | None, typer.Option(metavar="NAME", help="Along the axis of lines, heatmap, contour, slice.")
    ] = None,
    y: Annotated[str | None, typer.Option(metavar="NAME", help="Along the other axis of heatmap, contour.")] = None,
    color: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="By color, 12 values at most, of lines, incidence, ecdf, profile, steps."),
    ] = None,
    facet: Annotated[
        str | None,
        typer.Option(metavar="NAME[,NAME]", help="Panels of lines, or two parameters: across, down."),
    ] = None,
    value: Annotated[
        str | None,
        typer.Option(
            metavar="VALUE",
            help="rate, median_steps, expected_steps, final_loss, max_error, n_correct or another statistic of the "
            "cells, of lines, heatmap, slice, contour and parallel; of importance rate or mean_steps.",
        ),
    ] = None,
    at: Annotated[
        list[str] | None, typer.Option(metavar="NAME=V,V", help="Draw only cells with these values of a parameter.")
    ] = None,
    bands: Annotated[
        str | None,
        typer.Option(metavar="BANDS", help="Of incidence and ecdf: pointwise, or simultaneous for whole curves."),
    ] = None,
    parallel_runs: Annotated[
        str | None,
        typer.Option(metavar="K,K", help="Of incidence: share of choices of K runs of which the first has converged."),
    ] = None,
) -> None:
    """Draw a figure of one of these kinds. An option that a kind does not take is refused."""
    given = {"x": x, "y": y, "color": color, "facet": tuple(_names(facet)) if facet else None, "bands": bands}
    _draw_figure(directory, out, kind, {**given, "value": value, "at": at, "parallel_runs": parallel_runs})


def _draw_figure(directory: str, out: Path | None, kind: str, given: dict[str, Any]) -> None:
    """Draw a figure with options as they are given, None for those that are not, and say where it is."""
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
    """Write a page that tells and draws what the study found, in one file to keep or to send."""
    from sweep.report import write_report

    written = _local(directory, out)
    path = write_report(_open(directory), written if out else written / "report.html")
    print(f"report in {one_line(path)}")


def _local(directory: str, out: Path | None) -> Path:
    """Return where a figure or a report goes: files of this machine, also of results elsewhere."""
    from sweep.errors import SweepError, shown
    from sweep.system.user_paths import address_of, local_folder

    if out is None and address_of(directory):
        raise SweepError(f"{shown(directory)} given; figures and reports are local files, so name one with --out FILE")
    return local_folder(out or directory)


def _open(directory: str) -> Result:
    """Open a result, whole or partial, and warn of a partial one."""
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
    """Return the names in a list that commas divide."""
    return [name.strip() for name in text.split(",")]
