"""The commands that put results folders together, check them and mend them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sweep.errors import EXIT_DAMAGED, EXIT_PARTIAL, SweepError

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
    if not result.facts["n_runs"]:
        print("no run is trained in any of them")
    else:
        print_summary(result)
    if result.complete:
        print(f"digest {result.facts['digest']}")
    print(f"results in {out}")
    if not result.complete:
        print(f"to train what is missing, run the study with --out {out}", file=sys.stderr)
        sys.exit(EXIT_PARTIAL)


@app.command()
def verify(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="Results folder, of a finished study or a part.")],
    sample: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="Train N runs, spread over the study, again (of a part those it has); compare bits.",
        ),
    ] = 0,
    every: Annotated[bool, typer.Option("--all", help="Train all runs again and compare bit by bit.")] = False,
    mend: Annotated[
        bool, typer.Option("--repair", help="Train again what is damaged, and remove what killed processes have left.")
    ] = False,
    study: Annotated[
        str | None, typer.Option(metavar="STUDY", help="With --repair: the study, if study.toml is damaged.")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads; all processors by default.")] = None,
) -> None:
    """Check a results folder: every run is there once, as it was written, and as training gives it.

    Exit code 0: intact, or repaired; 1: damaged.
    """
    from sweep.load import load_study
    from sweep.verification.check import verify as verify_folder
    from sweep.verification.repair import repair
    from sweep.wording import count_text

    if study is not None and not mend:
        raise SweepError("--study restores a damaged study.toml and goes with --repair")
    chosen = -1 if every else sample
    if mend:
        given = None if study is None else load_study(study)
        found = repair(directory, study=given, sample=chosen, threads=threads, progress=True)
    else:
        found = verify_folder(directory, sample=chosen, threads=threads, progress=True)
    for fault in found.faults:
        print(f"{'repaired' if mend else 'damaged'}: {fault}")
    if found.unchecked:
        unchecked = count_text(len(found.unchecked), "part")
        print(f"not checked: {unchecked} of later rounds, which follow from those before")
    if found.n_untold:
        print(
            f"not told: by which numerics and logarithm {count_text(found.n_untold, 'part')} "
            "were trained, whose commits an older version wrote"
        )
    if found.leftovers and mend:
        print(f"removed: {count_text(len(found.leftovers), 'file')} that killed processes had left")
    elif found.leftovers:
        print(
            f"not part of the results: {count_text(len(found.leftovers), 'file')} of a run under way, or left by "
            "killed processes; they do no harm, and --repair removes those that no run can be writing"
        )
    if found.faults and not mend:
        restored = " --study STUDY" if any("study.toml" in fault for fault in found.faults) else ""
        print(
            f"{count_text(len(found.faults), 'fault')}; sweep verify {directory} --repair{restored} trains again what "
            "is damaged, and no more"
        )
        sys.exit(EXIT_DAMAGED)
    how = "to be compared" if found.faults else "with the same bits"
    again = f"; {found.n_retrained:,} trained again, {how}" if found.n_retrained else ""
    print(f"intact: {count_text(found.n_runs, 'run')} in {count_text(len(found.commits), 'part')}{again}")
