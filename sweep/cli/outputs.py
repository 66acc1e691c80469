"""The commands that write files of results: figures, reports and tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sweep.cli.completions import complete_figure, complete_parameter, complete_value
from sweep.cli.results import DirectoryArgument, open_with_warning, split_names
from sweep.system.escaping import one_line

app = typer.Typer()


@app.command()
def figure(
    directory: DirectoryArgument,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            autocompletion=complete_figure,
            help="lines, heatmap, slice, contour, parallel, importance (main and total effects), incidence (cumulative "
            "incidence), ecdf (run lengths over recorded targets, or a swept threshold), profile (performance "
            "profile), "
            "steps, loss, curves (recorded learning curves, medians and quartiles) or runs (curves of single runs).",
        ),
    ] = "lines",
    out: Annotated[
        Path | None, typer.Option(help="File to write, or folder to write a PNG to; DIR by default.")
    ] = None,
    x: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Parameter along the axis of lines, heatmap, contour, slice.",
            autocompletion=complete_parameter,
        ),
    ] = None,
    y: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Parameter along the other axis of heatmap, contour.",
            autocompletion=complete_parameter,
        ),
    ] = None,
    color: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=complete_parameter,
            help="Parameter by color, of at most 12 values, of lines, incidence, ecdf (also target), profile, steps, "
            "curves.",
        ),
    ] = None,
    facet: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[,NAME]",
            help="Parameters of the panels of lines: one, or two (across, down).",
            autocompletion=complete_parameter,
        ),
    ] = None,
    value: Annotated[
        str | None,
        typer.Option(
            metavar="VALUE",
            autocompletion=complete_value,
            help="Statistic of lines, heatmap, slice, contour, parallel: rate, median_steps, expected_steps (ERT), "
            "final_loss, max_error, n_correct, test_loss, n_test_correct, a recorded measure or another one of the "
            "cells; of importance: rate or mean_steps (RMST); of curves and runs: train_loss, test_loss, n_correct or "
            "n_test_correct.",
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
    given = {"x": x, "y": y, "color": color, "facet": tuple(split_names(facet)) if facet else None, "bands": bands}
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
        "value": lambda text: text if kind in ("curves", "runs") else column_of(text, [*STATISTICS, *EXPLAINED]),
        "at": parse_picks,
        "parallel_runs": parse_counts,
    }
    said = {name: text for name, text in given.items() if text or text == ""}
    options = {name: read[name](text) if name in read else text for name, text in said.items()}
    written = _local(directory, out)
    result = open_with_warning(directory)
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
    path = write_report(open_with_warning(directory), written if out else written / "report.html")
    print(f"report in {one_line(path)}")


@app.command()
def export(
    directory: DirectoryArgument,
    to: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="csv, json or tex; by default as the suffix of FILE says, or csv."),
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="NAME,NAME", help="Pool all other parameters, as in --by activation.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="File to write; standard output by default.")] = None,
    sort: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Order of the rows, as for show; that of the study by default.")
    ] = None,
    top: Annotated[
        int | None, typer.Option(metavar="N", help="Write N rows, the best ones first unless --sort is given.")
    ] = None,
) -> None:
    """Write the table of cells (configurations) as CSV, JSON or TeX.

    CSV and JSON have all statistics with all digits; JSON tells what the columns are.
    TeX is a table of booktabs for a paper, with rates in percent.
    Rows of runs are Parquet files already, which show --parts lists.
    """
    result = open_with_warning(directory)
    text = result.export(to, split_names(by) if by is not None else (), out=out, sort=sort, top=top)
    if out is None:
        print(text, end="")
    else:
        print(f"cells in {one_line(out)}")


def _local(directory: str, out: Path | None) -> Path:
    """Return the local path of a figure or a report; StoreError or SweepError if there is none."""
    from sweep.errors import SweepError, shown
    from sweep.system.user_paths import address_of, local_folder

    if out is None and address_of(directory):
        raise SweepError(f"{shown(directory)} given; figures and reports are local files, so name one with --out FILE")
    return local_folder(out or directory)
