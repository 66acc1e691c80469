"""The command that compares speeds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sweep.cli.arguments import interruptible
from sweep.errors import EXIT_FAILED
from sweep.system.escaping import one_line
from sweep.system.user_files import local_folder


def bench(
    peers: Annotated[str | None, typer.Option(metavar="A,B", help="Libraries to compare with. Default: all.")] = None,
    case: Annotated[str | None, typer.Option(metavar="C,C", help="Cases, such as xor-adam. Default: all.")] = None,
    hidden: Annotated[
        str | None, typer.Option(metavar="H,H", help="Hidden units of case xor. Default: 2,8,32.")
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(metavar="D,D", help="float64 or float32, for case xor. Default: both.")
    ] = None,
    activation: Annotated[
        str | None, typer.Option(metavar="A,A", help="relu, tanh or sigmoid, for case xor. Default: relu,tanh.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Measure briefly. Default: case xor, 2 hidden units, float64.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("results/bench"),
    threads: Annotated[int | None, typer.Option(help="Threads of each library. Default: one per processor.")] = None,
) -> None:
    """Compare the speed of xor-sweep with that of other libraries.

    All train the same networks, in turn.
    """
    from sweep.bench.command import bench as run_bench

    folder = local_folder(out)
    with interruptible(f"the measurements so far are in {one_line(folder)}"):
        agreed = run_bench(
            peers, case, hidden, dtype, activation, quick=quick, as_json=as_json, out=folder, threads=threads
        )
    if not agreed:
        print("error: a peer's losses differ from xor-sweep's, so its speed is not comparable", file=sys.stderr)
        sys.exit(EXIT_FAILED)
