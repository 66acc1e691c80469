"""The command line. Commands import heavy packages only when they need them."""

from __future__ import annotations

from typing import Annotated

import typer

from sweep.cli.arguments import StudyCommand
from sweep.cli.bench_command import bench
from sweep.cli.best_command import best
from sweep.cli.compare_command import compare
from sweep.cli.compile_command import compile_kernels
from sweep.cli.explain_command import explain
from sweep.cli.export_command import export
from sweep.cli.figure_command import FigureCommand, figure
from sweep.cli.merge_command import merge
from sweep.cli.plan_command import plan
from sweep.cli.report_command import report
from sweep.cli.run_command import run
from sweep.cli.schema_command import schema
from sweep.cli.show_command import show
from sweep.cli.studies_command import studies
from sweep.cli.trace_command import trace
from sweep.cli.usage import Commands
from sweep.cli.verify_command import verify
from sweep.cli.weights_command import weights

# Plain help, since rich takes as long to import as everything else.
app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 120},
)

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


app.command(cls=StudyCommand)(run)
app.command(cls=StudyCommand)(plan)
app.command(cls=StudyCommand)(trace)
app.command()(bench)
app.command()(studies)
app.command("compile", cls=StudyCommand)(compile_kernels)
app.command()(schema)
app.command()(explain)
app.command()(show)
app.command()(best)
app.command()(compare)
app.command(cls=FigureCommand)(figure)
app.command()(report)
app.command()(export)
app.command()(merge)
app.command()(weights)
app.command()(verify)
