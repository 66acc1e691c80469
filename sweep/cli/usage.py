"""Usage errors. Their messages repeat arguments, such as odd names of folders, and are therefore escaped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup

from sweep.system.escaping import one_line

# The class of click; typer may have its own copy.
_UsageError: Any = typer.BadParameter.__bases__[0]


class Commands(TyperGroup):
    """Commands that escape their usage errors, because typer bypasses the streams that escape output."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the options before a command."""
        return _escape_errors(super().make_context, *args, **kwargs)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that arguments name."""
        if args[0] == "words":
            ctx.fail("'sweep words' is called 'sweep explain' since 0.1")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Read the options of a command, and run it."""
        return _escape_errors(super().invoke, ctx)


def _escape_errors(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function, and escape the message of a usage error."""
    try:
        return call(*args, **kwargs)
    except _UsageError as error:
        error.message = one_line(error.message)
        raise
