"""The command that records the weights of a finished result."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from sweep.cli.arguments import OverwriteOption, PluginOption, ThreadsOption, interruptible
from sweep.system.escaping import one_line
from sweep.system.formatting import count_text
from sweep.system.wrapping import print_text


def weights(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="Results folder of a complete study.")],
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Folder for the result with weights. Default: DIR-weights.")
    ] = None,
    which: Annotated[
        Literal["final", "initial", "both", "best", "all"], typer.Option(help="Weights to record.")
    ] = "final",
    threads: ThreadsOption = None,
    overwrite: OverwriteOption = False,
    plugin: PluginOption = None,
) -> None:
    """Retrain the runs of a result, and record their weights.

    Also checks that each run ends as before.
    The same command resumes an interrupted one. Result.weights and sweep.predict use the weights in Python.
    """
    from sweep.training.second_pass import record_weights

    with interruptible("finished parts are kept; run the same command again to resume"):
        result = record_weights(directory, out, which, threads=threads, progress=True, overwrite=overwrite)
    runs, place = count_text(result.facts["n_runs"], "run"), one_line(str(result.place))
    print_text(f"{which} weights of {runs} in {place}; all rows equal those in {one_line(directory)}")
