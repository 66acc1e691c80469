"""The command that trains one run again, step by step."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.cli.arguments import PluginOption, SetOption, load
from sweep.cli.interpreted import interpret_if_tiny, operations_of_runs
from sweep.errors import EXIT_MISMATCH, StoreError
from sweep.system.escaping import one_line
from sweep.system.user_files import address_of
from sweep.system.wrapping import print_text

if TYPE_CHECKING:
    from sweep.study.model import Study
    from sweep.training.networks.trace import Trace


def trace(
    source: Annotated[
        str,
        typer.Argument(
            metavar="STUDY|DIR", help="Study of one cell (configuration), or a results folder together with --run."
        ),
    ],
    changes: SetOption = None,
    plugin: PluginOption = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the study to train. Default: its first one.")] = None,
    number: Annotated[
        int | None,
        typer.Option(
            "--run",
            metavar="ID",
            help="Stored run to replay, by its number in column run: cell * seeds.count + seed - seeds.base.",
        ),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw losses, weights and outputs into this file.")
    ] = None,
) -> None:
    """Replay one run: print its losses, outputs and weights.

    With a results folder, also compare the run with its stored row.
    Exit code 3: the run differs from its row.
    """
    if figure is not None:
        from sweep.figures.canvas import figure_path

        figure = figure_path(figure, "run")  # checked before any training
    if number is None:
        if address_of(source) or os.path.isfile(Path(source) / "study.toml"):
            raise StoreError(f"{source!r} is a results folder; name one of its runs with --run ID")
        loaded = load(source, changes)
        interpret_if_tiny(_operations_of_trace(loaded, figure))
        from sweep.training.networks.trace import trace as replay

        traced = replay(loaded, seed)
    else:
        if changes or seed is not None:
            raise StoreError("--run replays a stored run unchanged; leave out --set and --seed, or trace a study")
        from sweep.results.result import open_result

        result = open_result(source, partial=True)
        interpret_if_tiny(_operations_of_trace(result.study, figure))
        from sweep.training.networks.trace import trace as replay

        traced = replay(result, number)
    print(traced.text(), end="")
    if figure is not None:
        _draw_run(traced, figure)
    for name, stored in traced.mismatches.items():
        print_text(f"mismatch: {name} is {traced.row[name]!r}, stored as {stored!r}", file=sys.stderr)
    if traced.mismatches:
        sys.exit(EXIT_MISMATCH)
    if number is not None:
        print_text(f"run {number} is equal to its stored row", file=sys.stderr)


def _operations_of_trace(study: Study, figure: Path | None) -> float:
    """Return the nominal operations of a trace, which trains the run twice, and more often for a figure."""
    return operations_of_runs(study, 2 if figure is None else 32)


def _draw_run(traced: Trace, path: Path) -> None:
    from sweep.figures.canvas import save_figure
    from sweep.figures.traced_run import draw_run
    from sweep.training.networks.trajectory import outputs_plane, weights_path

    save_figure(draw_run(traced, weights_path(traced), outputs_plane(traced)), path)
    print_text(f"figure in {one_line(path)}", file=sys.stderr)
