"""The command line. Commands import heavy packages only when they need them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sweep.cli import folders, outputs, results, studies
from sweep.cli.interpreted import interpret_if_tiny, operations_of_runs, operations_of_study
from sweep.cli.studies import PluginOption, SetOption, StudyArgument, StudyCommand, load
from sweep.cli.usage import Commands
from sweep.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_MISMATCH, EXIT_PARTIAL, StoreError, StudyError
from sweep.system.escaping import one_line
from sweep.system.signals import raise_on_interrupt
from sweep.system.user_paths import address_of, local_folder

if TYPE_CHECKING:
    from sweep.results.result import Result
    from sweep.study.model import Study
    from sweep.training.networks.trace import Trace

app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False)

_TRAINING = ("run", "trace", "verify", "bench")


def _print_version(requested: bool) -> None:
    if requested:
        from kernels import NUMERICS
        from sweep.system.version import __version__

        print(f"xor-sweep {__version__} (numerics version {NUMERICS})")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Exact, massive convergence studies of small neural networks."""
    if context.invoked_subcommand in _TRAINING:
        from sweep.system.host import check_addresses

        check_addresses()


@app.command(cls=StudyCommand)
def run(
    study: StudyArgument,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Results folder, or s3://BUCKET/PREFIX. Default: results/NAME."),
    ] = None,
    changes: SetOption = None,
    plugin: PluginOption = None,
    threads: Annotated[int | None, typer.Option(help="Number of threads. Default: one per processor.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Delete earlier results in the folder first.")] = False,
    keep: Annotated[
        Literal["runs", "cells"], typer.Option(help="Store a row per run, or only counts per cell (configuration).")
    ] = "runs",
    allow_runs: Annotated[int, typer.Option(metavar="N", help="Refuse studies of more than N runs.")] = 10**9,
    time_budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="Start no new part after this time: 90 (seconds), 10m, 1.5h, 2d.")
    ] = None,
    max_runs: Annotated[
        int | None, typer.Option(metavar="N", help="Start no new part once N runs are trained or under way.")
    ] = None,
    reuse: Annotated[
        str | None,
        typer.Option(metavar="DIR,DIR", help="Copy identical runs from these results folders."),
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

    Exit code 4: a limit stopped the training early. The partial result covers all cells evenly.
    """
    limits = {"max_runs": max_runs, "cluster": cluster, **_parsed(time_budget=time_budget, shard=shard, reuse=reuse)}
    loaded = load(study, changes)
    from sweep.store.location import files_at

    folder = files_at(Path("results") / loaded.name if out is None else out).place  # checked before any training
    if loaded.n_runs > allow_runs:
        many = f"the study has {loaded.n_runs:,} runs, more than {allow_runs:,}"
        raise StudyError([f"{many}; allow them with --allow-runs {loaded.n_runs}"])
    interpret_if_tiny(operations_of_study(loaded))
    from sweep.training.run import run as run_study

    try:
        with raise_on_interrupt():
            result = run_study(
                loaded, folder, threads, keep, progress=True, overwrite=overwrite, allow_runs=allow_runs, **limits
            )
    except KeyboardInterrupt:
        kept = f"finished parts are kept in {one_line(folder)}"
        print(f"interrupted; {kept}; {_how_to_resume(overwrite)}", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    _print_outcome(result, folder, shard)
    if result.facts.get("limited"):
        print(_how_to_resume(overwrite), file=sys.stderr)
        sys.exit(EXIT_PARTIAL)


@app.command(cls=StudyCommand)
def plan(
    study: StudyArgument,
    changes: SetOption = None,
    plugin: PluginOption = None,
    every: Annotated[bool, typer.Option("--values", help="Print all values of each option, however many.")] = False,
    difference: Annotated[
        float | None,
        typer.Option(metavar="D", help="Print the seeds per cell that detect this rate difference with 80 % power."),
    ] = None,
    ratio: Annotated[
        float | None,
        typer.Option(metavar="R", help="Print the seeds per cell that detect this ratio of ERTs with 80 % power."),
    ] = None,
    rate: Annotated[
        float, typer.Option(metavar="P", help="Convergence rate that --difference and --ratio assume.")
    ] = 0.5,
    steps: Annotated[
        float | None,
        typer.Option(metavar="N", help="Mean steps to converge that --ratio assumes. Default: a tenth of the limit."),
    ] = None,
    variation: Annotated[
        float, typer.Option(metavar="C", help="Coefficient of variation of these steps that --ratio assumes.")
    ] = 1.0,
) -> None:
    """Show the cells (configurations), runs, values, bytes and estimated time of a study without training it."""
    from sweep.terminal.plan import power_text, print_plan

    loaded = load(study, changes)
    power = power_text(loaded, difference, ratio, rate, steps, variation)
    print_plan(loaded, every=every)
    print(power, end="")


@app.command(cls=StudyCommand)
def trace(
    source: Annotated[
        str,
        typer.Argument(metavar="STUDY|DIR", help="Study of one cell (configuration), or results folder with --run."),
    ],
    changes: SetOption = None,
    plugin: PluginOption = None,
    seed: Annotated[int | None, typer.Option(help="Seed to train. Default: the first seed of the study.")] = None,
    number: Annotated[
        int | None, typer.Option("--run", metavar="ID", help="Run of the results folder to replay.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw losses, weights and outputs into this file.")
    ] = None,
) -> None:
    """Replay one run. Print every loss, the predictions and the weights.

    With a results folder, also compare the run with its stored row. Exit code 3: they differ.
    """
    if figure is not None:
        from sweep.figures.files import figure_path

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
        print(f"mismatch: {name} is {traced.row[name]!r}, stored as {stored!r}", file=sys.stderr)
    if traced.mismatches:
        sys.exit(EXIT_MISMATCH)
    if number is not None:
        print(f"run {number} is equal to its stored row", file=sys.stderr)


def _operations_of_trace(study: Study, figure: Path | None) -> float:
    """Return the nominal operations of a trace, which trains the run twice, and more often for a figure."""
    return operations_of_runs(study, 2 if figure is None else 32)


@app.command()
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
    """Train the same networks with xor-sweep and other libraries in turn, and compare the speed."""
    from sweep.bench.command import bench as run_bench

    folder = local_folder(out)
    try:
        with raise_on_interrupt():
            agreed = run_bench(
                peers, case, hidden, dtype, activation, quick=quick, as_json=as_json, out=folder, threads=threads
            )
    except KeyboardInterrupt:
        print(f"interrupted; the measurements so far are in {one_line(folder)}", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    if not agreed:
        print("error: a peer's losses differ from xor-sweep's, so its speed is not comparable", file=sys.stderr)
        sys.exit(EXIT_FAILED)


def _parsed(**texts: str | None) -> dict[str, Any]:
    """Return the parsed values of the options that are present."""
    from sweep.training.limits import parse_duration, parse_places, parse_shard

    parsers = {"time_budget": parse_duration, "shard": parse_shard, "reuse": parse_places}
    return {name: parsers[name](text) for name, text in texts.items() if text is not None}


def _print_outcome(result: Result, folder: str, shard: str | None) -> None:
    """Print the summary of a result after training."""
    from sweep.terminal.cells import print_summary

    if not result.facts["n_runs"]:
        late = "nothing is trained yet: the time budget ended while kernels were compiled; the kernels are kept"
        print(late if result.facts.get("limited") else f"nothing to train: shard {shard} has no runs")
        return
    print_summary(result)
    if result.complete:
        print(f"digest {one_line(result.facts['digest'])}")
    print(f"results in {one_line(folder)}")


def _how_to_resume(overwrite: bool) -> str:
    return f"run the same command{' without --overwrite' if overwrite else ''} again to resume"


def _draw_run(traced: Trace, path: Path) -> None:
    from sweep.figures.files import save_figure
    from sweep.figures.traced_run import draw_run
    from sweep.training.networks.trajectory import outputs_plane, weights_path

    save_figure(draw_run(traced, weights_path(traced), outputs_plane(traced)), path)
    print(f"figure in {one_line(path)}", file=sys.stderr)


app.add_typer(studies.app)
app.add_typer(results.app)
app.add_typer(outputs.app)
app.add_typer(folders.app)
