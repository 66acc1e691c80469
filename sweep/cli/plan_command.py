"""The command that shows what a study trains."""

from __future__ import annotations

from typing import Annotated

import typer

from sweep.cli.arguments import PluginOption, SetOption, StudyArgument, load


def plan(
    study: StudyArgument,
    changes: SetOption = None,
    plugin: PluginOption = None,
    every: Annotated[bool, typer.Option("--values", help="Print all values of each option, however many.")] = False,
    difference: Annotated[
        float | None,
        typer.Option(
            metavar="D", help="Print the seeds per cell that detect this difference of rates with 80 % power."
        ),
    ] = None,
    ratio: Annotated[
        float | None,
        typer.Option(
            metavar="R", help="Print the seeds per cell that detect this ratio of expected steps (ERT) with 80 % power."
        ),
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
    from sweep.terminal.plan_page import power_text, print_plan

    loaded = load(study, changes)
    power = power_text(loaded, difference, ratio, rate, steps, variation)
    print_plan(loaded, every=every)
    print(power, end="")
