"""The command that ranks the cells of a result."""

from __future__ import annotations

from typing import Annotated

import typer

from sweep.cli.arguments import AtOption, DirectoryArgument, PluginOption, TopOption, open_with_warning, split_names
from sweep.cli.completions import complete_by


def best(
    directory: DirectoryArgument,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME",
            autocompletion=complete_by,
            help="Statistic to rank by: rate, expected_steps (ERT), median_steps, final_loss, max_error (largest error "
            "of an output), n_correct (correct outputs), test_accuracy, test_loss or a recorded measure. Default: "
            "accuracy or loss of validation patterns, else of test patterns, else rate, or final_loss without a "
            "criterion. With parameters, as in optimizer,final_loss: the best cell for each of their values.",
        ),
    ] = None,
    top: TopOption = None,
    at: AtOption = None,
    plugin: PluginOption = None,
) -> None:
    """Rank the cells (configurations) and test which may be the best."""
    from sweep.study.selection import parse_picks
    from sweep.terminal.printed import print_best

    print_best(open_with_warning(directory), split_names(by) if by else (), top, parse_picks(at) if at else None)
