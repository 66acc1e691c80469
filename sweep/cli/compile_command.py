"""The command that compiles the kernels of a study."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sweep.cli.arguments import PluginOption, SetOption, StudyArgument, interruptible, load
from sweep.system.wrapping import print_text


def compile(
    study: StudyArgument,
    changes: SetOption = None,
    plugin: PluginOption = None,
    processes: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Number of processes. Default: one per processor.")
    ] = None,
) -> None:
    """Compile the kernels (training code) of a study in advance.

    Kernels stay in the cache of this machine, so training starts at once.
    """
    from sweep.system.host import available_threads
    from sweep.training.compiling.compiler_pool import compile_study

    def print_progress(n_done: int, n_items: int) -> None:
        if n_items:
            print_text(f"compiled {n_done} of {n_items}", file=sys.stderr)

    loaded = load(study, changes)
    with interruptible("compiled kernels are kept; run the same command again to resume"):
        n_items = compile_study(loaded, processes or available_threads(), print_progress)
    print_text(f"{n_items} compiled" if n_items else "nothing to compile: the cache has all kernels of this study")
