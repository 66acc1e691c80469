"""The command that explains an option, a section, a component, a task or a statistic."""

from __future__ import annotations

import shutil
from typing import Annotated

import typer

from sweep.cli.arguments import PluginOption
from sweep.cli.completions import complete_option


def explain(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Option, value, section, measure, statistic or term, such as adam. Default: all options.",
            autocompletion=complete_option,
        ),
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Explain an option, component, task, measure, statistic or term."""
    from sweep.cli.explanation import explanation

    print(explanation(name, min(shutil.get_terminal_size().columns, 120)))
