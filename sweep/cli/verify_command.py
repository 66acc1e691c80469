"""The command that checks and repairs results folders."""

from __future__ import annotations

import sys
from math import inf
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.cli.arguments import PluginOption, ThreadsOption
from sweep.cli.interpreted import interpret_if_tiny, operations_of_runs
from sweep.errors import EXIT_DAMAGED, StoreError, SweepError
from sweep.system.escaping import one_line
from sweep.system.formatting import count_text
from sweep.system.wrapping import print_text

if TYPE_CHECKING:
    from sweep.verification.findings import Findings


def _operations_of_sample(directory: str, sample: int) -> float:
    """Return the nominal operations of a sample of runs, or of all where counts are kept; infinite if damaged."""
    from sweep.store.local import files_at
    from sweep.store.run_facts import read_facts, read_study

    try:
        files = files_at(directory)
        study = read_study(files)
        return operations_of_runs(study, sample if read_facts(files)["keep"] == "runs" else study.n_runs)
    except StoreError:
        return inf


def verify(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="Results folder, complete or partial.")],
    sample: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="Retrain N random runs and compare them bit by bit. If the folder keeps only counts per cell, N is "
            "rounded up to whole parts (groups of runs that were trained together).",
        ),
    ] = 0,
    sample_seed: Annotated[
        int | None,
        typer.Option(
            metavar="SEED", help="With --sample: check the runs of an earlier sample, whose check printed this seed."
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Retrain all runs and compare them bit by bit.")] = False,
    mend: Annotated[
        bool, typer.Option("--repair", help="Retrain damaged runs, and remove files of interrupted calls.")
    ] = False,
    plugin: PluginOption = None,
    study: Annotated[
        str | None, typer.Option(metavar="STUDY", help="With --repair: study that replaces a damaged study.toml.")
    ] = None,
    threads: ThreadsOption = None,
) -> None:
    """Check that a results folder is not damaged.

    It must have every run once, unchanged, and fit its study.
    To check that training gives the same bits again, add --sample or --all.
    Exit code 0: intact or repaired.
    Exit code 1: damaged.
    """
    from sweep.study.load import load_study

    if study is not None and not mend:
        raise SweepError("--study replaces a damaged study.toml; use it with --repair")
    if sample_seed is not None and (every or not sample):
        raise SweepError("--sample-seed repeats an earlier sample; use it with --sample N and without --all")
    chosen = -1 if every else sample
    if sample and not mend:
        interpret_if_tiny(_operations_of_sample(directory, sample))
    from sweep.verification.check import verify as verify_folder
    from sweep.verification.repair import repair

    if mend:
        known = None if study is None else load_study(study)
        found = repair(directory, study=known, sample=chosen, sample_seed=sample_seed, threads=threads, progress=True)
    else:
        found = verify_folder(directory, sample=chosen, sample_seed=sample_seed, threads=threads, progress=True)
    _print_findings(found, directory, mend)
    if found.faults and not mend:
        sys.exit(EXIT_DAMAGED)


def _print_findings(found: Findings, directory: str, mend: bool) -> None:
    """Print the faults or repairs, and what was not checked."""
    for fault in found.faults:
        print_text(f"{'repaired' if mend else 'damaged'}: {one_line(fault)}")
    if found.unchecked:
        unchecked = count_text(len(found.unchecked), "part")
        print_text(f"not checked: {unchecked} of later rounds, which depend on earlier rounds")
    if found.head_only:
        print_text("not checked: commits and parts, because they cannot be read without study.toml and run.json")
    files = count_text(len(found.leftovers), "file")
    if found.leftovers and mend:
        print_text(f"removed: {files} that no commit names")
    elif found.leftovers:
        print_text(
            f"not part of the results: {files} that no commit names, from a run under way or an interrupted one; "
            "they are harmless; --repair removes those that no run can still be writing"
        )
    if found.sample_seed is not None:
        parts = f": {found.n_retrained:,} runs of whole parts, since only counts are kept" if found.whole_parts else ""
        print_text(f"sample: drawn with --sample-seed {found.sample_seed}{parts}")
    if found.faults and not mend:
        restored = " --study STUDY" if any("study.toml" in fault for fault in found.faults) else ""
        remedy = f"sweep verify {one_line(quote(directory))} --repair{restored}"
        print_text(f"{count_text(len(found.faults), 'fault')}; {remedy} retrains only the damaged runs")
        return
    if not found.n_retrained and found.n_runs:
        print_text("not checked: whether training gives these rows; retrain runs with --sample N or --all")
    how = "to be compared" if found.faults else "with the same bits"
    again = f"; {found.n_retrained:,} trained again, {how}" if found.n_retrained else ""
    print_text(f"intact: {count_text(found.n_runs, 'run')} in {count_text(len(found.commits), 'part')}{again}")
