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
    from sweep.training.trace import Trace

app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False)

_TRAINING = ("run", "trace", "verify", "bench")


def _print_version(asked: bool) -> None:
    if asked:
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
        typer.Option(metavar="DIR", help="Results folder, or s3://BUCKET/PREFIX; results/NAME by default."),
    ] = None,
    changes: SetOption = None,
    plugin: PluginOption = None,
    threads: Annotated[int | None, typer.Option(help="Threads; one per processor by default.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Remove earlier results in the folder first.")] = False,
    keep: Annotated[
        Literal["runs", "cells"], typer.Option(help="Keep a row per run, or only counts per cell (configuration).")
    ] = "runs",
    allow_runs: Annotated[int, typer.Option(metavar="N", help="Refuse studies of more than N runs.")] = 10**9,
    time_budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="Begin no more parts after this time: 90, 10m, 1.5h, 2d.")
    ] = None,
    max_runs: Annotated[
        int | None, typer.Option(metavar="N", help="Begin no more parts once N runs are trained or under way.")
    ] = None,
    reuse: Annotated[
        str | None,
        typer.Option(metavar="DIR,DIR", help="Copy identical runs from these results folders."),
    ] = None,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Train the I-th of N parts of the study, I from 1.")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Train on a dask cluster: tcp://HOST:PORT, tls://HOST:PORT or local:N."),
    ] = None,
) -> None:
    """Train every run of a study; the same command resumes an interrupted one.

    Exit code 4: a limit ended the run before all runs were trained; the partial result covers all cells evenly.
    """
    limits = {"max_runs": max_runs, "cluster": cluster, **_parsed(time_budget=time_budget, shard=shard, reuse=reuse)}
    loaded = load(study, changes)
    from sweep.store.location import files_at

    folder = files_at(Path("results") / loaded.name if out is None else out).place  # checked before any training
    if loaded.n_runs > allow_runs:
        raise StudyError(
            [f"{loaded.n_runs:,} runs asked for; more than {allow_runs:,} need --allow-runs {loaded.n_runs}"]
        )
    interpret_if_tiny(operations_of_study(loaded))
    from sweep.training.run import run as run_study

    try:
        with raise_on_interrupt():
            result = run_study(
                loaded, folder, threads, keep, progress=True, overwrite=overwrite, allow_runs=allow_runs, **limits
            )
    except KeyboardInterrupt:
        kept = f"finished parts are kept in {one_line(folder)}"
        print(f"interrupted; {kept}, {_same_command(overwrite)}", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    _tell(result, folder, shard)
    if result.facts.get("limited"):
        print(_same_command(overwrite), file=sys.stderr)
        sys.exit(EXIT_PARTIAL)


@app.command(cls=StudyCommand)
def plan(
    study: StudyArgument,
    changes: SetOption = None,
    plugin: PluginOption = None,
    every: Annotated[bool, typer.Option("--values", help="Print every value, however many an option has.")] = False,
    difference: Annotated[
        float | None,
        typer.Option(metavar="D", help="How many seeds per cell find this difference of two rates with 80 % power."),
    ] = None,
    ratio: Annotated[
        float | None,
        typer.Option(metavar="R", help="How many find this ratio of expected steps (ERT) with 80 % power."),
    ] = None,
    rate: Annotated[
        float, typer.Option(metavar="P", help="The convergence rate that --difference and --ratio assume.")
    ] = 0.5,
    steps: Annotated[
        float | None,
        typer.Option(
            metavar="N", help="The mean steps to converge that --ratio assumes; by default a tenth of the limit."
        ),
    ] = None,
    variation: Annotated[
        float, typer.Option(metavar="C", help="Standard deviation of these steps over their mean, as --ratio assumes.")
    ] = 1.0,
) -> None:
    """Show cells (configurations), runs, values, bytes and estimated seconds of a study; train nothing."""
    from sweep.terminal.plan import power_text, print_plan

    loaded = load(study, changes)
    told = power_text(loaded, difference, ratio, rate, steps, variation)
    print_plan(loaded, every=every)
    print(told, end="")


@app.command(cls=StudyCommand)
def trace(
    source: Annotated[
        str,
        typer.Argument(metavar="STUDY|DIR", help="Study of one cell (configuration); or results folder, with --run."),
    ],
    changes: SetOption = None,
    plugin: PluginOption = None,
    seed: Annotated[int | None, typer.Option(help="Seed; the first of the study by default.")] = None,
    number: Annotated[
        int | None, typer.Option("--run", metavar="ID", help="Run of a results folder to replay.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw losses, weights and outputs into this file too.")
    ] = None,
) -> None:
    """Replay one run: print every loss, the predictions and the weights.

    With a results folder the run is compared with its stored row; exit code 3 if a bit differs.
    """
    if figure is not None:
        from sweep.figures.files import figure_path

        figure = figure_path(figure, "run")  # checked before any training
    if number is None:
        if address_of(source) or os.path.isfile(Path(source) / "study.toml"):
            raise StoreError(f"{source!r} is a results folder; name one of its runs with --run ID")
        loaded = load(source, changes)
        interpret_if_tiny(_operations_of_trace(loaded, figure))
        from sweep.training.trace import trace as replay

        traced = replay(loaded, seed)
    else:
        if changes or seed is not None:
            raise StoreError("--run replays a stored run as it is; --set and --seed are options for a study")
        from sweep.results.result import open_result

        result = open_result(source, partial=True)
        interpret_if_tiny(_operations_of_trace(result.study, figure))
        from sweep.training.trace import trace as replay

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
    """Return the nominal operations of a run that is trained twice, and for its figure once to each of some steps."""
    return operations_of_runs(study, 2 if figure is None else 32)


@app.command()
def bench(
    peers: Annotated[str | None, typer.Option(metavar="A,B", help="Other libraries; all by default.")] = None,
    case: Annotated[str | None, typer.Option(metavar="C,C", help="Cases, such as xor-adam; all by default.")] = None,
    hidden: Annotated[
        str | None, typer.Option(metavar="H,H", help="Hidden sizes; 2,8,32 by default (case xor).")
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(metavar="D,D", help="float64, float32; both by default (case xor).")
    ] = None,
    activation: Annotated[
        str | None, typer.Option(metavar="A,A", help="relu, tanh, sigmoid; relu,tanh by default (case xor).")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Short measurements; case xor, hidden 2, float64 by default.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for table, figure and JSON.")] = Path("results/bench"),
    threads: Annotated[int | None, typer.Option(help="Threads of each library; one per processor by default.")] = None,
) -> None:
    """Train the same networks with xor-sweep and other libraries, alternately, and compare the speed."""
    from sweep.bench.command import bench as run_bench

    folder = local_folder(out)
    try:
        with raise_on_interrupt():
            agreed = run_bench(
                peers, case, hidden, dtype, activation, quick=quick, as_json=as_json, out=folder, threads=threads
            )
    except KeyboardInterrupt:
        print(f"interrupted; what was measured is in {one_line(folder)}", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    if not agreed:
        print("error: a peer's losses differ from xor-sweep's, so its speed is not comparable", file=sys.stderr)
        sys.exit(EXIT_FAILED)


def _parsed(**texts: str | None) -> dict[str, Any]:
    """Return the parsed values of the options that were given."""
    from sweep.training.limits import parse_duration, parse_places, parse_shard

    parsers = {"time_budget": parse_duration, "shard": parse_shard, "reuse": parse_places}
    return {name: parsers[name](text) for name, text in texts.items() if text is not None}


def _tell(result: Result, folder: str, part: str | None) -> None:
    """Print the summary of a result after training."""
    from sweep.terminal.cells import print_summary

    if not result.facts["n_runs"]:
        compiled = "nothing is trained yet: the time was over while kernels were compiled, which are kept"
        print(compiled if result.facts.get("limited") else f"nothing to train: part {part} has no part")
        return
    print_summary(result)
    if result.complete:
        print(f"digest {one_line(result.facts['digest'])}")
    print(f"results in {one_line(folder)}")


def _same_command(overwrite: bool) -> str:
    """Return the clause on how to resume."""
    return f"the same command {'without --overwrite ' if overwrite else ''}goes on"


def _draw_run(traced: Trace, path: Path) -> None:
    """Write the figure of a run to a file."""
    from sweep.figures.files import save_figure
    from sweep.figures.run import draw_run
    from sweep.training.trajectory import outputs_plane, weights_path

    save_figure(draw_run(traced, weights_path(traced), outputs_plane(traced)), path)
    print(f"figure in {one_line(path)}", file=sys.stderr)


app.add_typer(studies.app)
app.add_typer(results.app)
app.add_typer(outputs.app)
app.add_typer(folders.app)
