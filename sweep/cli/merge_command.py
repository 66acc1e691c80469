"""The command that merges shards."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from sweep.cli.arguments import OverwriteOption
from sweep.errors import EXIT_PARTIAL
from sweep.system.escaping import one_line
from sweep.system.wrapping import print_text


def merge(
    sources: Annotated[list[str], typer.Argument(metavar="DIR..", help="Results folders of the same study.")],
    out: Annotated[str, typer.Option(help="Folder for the merged results.")],
    overwrite: OverwriteOption = False,
) -> None:
    """Merge shards (run --shard I/N) from several folders.

    Exit code 4: some runs are in none of the folders. Train them with sweep run STUDY --out and the new folder.
    """
    from sweep.terminal.printed import print_summary
    from sweep.training.merge import merge as merge_results

    result = merge_results([Path(source) for source in sources], out, overwrite=overwrite, progress=True)
    if not result.facts["n_runs"]:
        print_text("no folder has trained runs")
    else:
        print_summary(result)
    if result.complete:
        print_text(f"digest {one_line(result.facts['digest'])}")
    print_text(f"results in {one_line(out)}")
    if not result.complete:
        print_text(f"to train the missing runs, run the study with --out {one_line(quote(out))}", file=sys.stderr)
        sys.exit(EXIT_PARTIAL)
