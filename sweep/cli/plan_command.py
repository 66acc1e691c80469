"""The command that shows what a study trains."""

from __future__ import annotations

from typing import Annotated

import typer

from sweep.cli.arguments import PluginOption, SetOption, StudyArgument, load


def plan(
    study: StudyArgument,
    changes: SetOption = None,
    plugin: PluginOption = None,
    every: Annotated[bool, typer.Option("--values", help="Print all values of each option, with all digits.")] = False,
    difference: Annotated[
        float | None,
        typer.Option(
            metavar="D",
            help="Print the seeds per cell that detect a difference D of two rates, such as 0.05 (5 percentage "
            "points), with 80 % power.",
        ),
    ] = None,
    ratio: Annotated[
        float | None,
        typer.Option(
            metavar="R",
            help="Print the seeds per cell that detect a ratio R of expected steps (ERT), such as 0.8, with 80 % "
            "power.",
        ),
    ] = None,
    rate: Annotated[
        float,
        typer.Option(metavar="P", help="With --difference: mean of both rates. With --ratio: rate of both cells."),
    ] = 0.5,
    steps: Annotated[
        float | None,
        typer.Option(
            metavar="N", help="With --ratio: mean steps to converge. Default: a tenth of the study's step limit."
        ),
    ] = None,
    variation: Annotated[
        float, typer.Option(metavar="C", help="With --ratio: standard deviation of these steps, divided by their mean.")
    ] = 1.0,
) -> None:
    """Show what a study would train, without training it.

    Shows cells (configurations), runs, memory, disk space, estimated time and the values of all options.
    """
    from sweep.terminal.plan_page import power_text, print_plan

    loaded = load(study, changes)
    power = power_text(loaded, difference, ratio, rate, steps, variation)
    print_plan(loaded, every=every)
    print(power, end="")
