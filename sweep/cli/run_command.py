"""The command that trains a study."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sweep.cli.arguments import (
    OverwriteOption,
    PluginOption,
    SetOption,
    StudyArgument,
    ThreadsOption,
    interruptible,
    load,
)
from sweep.cli.interpreted import interpret_if_tiny, operations_of_study
from sweep.errors import EXIT_PARTIAL
from sweep.system.escaping import one_line
from sweep.system.wrapping import print_text
from sweep.training.run_options import MAX_RUNS, parse_places, parse_shard

if TYPE_CHECKING:
    from sweep.results.result import Result


def run(
    study: StudyArgument,
    changes: SetOption = None,
    plugin: PluginOption = None,
    *,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Results folder, or s3://BUCKET/PREFIX. Default: results/NAME.")
    ] = None,
    threads: ThreadsOption = None,
    keep: Annotated[
        Literal["runs", "cells"], typer.Option(help="Store a row per run, or only counts per cell (configuration).")
    ] = "runs",
    overwrite: OverwriteOption = False,
    allow_runs: Annotated[int, typer.Option(metavar="N", help="Allow studies of up to N runs.")] = MAX_RUNS,
    time_budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="Time limit of this call: 90 (seconds), 10m, 1.5h or 2d.")
    ] = None,
    max_runs: Annotated[int | None, typer.Option(metavar="N", help="Limit of runs to train in this call.")] = None,
    reuse: Annotated[
        str | None, typer.Option(metavar="DIR,DIR", help="Copy runs that these results folders have already.")
    ] = None,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Train shard I of N of the study; I counts from 1.")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Train on a dask cluster: tcp://HOST:PORT, tls://HOST:PORT or local:N."),
    ] = None,
) -> None:
    """Train all runs of a study. The same command resumes an interrupted study.

    At a limit (--time-budget, --max-runs), training ends after the parts (groups of runs) under way, with exit code 4.
    The partial result then has about the same number of runs of each cell, except with --shard.
    """
    from sweep.store.local import files_at

    loaded = load(study, changes)
    folder = files_at(Path("results") / loaded.name if out is None else out).place
    of_shards = (1, 1) if shard is None else parse_shard(shard)
    places = parse_places(reuse) if reuse is not None else ()
    interpret_if_tiny(operations_of_study(loaded))
    from sweep.training.run import run as run_study

    how_to_resume = f"run the same command{' without --overwrite' if overwrite else ''} again to resume"
    with interruptible(f"finished parts are kept in {one_line(folder)}; {how_to_resume}"):
        result = run_study(
            loaded,
            folder,
            threads,
            keep,
            progress=True,
            overwrite=overwrite,
            allow_runs=allow_runs,
            time_budget=time_budget,
            max_runs=max_runs,
            reuse=places,
            shard=of_shards,
            cluster=cluster,
        )
    _print_outcome(result, folder, of_shards)
    if result.facts.get("limited"):
        print_text(how_to_resume, file=sys.stderr)
        sys.exit(EXIT_PARTIAL)


def _print_outcome(result: Result, folder: str, shard: tuple[int, int]) -> None:
    """Print the summary of a result after training."""
    from sweep.terminal.printed import print_summary

    if not result.facts["n_runs"]:
        late = "nothing is trained yet: the time budget ended while kernels were compiled; the kernels are kept"
        none = f"nothing to train: shard {shard[0]}/{shard[1]} has no runs"
        print_text(late if result.facts.get("limited") else none)
        return
    print_summary(result)
    if result.complete:
        print_text(f"digest {one_line(result.facts['digest'])}")
    print_text(f"results in {one_line(folder)}")
