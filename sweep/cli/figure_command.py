"""The command that draws figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sweep.cli.arguments import AtOption, DirectoryArgument, PluginOption, local_path, open_with_warning, split_names
from sweep.cli.completions import complete_figure, complete_value, parameter_option
from sweep.system.escaping import one_line
from sweep.system.wrapping import print_text


def figure(
    directory: DirectoryArgument,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            autocompletion=complete_figure,
            help="Kind of figure, as listed below.",
        ),
    ] = "lines",
    out: Annotated[Path | None, typer.Option(help="File to write, or folder for a PNG file. Default: DIR.")] = None,
    x: Annotated[str | None, parameter_option("Parameter on the x axis.")] = None,
    y: Annotated[str | None, parameter_option("Parameter on the y axis.")] = None,
    color: Annotated[
        str | None, parameter_option("Parameter shown by colors, with at most 12 values; for ecdf also loss_threshold.")
    ] = None,
    facet: Annotated[
        str | None, parameter_option("One or two parameters with a panel for each value (across, down).", "NAME[,NAME]")
    ] = None,
    value: Annotated[
        str | None,
        typer.Option(
            metavar="VALUE",
            autocompletion=complete_value,
            help="Statistic to draw: rate, median_steps, expected_steps (ERT), final_loss, max_error, n_correct, "
            "test_accuracy, test_loss, a recorded measure or another column of cells.parquet. What importance, "
            "curves and runs can draw is named below.",
        ),
    ] = None,
    at: AtOption = None,
    bands: Annotated[
        str | None,
        typer.Option(
            metavar="BANDS",
            help="95 % bands of curves: pointwise (at each step), or simultaneous (of the whole curve).",
        ),
    ] = None,
    parallel_runs: Annotated[
        str | None,
        typer.Option(
            metavar="K,K", help="Draw how often at least one of K parallel runs has converged, a curve for each K."
        ),
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Draw a figure of a result.

    Each kind of figure has some of these options, and refuses others.
    """
    texts = {"x": x, "y": y, "color": color, "facet": tuple(split_names(facet)) if facet else None, "bands": bands}
    _draw_figure(directory, out, kind, {**texts, "value": value, "at": at, "parallel_runs": parallel_runs})


def _draw_figure(directory: str, out: Path | None, kind: str, texts: dict[str, Any]) -> None:
    """Draw a figure with these options as written, and print the path of its file."""
    from sweep.errors import SweepError, unknown
    from sweep.figures import KINDS, draw, figure_path, save_figure
    from sweep.figures.channels import parse_counts
    from sweep.figures.statistics import drawable
    from sweep.results.answers import column_of
    from sweep.results.queries import explained_by
    from sweep.study.selection import parse_picks

    if kind not in KINDS:
        raise SweepError(unknown("figure", kind, list(KINDS)))
    read: dict[str, Any] = {"at": parse_picks, "parallel_runs": parse_counts}
    present = {name: text for name, text in texts.items() if text or text == ""}
    options = {name: read[name](text) if name in read else text for name, text in present.items()}
    written = local_path(directory, out)
    result = open_with_warning(directory)
    if "value" in options and KINDS[kind].shows_statistics:
        options["value"] = column_of(options["value"], explained_by() if kind == "importance" else drawable())
    name = f"{kind}_{options['value']}" if "value" in options else kind
    path = figure_path(written, name)
    save_figure(draw(result, kind, **options), path, name)
    print_text(f"figure in {one_line(path)}")
