"""The command line. Commands import heavy packages only when they need them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from shutil import get_terminal_size
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from sweep.cli.arguments import FigureCommand, StudyCommand
from sweep.system.escaping import one_line
from sweep.system.wrapping import wrapped

# The class of click; typer may have its own copy.
_UsageError: Any = typer.BadParameter.__bases__[0]


class Commands(TyperGroup):
    """Commands that escape their usage errors, because typer bypasses the streams that escape output."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the options before a command."""
        return _escape_errors(super().make_context, *args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Read the options of a command, and run it."""
        return _escape_errors(super().invoke, ctx)


def _escape_errors(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return call(*args, **kwargs)
    except _UsageError as error:
        error.message = wrapped(one_line(error.message), get_terminal_size().columns)
        raise


# The class of each command, whose function has its name in the module NAME_command.
COMMANDS: dict[str, type[TyperCommand]] = {
    **dict.fromkeys(("run", "plan", "trace"), StudyCommand),
    **dict.fromkeys(("bench", "studies", "reproduce"), TyperCommand),
    "compile": StudyCommand,
    **dict.fromkeys(("schema", "explain", "show", "best", "compare"), TyperCommand),
    "figure": FigureCommand,
    "explore": StudyCommand,
    **dict.fromkeys(("report", "export", "merge", "weights", "verify"), TyperCommand),
}

_TRAINING = ("run", "trace", "verify", "bench", "reproduce", "explore")


def app() -> None:
    """Run the command line. If it names a command, only that one is made, since all of them take 0.1 s."""
    named = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), "")
    completes = any(name.endswith("_COMPLETE") for name in os.environ)
    make_app([named] if named in COMMANDS and not completes else COMMANDS)()


def make_app(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """Return the command line with some commands, by default all."""
    made = typer.Typer(
        cls=Commands,
        invoke_without_command=True,
        rich_markup_mode=None,  # plain help, since rich takes as long to import as everything else
        pretty_exceptions_enable=False,
        context_settings={"terminal_width": min(get_terminal_size().columns, 120) - 2},  # click's own is 50 at least
    )
    made.callback()(options)
    for name in names:
        module = import_module(f"sweep.cli.{name}_command")
        made.command(name, cls=COMMANDS[name])(getattr(module, name))
    return made


def _print_version(requested: bool) -> None:
    if requested:
        from kernels import NUMERICS
        from sweep.system.version import __version__

        print(f"xor-sweep {__version__} (numerics version {NUMERICS})")
        raise typer.Exit


def options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Train many small neural networks, and measure how often and how fast they learn."""
    if context.invoked_subcommand is None:
        print(context.get_help())
    if context.invoked_subcommand in _TRAINING:
        from sweep.system.host import check_addresses

        check_addresses()
