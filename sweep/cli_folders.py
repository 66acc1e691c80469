"""The commands that put results folders together, check them and mend them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sweep.errors import EXIT_PARTIAL

app = typer.Typer()


@app.command()
def merge(
    sources: Annotated[list[str], typer.Argument(metavar="DIR..", help="Results folders of one study.")],
    out: Annotated[str, typer.Option(help="Results folder for the whole.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Remove earlier results in the folder first.")] = False,
) -> None:
    """Put together parts of one study that were trained in folders of their own (run --shard I/N).

    Exit code 4: parts are missing in all of them; running the study in the new folder trains these.
    """
    from sweep.merging import merge as merge_results
    from sweep.terminal.cells import print_summary

    result = merge_results([Path(source) for source in sources], out, overwrite=overwrite, progress=True)
    print_summary(result)
    if result.complete:
        print(f"digest {result.facts['digest']}")
    print(f"results in {out}")
    if not result.complete:
        print(f"to train what is missing, run the study with --out {out}", file=sys.stderr)
        sys.exit(EXIT_PARTIAL)
