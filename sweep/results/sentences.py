"""The answer of a result in sentences: converged runs, best cell, and what matters for convergence."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import TYPE_CHECKING, Any

from sweep.analysis.held_out import HeldOut, chosen_by_halves
from sweep.analysis.importance import LEAST_SEEDS, REST, SEED, SEED_WITH_OTHERS
from sweep.columns import statuses
from sweep.measures import MEASURES
from sweep.results.answers import default_statistic, n_not_worse, ranking_statistic, swept
from sweep.results.best import rank
from sweep.results.estimate import pairs_seeds
from sweep.results.pooled_cells import sum_over
from sweep.results.queries import Queries
from sweep.results.race import race_sentences, rank_with_race
from sweep.results.tables.table import statistic_text, value_text
from sweep.statistics.intervals import LEVEL
from sweep.statistics.of_cells import OF_CONVERGENCE, main_statistic_of, measure_of
from sweep.statistics.of_cells.steps_quantiles import MEDIAN
from sweep.statistics.ranking import why_no_best
from sweep.statistics.statistic import Statistic
from sweep.study.selection import At, values_at
from sweep.system.formatting import count_text, list_text, name_text, steps_text

if TYPE_CHECKING:
    import pandas as pd

    from sweep.study.model import Study

# Most terms in the sentence on shares of the variance.
_MOST_TERMS = 3

# Largest share of the variance and largest standard error that the sentence reports. Chance alone exceeds both.
_LARGEST_SHARE, _LARGEST_ERROR = 1.005, 0.2

# How runs ended, where the name of the status is no verb.
_ENDED = {"exhausted": "ran out of steps (exhausted)", "plateau": "ended on a plateau"}

# The clause on comparisons that pool cells whose numbers of seeds seeds.until decided
SHARED_SEEDS = "on the seeds that all pooled cells share, so every cell has the same weight"

# The note on intervals of several cells, by whether they are computed from rows of runs.
_INTERVALS = {
    True: "intervals count each seed once: cells share seeds, so their runs are not independent",
    False: "no intervals: since cells share seeds these need the rows of runs, which are not kept or too many to read",
}

# What ends the labels of measures at the best validation.
_AT_BEST = " at the best validation"

_NO_CRITERION = "the study has no convergence criterion (criterion 'none')"


def answer(result: Queries) -> list[str]:
    """Return the sentences of the answer: share of converged runs, best cell, restarts and what matters."""
    if not result.complete and not result.facts["n_runs"]:
        return [coverage(result)]
    if result.over_replicates is not result:
        pooled = result.over_replicates
        n = result.study.n_cells // pooled.study.n_cells
        return [f"all answers pool over the {n} values of {pooled.pooled_over}, as over seeds", *answer(pooled)]
    found = result.held_out
    if found:
        sentences = [*of_held_out(result, found), *_training(result)]
    elif result.study.has_criterion:
        sentences = [share(result), best_cell(result), restarts(result), what_matters(result), unevaluated(result)]
    else:
        sentences = [_NO_CRITERION, *losses(result), best_loss(result), what_matters(result)]
    return [sentence for sentence in (coverage(result), *sentences, *uneven(result)) if sentence]


def of_held_out(result: Queries, found: HeldOut) -> list[str]:
    """Return the sentences on held-out patterns: all runs, the best cell, and what its choice does to its value."""
    reported = main_statistic_of(found.reported)
    (row,) = sum_over(result, []).to_dict("records")
    sentences = []
    if row[reported.name] == row[reported.name]:
        sentences.append(f"the {_name(reported)} {_of_runs(result)} is {_value(reported, row)}")
    if len(result.cells) > 1:
        chosen_by = main_statistic_of(found.chosen_by).name
        none = why_no_best(result.numbered_cells, chosen_by)
        sentences += [none] if none else [_best_held_out(result, found), _choice(result, found)]
    return [*sentences, _ended_by_tests(result.study), what_matters(result)]


def _best_held_out(result: Queries, found: HeldOut) -> str:
    """Return the sentence on the best cell by held-out patterns, and on others that may be the best."""
    reported, chosen_by = main_statistic_of(found.reported), main_statistic_of(found.chosen_by)
    (best,) = rank_with_race(result, result.numbered_cells, chosen_by.name).head(1).to_dict("records")
    at = _AT_BEST if _name(reported).endswith(_AT_BEST) else ""
    values = [f"{_name(each).removesuffix(at)} {_value(each, best)}" for each in dict.fromkeys((reported, chosen_by))]
    lost = ", which all diverged later" if at and best["n_diverged"] == best["n_runs"] else ""
    by = f" by {MEASURES[found.chosen_by].label.removesuffix(at)}" if found.chosen_by != found.reported else ""
    of = f" of {count_text(best['n_runs'], 'run')}"
    return _best(result, best, f"{list_text(values)}{of}{at}{lost}", by)


def _choice(result: Queries, found: HeldOut) -> str:
    """Return the sentence on a best cell that was chosen by the patterns of the answer; empty if it was not."""
    statistic = main_statistic_of(found.reported)
    if found.chosen_by != found.reported or result.cells[statistic.name].nunique() == 1:
        return ""
    of = "validation" if found.reported.startswith("validation") else "test"
    name = _name(statistic)
    text = f"the best cell was chosen on these {of} patterns, so expect a worse {name} on new patterns"
    value = chosen_by_halves(result.measures.of(found.reported), statistic) if result.even else nan
    if value == value:
        number = f"{value_text(statistic, value)}{_unit(statistic)}"
        text += f"; chosen with half of the seeds, the best cell has {number} with the other half"
    return text


def _ended_by_tests(study: Study) -> str:
    """Return the sentence on runs that test patterns ended; empty if they do not."""
    options = {"monitor": "test_loss", "criterion_on": "test"}
    used = [f"{name} = {value!r}" for name, value in options.items() if value in study.values_of(name)]
    if not used:
        return ""
    return f"test patterns decided when runs end ({list_text(used)}), so new patterns are likely to have worse results"


def _training(result: Queries) -> list[str]:
    """Return the sentences on the criterion or the training losses of a study that holds patterns out."""
    if result.study.has_criterion:
        (of, *others) = result.study.values_of("criterion_on")
        criterion = "criterion" if others else {"train": "training"}.get(of, f"criterion on {of} patterns")
        return [f"{criterion}: {share(result)}", unevaluated(result)]
    return losses(result)


def _name(statistic: Statistic) -> str:
    """Return the label of a statistic without its unit."""
    return statistic.label.removesuffix(", %")


def _unit(statistic: Statistic) -> str:
    return " %" if statistic.percent else ""


def _value(statistic: Statistic, row: Mapping[Any, Any]) -> str:
    """Write a statistic with its unit and interval."""
    return statistic_text(statistic, row, _unit(statistic))


def _of_runs(result: Queries) -> str:
    """Return of which runs a statistic is."""
    n_runs = count_text(int(result.cells["n_runs"].sum()), "run")
    return f"of {n_runs}" if result.even else f"over {_trained(result)}, with equal weights,"


def of_each_cell(study: Study) -> str:
    """Return the note on the steps of cells, or on their losses if there is no criterion."""
    if study.has_criterion:
        return (
            "median steps: half of all runs converged within them; "
            "expected steps (ERT): the steps of all runs, divided by the number of converged runs"
        )
    return "medians cover all runs; the loss of a diverged run counts as infinite"


def pooled_text(replicates: str) -> str:
    """Return the sentence on comparisons that pool over replicates, such as ``split_seed``."""
    return f"pairs of all values of {replicates} are pooled; intervals count each seed and each value once"


def of_several_cells(result: Queries) -> str:
    """Return the note on rates or medians over several cells, and on their intervals."""
    what = "rates" if result.study.has_criterion else "medians"
    if result.replicates > 1:
        return f"{what} pool all runs; intervals count each seed and each value of {result.pooled_over} once"
    if result.even:
        return f"{what} pool all runs; {_INTERVALS[pairs_seeds(result)]}"
    intervals = _INTERVALS[pairs_seeds(result) and result.study.has_criterion]
    if what == "rates":
        return f"rates are means over cells with equal weights; {intervals}"
    return "medians give cells equal weights; over several cells they have no interval"


def losses(result: Queries) -> list[str]:
    """Return the sentences on the training losses of a fixed budget, and on diverged runs."""
    statistic = main_statistic_of("final_loss")
    if result.cells[statistic.name].isna().all():
        return ["this result has no final losses"]
    (row,) = sum_over(result, []).to_dict("records")
    sentences = []
    if row[statistic.name] == row[statistic.name]:
        sentences.append(f"the {statistic.label} {_of_runs(result)} is {statistic_text(statistic, row)}")
    if row["n_diverged"]:
        runs = count_text(row["n_runs"], "run")
        sentences.append(f"{row['n_diverged']:,} of {runs} diverged; their losses count as infinite")
    return sentences


def best_loss(result: Queries) -> str:
    """Return the sentence on the cell with the lowest median final loss; empty for a single cell."""
    statistic = main_statistic_of("final_loss")
    if len(result.cells) == 1 or result.cells[statistic.name].isna().all():
        return ""
    if none := why_no_best(result.numbered_cells, statistic.name):
        return none
    (best,) = rank_with_race(result, result.numbered_cells, statistic.name).head(1).to_dict("records")
    return _best(
        result, best, f"{statistic.label} {statistic_text(statistic, best)} of {count_text(best['n_runs'], 'run')}"
    )


def coverage(result: Queries) -> str:
    """Return the sentence on the trained part of a partial result; empty for a complete one."""
    if result.complete:
        return ""
    n_runs, whole = result.facts["n_runs"], result.study.n_runs
    n, n_cells = len(result.cells), result.study.n_cells
    cells = f"some in each of {n:,} cells" if n == n_cells > 1 else f"in {n:,} of {count_text(n_cells, 'cell')}"
    most = "at most " if result.study.seeds.until else ""
    return f"partial: {n_runs:,} of {most}{whole:,} runs ({100 * n_runs // whole} %) are trained, {cells}"


def unevaluated(result: Queries) -> str:
    """Return the sentence on cells without a criterion; empty if there are none."""
    if "none" not in result.study.values_of("criterion"):
        return ""
    return "cells with criterion 'none' count as not converged"


def uneven(result: Queries) -> list[str]:
    """Return the sentences on cells with different numbers of seeds; none without adaptive seeds."""
    until, n_runs = result.study.seeds.until, result.cells["n_runs"]
    if result.race_state:
        return race_sentences(result, result.race_state)
    if not until or not result.complete or n_runs.nunique() == 1:
        return []
    needed = "the race needed" if until.best else "their intervals needed"
    return [f"cells have {n_runs.min():,} to {n_runs.max():,} seeds, as many as {needed} (seeds.until)"]


def share(result: Queries) -> str:
    """Return the sentence on the shares of runs by status; means over cells if these have different numbers of runs."""
    cells, ends = result.cells, statuses(result.study.has_patience)
    (row,) = sum_over(result, []).to_dict("records")
    means = {status: (cells[f"n_{status}"] / cells["n_runs"]).mean() for status in ends[1:]}
    others = [
        f"{_share_of_runs(mean, row[f'n_{status}'])} {_ENDED.get(status, status)}"
        for status, mean in means.items()
        if mean
    ]
    rate, low, high = (row[f"convergence_rate{end}"] for end in ("", "_low", "_high"))
    if result.even or len(cells) == 1:
        text = f"{_share_of_runs(rate, row['n_converged'])} of {count_text(row['n_runs'], 'run')} converged"
    else:
        text = f"{100 * rate:.1f} % of runs converged on average over {_trained(result)}"
    interval = f" (95 % interval {100 * low:.1f} to {100 * high:.1f} %)" if low == low else ""
    return text + interval + (f"; {list_text(others)}" if others else "")


def _share_of_runs(share: float, n: int) -> str:
    """Return a share in percent, or the number of runs if they are too few for one decimal of a percentage."""
    return f"{n:,}" if n and share < 0.0005 else f"{100 * share:.1f} %"


def _trained(result: Queries) -> str:
    """Return the number of cells that are trained."""
    n, n_cells = len(result.cells), result.study.n_cells
    return count_text(n, "cell") if n == n_cells else f"the {n:,} of {count_text(n_cells, 'cell')} trained so far"


def best_cell(result: Queries) -> str:
    """Return the sentence on the best cell, and on others that may be the best; for a single cell that on its steps."""
    cells = result.numbered_cells
    if not cells["n_converged"].any():
        where = f" in any of {_trained(result)}" if len(cells) > 1 else ""
        return f"no run converged{where}"
    (best,) = rank_with_race(result, cells, "convergence_rate").head(1).to_dict("records")
    median = steps_text(best[MEDIAN.name])
    expected = f"{steps_text(best['expected_steps'])} expected steps (ERT)"
    steps = f"median {median} steps" if median != "-" else expected
    if len(cells) == 1:
        return f"{steps}, {expected}" if median != "-" else expected
    rate = statistic_text(OF_CONVERGENCE["convergence_rate"], best, " %")
    return _best(result, best, f"{rate} of {count_text(best['n_runs'], 'run')} converged, {steps}")


def _best(result: Queries, best: Mapping[Any, Any], text: str, by: str = "") -> str:
    """Return the sentence that names the best cell, with a text on it, and others that may be the best."""
    which = "best cell" if result.complete else "best cell so far"
    return f"{which}{by}: {name_text(best, swept(result.study))}: {text}{_others(result)}"


def restarts(result: Queries) -> str:
    """Return the sentence on restarts if they would help in the best cell; empty if the study restarts runs."""
    if result.study.restarts.max_restarts:
        return ""
    (best,) = rank_with_race(result, result.numbered_cells, "convergence_rate").head(1).to_dict("records")
    if not best["restarted_steps_high"] < best["expected_steps_low"]:  # missing with few successes
        return ""
    without, with_restarts = (
        statistic_text(OF_CONVERGENCE[name], best) for name in ("expected_steps", "restarted_steps")
    )
    where = " in the best cell" if len(result.cells) > 1 else ""
    return (
        f"restarting unconverged runs after {steps_text(best['restart_steps'])} steps, with other seeds, would lower "
        f"the expected steps{where} from {without} to {with_restarts}"
    )


def _others(result: Queries) -> str:
    """Return the clause on other cells that may be the best; it compares intervals if rows of runs cannot be read.

    It is empty after a race, whose own sentence has their number.
    """
    if result.race_state:
        return ""
    if pairs_seeds(result):
        return f"; {may_be_best(rank(result, ranking_statistic(result)), result.study)}"
    n = n_not_worse(result)
    if n > 1:
        return f"; the intervals of {n:,} other cells overlap with its interval"
    return "; the interval of one other cell overlaps with its interval" if n else ""


def may_be_best(ranked: pd.DataFrame, study: Study, at: At | None = None, confidence: float = 1 - LEVEL) -> str:
    """Return the sentence on the cells that may be the best, without a final period.

    The table is that of :meth:`Result.best` for all cells, with p-values.
    """
    n_cells = study.grid.n_cells_at(values_at(study, at))
    n, n_compared = int(ranked["may_be_best"].sum()), len(ranked)
    if n_compared == 1:
        return "there is only one cell" if n_cells == 1 else "no other cell is trained yet"
    cells = f"{n_compared:,} cells" + ("" if n_compared == n_cells else " trained so far")
    n_equal = int(ranked["equals_first"].sum())
    if n_equal == n_compared - 1:
        return f"{'both cells' if n_compared == n_cells == 2 else f'all {cells}'} are equal in every run"
    has = "has" if n_equal == 1 else "have"
    if n - n_equal == 1:
        others = "cell" if n_compared == n_cells else f"of the {cells}"
        equal = f"{count_text(n_equal, 'cell')} {has} the value of the first in every run; "
        return f"{equal if n_equal else ''}every other {others} is worse ({100 * confidence:g} % confidence)"
    equal = f"; {n_equal:,} of them {has} the value of the first in every run" if n_equal else ""
    return f"{n:,} of {cells} may be the best ({100 * confidence:g} % confidence){equal}"


def what_matters(result: Queries) -> str:
    """Return the sentence on the largest shares of the variance between runs; empty if they are not known."""
    name = default_statistic(result)
    measure = measure_of(name)
    if not result.complete or not swept(result.study) or (measure and not pairs_seeds(result)):
        return ""
    label = MEASURES[measure].label if measure else "convergence"
    if result.cells["n_runs"].min() < LEAST_SEEDS:
        return f"estimating what matters for {label} needs at least {LEAST_SEEDS} seeds per cell"
    table = result.importance(name, errors=pairs_seeds(result))
    if table["share"].isna().all():
        return f"what matters for {label} is not estimated: {table.attrs['note']}"
    replicates = result.over_replicates.pooled_over
    luck = [SEED, SEED_WITH_OTHERS, replicates, f"interactions of {SEED} and {replicates}"]
    shares, errors = table[["share", "total_share"]].to_numpy(), table["share_error"].to_numpy()
    if replicates:  # few replicates say little of how much they vary, but enough of parameters
        errors = errors[~table["term"].isin(luck)]
    if (shares > _LARGEST_SHARE).any() or (errors > _LARGEST_ERROR).any():
        if measure:
            return f"too few seeds to estimate what matters for {label}"
        few = "failed" if result.cells["convergence_rate"].mean() > 0.5 else "converged"
        return f"too few runs {few} to estimate what matters for convergence"
    large = table[table["share"] >= 0.005].sort_values("share", ascending=False, kind="stable")
    of_parameters = large[large["part_of"].isna() & ~large["term"].isin(luck)]
    effects: list[tuple[str, str, str]] = []  # what explains, its share, and the kind of effect
    for row in of_parameters.head(_MOST_TERMS).to_dict("records"):
        parts = large[large["part_of"] == row["term"]].head(_MOST_TERMS).to_dict("records")
        alone = list_text([f"{part['term']} by itself {_share(part)}" for part in parts])
        kind = "interaction" if " x " in row["term"] or row["term"] == REST else "main effect"
        effects.append((row["term"], _share(row), alone if parts else kind))
    for row in table[table["term"].isin([SEED, replicates]) & (table["total_share"] >= 0.005)].to_dict("records"):
        name = "the seed" if row["term"] == SEED else row["term"]
        effects.append((name, _share(row, "total_share"), "total effect"))
    if not effects:
        return ""
    details = [table.attrs["explained"].removesuffix(label).removesuffix(" of "), table.attrs["note"]] * bool(measure)
    if table["share_error"].notna().any():
        details.append("± standard error")
    remarks = "; ".join(filter(None, details))
    (first, share, kind), *others = effects
    verb = "explain" if first == REST else "explains"
    texts = [f"{first} {verb} {share} of the variance between runs ({kind})"]
    texts += [f"{name} {share} ({kind})" for name, share, kind in others]
    return f"what matters for {label}{f' ({remarks})' if remarks else ''}: {list_text(texts)}"


def _share(row: Mapping[Any, Any], name: str = "share") -> str:
    """Return a share of variance in percent, with its standard error if that is known.

    Estimates are unbiased, so those of a share near 100 % may exceed it.
    """
    value, error = min(100 * row[name], 100.0), 100 * row[f"{name}_error"]
    if error != error:
        return f"{value:.0f} %"
    return f"{value:.0f} ± {error:.0f} %" if error >= 0.95 else f"{value:.1f} ± {max(error, 0.1):.1f} %"
