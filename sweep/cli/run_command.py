"""The command that trains a study."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.cli.arguments import PluginOption, SetOption, StudyArgument, interruptible, load, takes_run_options
from sweep.cli.interpreted import interpret_if_tiny, operations_of_study
from sweep.errors import EXIT_PARTIAL
from sweep.system.escaping import one_line
from sweep.system.wrapping import print_text

if TYPE_CHECKING:
    from sweep.results.result import Result


@takes_run_options
def run(study: StudyArgument, changes: SetOption = None, plugin: PluginOption = None, **options: Any) -> None:
    """Train all runs of a study. The same command resumes an interrupted study.

    At a limit (--time-budget, --max-runs), training ends after the parts (groups of runs) under way, with exit code 4.
    The partial result then has about the same number of runs of each cell, except with --shard.
    """
    from sweep.store.local import files_at

    loaded = load(study, changes)
    out = Path("results") / loaded.name if options["out"] is None else options["out"]
    folder = files_at(out).place
    options |= {"out": folder, "progress": True}
    interpret_if_tiny(operations_of_study(loaded))
    from sweep.training.run import run as run_study

    how_to_resume = f"run the same command{' without --overwrite' if options['overwrite'] else ''} again to resume"
    with interruptible(f"finished parts are kept in {one_line(folder)}; {how_to_resume}"):
        result = run_study(loaded, **options)
    _print_outcome(result, folder, options["shard"])
    if result.facts.get("limited"):
        print_text(how_to_resume, file=sys.stderr)
        sys.exit(EXIT_PARTIAL)


def _print_outcome(result: Result, folder: str, shard: tuple[int, int]) -> None:
    """Print the summary of a result after training."""
    from sweep.terminal.printed import print_summary

    if not result.facts["n_runs"]:
        late = "nothing is trained yet: the time budget ended while kernels were compiled; the kernels are kept"
        none = f"nothing to train: shard {shard[0]}/{shard[1]} has no runs"
        print_text(late if result.facts.get("limited") else none)
        return
    print_summary(result)
    if result.complete:
        print_text(f"digest {one_line(result.facts['digest'])}")
    print_text(f"results in {one_line(folder)}")
