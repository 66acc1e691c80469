"""The command that shows maps of a study in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sweep.cli.arguments import PluginOption, SetOption
from sweep.cli.completions import complete_map_value, parameter_option

# Levels of an exported map, without --levels: 85 tiles.
_LEVELS = 3


def explore(
    source: Annotated[
        str, typer.Argument(metavar="STUDY|DIR", help="Study whose options the map varies, or results folder to show.")
    ],
    changes: SetOption = None,
    plugin: PluginOption = None,
    x: Annotated[str | None, parameter_option("Option on the x axis.")] = None,
    y: Annotated[str | None, parameter_option("Option on the y axis.")] = None,
    value: Annotated[
        str | None,
        typer.Option(
            metavar="VALUE",
            autocompletion=complete_map_value,
            help="What pixels show, such as status, steps or final_loss; of results, a statistic such as rate.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder in which each tile has its results folder.")] = Path(
        "results/explore"
    ),
    threads: Annotated[int | None, typer.Option(help="Number of threads. Default: one per processor.")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port. Default: the same as last time, or a free one.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the map as files for any web server, and serve nothing.")
    ] = None,
    levels: Annotated[
        int | None, typer.Option(help=f"With --export: write all tiles of levels 0 to this one. Default: {_LEVELS}.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="LEVEL/COLUMN/ROW",
            help="With --export: also write the tiles around a pixel from the level after --levels down to its own. "
            "LEVEL, COLUMN and ROW are z, column and row in the address of the page.",
        ),
    ] = None,
    networks: Annotated[
        list[str] | None,
        typer.Option(
            "--network",
            metavar="LEVEL/COLUMN/ROW",
            help="With --export: also write the loss curve and weights of a pixel's network.",
        ),
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the browser.")] = True,
) -> None:
    """Show a map of two options; each pixel is a network.

    The browser shows the map as tiles of 256 x 256 pixels, which are trained when they come into view, and kept.
    Level 0 is one tile, the whole map; each further level halves the size of a pixel, as far as float64 allows.
    A click on a pixel shows the loss curve, weights and outputs of its network.
    For a results folder, the page first shows a statistic over two swept options, and tables of selected cells.
    The server answers only this machine; Ctrl-C ends it.
    """
    from sweep.errors import SweepError
    from sweep.explore.flight import Flight, Pixel
    from sweep.explore.serve import Wanted, export_map, serve
    from sweep.study.load import parse_changes

    query = {name: text for name, text in (("x", x), ("y", y), ("value", value)) if text}
    wanted = Wanted(source, tuple(plugin or ()), parse_changes(changes or []), query, out, threads)
    if export is None:
        for option, selected in (("--levels", levels), ("--to", target), ("--network", networks or None)):
            if selected is not None:
                raise SweepError(f"{option}: selects what --export writes; add --export DIR, or leave out {option}")
        serve(wanted, port, opens=open_browser)
    else:
        if port is not None:
            raise SweepError("--port: has no effect with --export, which serves nothing; leave out one of them")
        pixels = tuple(map(Pixel.parse, networks or []))
        to = None if target is None else Pixel.parse(target)
        flight = Flight(_LEVELS if levels is None else levels, to, pixels)
        export_map(wanted, flight, export)
