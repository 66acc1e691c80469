"""The command that compares values of a parameter, or two results."""

from __future__ import annotations

from typing import Annotated

import typer

from sweep.cli.arguments import DirectoryArgument, TopOption, open_with_warning, split_names
from sweep.cli.completions import complete_by, parameter_option
from sweep.system.wrapping import print_text


def compare(
    directory: DirectoryArgument,
    other: Annotated[
        str | None, typer.Argument(metavar="OTHER", help="Second results folder, in place of --vary.")
    ] = None,
    vary: Annotated[
        str | None,
        parameter_option("Parameter whose values are compared, two at a time. Default: the only one that is swept."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME",
            autocompletion=complete_by,
            help="Compare separately for each value of these parameters. A measure in the list (rate, final_loss, "
            "max_error, n_correct, test_accuracy, test_loss or a recorded one) replaces the default one.",
        ),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Also test whether two rates differ by less than this, such as 0.05 (5 percentage points).",
        ),
    ] = None,
    each_at_best: Annotated[
        bool,
        typer.Option(
            "--each-at-best",
            help="Compare each value of --vary at its best cell. Half of the seeds choose the cell, the other half "
            "compare, and vice versa.",
        ),
    ] = False,
    top: TopOption = None,
) -> None:
    """Compare values of a parameter, or two results, on common seeds.

    Compares rates and steps of convergence, or accuracies or losses of test patterns if the study has any.
    Without a criterion of convergence, compares final losses.
    Of two runs with the same seed, the faster one converges in fewer steps, or is the only one that converges.

    p-values are from an exact sign-flip test over seeds (McNemar's with one pair of runs per seed).
    They are adjusted for the number of tests (Holm). Intervals are not adjusted.
    """
    from sweep.errors import SweepError
    from sweep.results.answers import default_statistic, split_by, swept
    from sweep.results.best import at_best_fault
    from sweep.results.comparison import Pairing
    from sweep.results.queries import compared_by
    from sweep.results.sentences import SHARED_SEEDS, pooled_text
    from sweep.statistics.of_cells import measure_of
    from sweep.system.formatting import list_text
    from sweep.terminal.printed import print_comparison

    needs = "compare: must have one of --vary NAME (the values of a parameter) and a second results folder, got"
    if vary is not None and other is not None:
        raise SweepError(f"{needs} both")
    names = split_names(by) if by else []
    result = open_with_warning(directory)
    if vary is None and other is None:
        found = swept(result.naming(names).study)
        if len(found) != 1 or found[0] in names:
            raise SweepError(f"{needs} neither; swept: {', '.join(found) or 'nothing'}")
        (vary,) = found
    if vary is not None:
        parameters, statistic = split_by(result.study, names, compared_by())
        measure = measure_of(statistic or default_statistic(result))
        compared = result.compare(vary, names, margin=margin, each_at_best=each_at_best)
        if each_at_best:
            measure = compared.attrs["measure"]
            print_text(compared.attrs["note"])
        print_comparison(compared, parameters, measure, top)
        pooled = result.naming([vary, *names])
        if pooled.replicates > 1:
            print_text(pooled_text(pooled.pooled_over))
        others = [name for name in swept(pooled.study) if name not in (vary, *parameters)]
        if others and not each_at_best:
            works = not parameters and not at_best_fault(pooled)
            instead = f"; --each-at-best compares each value of {vary} at its best cell" if works else ""
            weights = f" {SHARED_SEEDS}" if pooled.adaptive else ""
            print_text(f"pooled over {list_text(others)}{weights}{instead}")
        return
    if each_at_best:
        raise SweepError("--each-at-best: applies to the values of a parameter; name it with --vary NAME")
    assert other is not None
    pairing = Pairing(result, open_with_warning(other))
    parameters, measure = pairing.split(names)
    compared = pairing.compare(names, margin=margin)
    print_comparison(compared, parameters, measure, top)
    for sentence in filter(None, [pairing.pooled(names), pairing.left_out()]):
        print_text(sentence)
