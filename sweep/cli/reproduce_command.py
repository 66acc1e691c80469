"""The command that compares studies with published figures."""

from __future__ import annotations

import sys
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.cli.arguments import OverwriteOption, PluginOption, ThreadsOption, complete_study, interruptible
from sweep.cli.interpreted import interpret_if_tiny, operations_of_study
from sweep.errors import EXIT_MISMATCH, SweepError
from sweep.system.escaping import one_line
from sweep.system.wrapping import print_text

if TYPE_CHECKING:
    from sweep.study.expectations import Expectations
    from sweep.study.model import Study

# With --quick, the share of the seeds.
_QUICK = 10


def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STUDY",
            autocompletion=complete_study,
            help="Built-in studies, or study files NAME.toml whose published figures are in NAME.expect.toml beside "
            "them. Default: all built-in studies with published figures.",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Train a tenth of the seeds, or more if exact figures need them.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder in which each study has its results folder.")] = Path("results"),
    page: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a Markdown page with pictures and digests.")
    ] = None,
    threads: ThreadsOption = None,
    overwrite: OverwriteOption = False,
    plugin: PluginOption = None,
) -> None:
    """Compare studies with published figures (numbers).

    Trains the studies, but reads results that exist and resumes interrupted ones.
    An exact figure must have the same printed digits, or be within its tolerance.
    A statistical figure disagrees if the difference is significant, at a level of 1 % for all figures of a study.
    Exit code 3: a figure disagrees, and NAME.expect.toml does not list it as a known_difference.
    """
    from sweep.study.expectations import built_in_expectations, load_expectations
    from sweep.study.load import load_study
    from sweep.system.atomic_files import check_parent

    if page and quick:
        raise SweepError("--page: must be of all seeds; leave out --quick")
    if page:
        check_parent(page)
    for name in names or ():
        load_study(name)  # an unknown name is answered with similar ones
        if not load_expectations(name).figures:
            raise SweepError(
                f"study {one_line(name)} has no published numbers; 'sweep studies' marks built-in studies that have "
                "some, and those of NAME.toml are tables [[figures]] in NAME.expect.toml"
            )
    found = {name: load_expectations(name) for name in names} if names else built_in_expectations()
    found = {name: each for name, each in found.items() if each.figures}
    studies = {name: _study(name, each, quick=quick) for name, each in found.items()}
    interpret_if_tiny(sum(map(operations_of_study, studies.values())))
    from sweep.report.published import Reproduced, write_published
    from sweep.results.expected import check_figures, disagrees, expect
    from sweep.results.tables.expected_table import counts_text, expected_table
    from sweep.terminal.screen import print_table
    from sweep.training.run import run

    for name, study in studies.items():
        check_figures(study, found[name].figures)
    reproduced = []
    with interruptible(f"finished parts are kept in {one_line(out)}; run the same command again to resume"):
        for name, study in studies.items():
            result = run(study, out / study.name, threads=threads, overwrite=overwrite)
            table = expect(result, found[name])
            reproduced.append(Reproduced(result, found[name], table, study.description))
            print_table(expected_table(table, ", ".join(filter(None, [study.name, found[name].source]))))
            print_text(f"{counts_text(table)}; digest {one_line(result.facts['digest'][:12])}\n")
    if page:
        write_published(reproduced, page)
        print_text(f"page in {one_line(page)}")
    if any(disagrees(each.expected) for each in reproduced):
        sys.exit(EXIT_MISMATCH)


def _study(name: str, expectations: Expectations, *, quick: bool) -> Study:
    """Return a study, with a tenth of its seeds if it is to be quick."""
    from sweep.study.load import load_study

    study = load_study(name)
    seeds = study.seeds
    fewer = max(ceil(seeds.count / _QUICK), expectations.seeds_needed(seeds.base, seeds.count))
    if not quick or fewer == seeds.count:
        return study
    return load_study(name, {"seeds.count": fewer, "name": f"{study.name}-quick"})
