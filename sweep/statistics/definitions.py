"""Definitions of all statistics, for ``sweep explain`` and the manual."""

from __future__ import annotations

from typing import NamedTuple


class Statistic(NamedTuple):
    """A statistic of answers and tables.

    Attributes
    ----------
    name
        Its column. ``MEASURE`` stands for the name of a measure, ``Q`` for 25, 50 or 75.
    title
        Its name in the field.
    definition
        One or two sentences.
    formula
        In terms of n runs of a cell, of which s converged; run i takes steps t_i, at most the limit L.
    interval
        How its interval is computed, and when it has one.
    reference
        Of the definition or of the interval.
    """

    name: str
    title: str
    definition: str
    formula: str = ""
    interval: str = ""
    reference: str = ""


_SIGN_TESTS = "from the randomization test of seeds (McNemar's if each seed has one pair); adjusted by Holm's method"
_OF_SEEDS = "over seeds; missing if rows are not kept"

STATISTICS = {
    each.name: each
    for each in (
        Statistic(
            "convergence_rate",
            "convergence rate",
            "Share of all runs that met the criterion.",
            "s / n",
            "Wilson's; over several cells with the effective number of independent runs",
            "Wilson, J. Amer. Statist. Assoc. 22 (1927) 209",
        ),
        Statistic(
            "steps_qQ",
            "quantile of steps over all runs",
            "Updates by which Q % of all runs have converged; missing if fewer ever did.",
            "the smallest t such that at least Q % of all n runs converged by step t",
            "between two order statistics, by the binomial distribution; an end is missing where no run bounds it",
        ),
        Statistic(
            "restricted_mean_steps",
            "restricted mean survival time (RMST)",
            "Mean updates to converge over all runs; a run that does not converge counts with the limit.",
            "(sum over i of (t_i if run i converged, else L)) / n",
            "Wilson's of the rate combined with Student's of the steps saved",
            "Royston and Parmar, BMC Med. Res. Methodol. 13 (2013) 152",
        ),
        Statistic(
            "expected_steps",
            "expected running time (ERT)",
            "Updates of all runs per converged run: what a success costs if failures are repeated; infinite if no run "
            "converged.",
            "(sum over i of t_i) / s",
            "Wilson's of the odds of failure combined with Student's of both means, with one more failure added to the "
            "spread; only a lower end without a success",
            "Hansen et al., COCO, Optim. Methods Softw. 36 (2021) 114",
        ),
        Statistic(
            "restart_steps",
            "best restart limit",
            "Updates after which giving up and restarting costs the fewest updates per success.",
            "the c that minimizes (sum over i of min(t_i, c)) / (number of runs converged by c)",
        ),
        Statistic(
            "restarted_steps",
            "expected steps with restarts",
            "Updates per success with restarts. Each half of the runs uses the limit that is best for the other half, "
            "since a limit looks too good in the runs that choose it.",
            "(sum over i of min(t_i, c)) / (number of runs converged by c), c from the other half",
            "delta method for a ratio of two means; with 100 converged runs or more",
        ),
        Statistic(
            "final_loss_qQ",
            "quantile of final losses",
            "Final loss that Q % of all runs do not exceed; diverged runs have an infinite loss. In cells without a "
            "criterion.",
            "order statistic ceil(Q/100 * n)",
            "between two order statistics",
        ),
        Statistic(
            "finite_rate",
            "share of finite losses",
            "Share of all runs whose final loss is finite. In cells without a criterion.",
            "(number of runs with a finite final loss) / n",
            "Wilson's",
        ),
        Statistic(
            "MEASURE_qQ",
            "quantile of a recorded measure",
            "Value that Q % of all runs do not exceed; diverged runs have the worst value.",
            "order statistic ceil(Q/100 * n)",
            "between two order statistics",
        ),
        Statistic(
            "MEASURE_mean",
            "mean number of correct outputs",
            "Of n_correct and n_test_correct: mean over all runs; diverged runs have none.",
            "(sum over i of correct outputs of run i) / n",
            "Student's, widened for kinds of runs that were not seen",
        ),
        Statistic(
            "may_be_best",
            "contender for the best cell",
            "Whether the cell may be the best. These cells contain the best one with 95 % confidence.",
            "Holm-adjusted p-value of the comparison with the best-ranked cell is at least 0.05",
            "a confidence set of cells",
            "Holm, Scand. J. Statist. 6 (1979) 65",
        ),
        Statistic(
            "best_of",
            "best of k cells",
            "Number k of cells from which the best was chosen. Its interval allows for the choice.",
            "",
            "that of the statistic at level 1 - 0.05 / k (Bonferroni)",
        ),
        Statistic(
            "difference",
            "difference of two sides",
            "Value of the first side minus that of the second, over pairs of runs that share all but one option.",
            "share of pairs in which only the first converged - share in which only the second did; of measures the "
            "difference of means or medians",
            f"Student's over seeds, with one more seed whose pairs all favour the other side; {_OF_SEEDS}",
            "McNemar, Psychometrika 12 (1947) 153",
        ),
        Statistic(
            "advantage",
            "advantage",
            "Share of pairs in which the first side does better, minus the share in which the second does.",
            "(wins - losses) / pairs",
            f"as that of difference; {_OF_SEEDS}",
        ),
        Statistic(
            "p_value",
            "p-value of a comparison",
            "Probability of a difference at least this large if both sides are equal. p_value_holm is adjusted for all "
            "rows of the table.",
            "",
            _SIGN_TESTS,
            "Holm, Scand. J. Statist. 6 (1979) 65",
        ),
        Statistic(
            "p_equivalent",
            "p-value of equivalence",
            "With --margin: p-value of the hypothesis that the two rates differ by the margin or more.",
            "the larger of two one-sided p-values (TOST)",
            "",
            "Schuirmann, J. Pharmacokinet. Biopharm. 15 (1987) 657",
        ),
        Statistic(
            "expected_steps_ratio",
            "ratio of expected steps",
            "Expected steps of the first side divided by those of the second.",
            "ERT of the first / ERT of the second",
            f"combined from both sides, with their correlation over common seeds; {_OF_SEEDS}",
        ),
        Statistic(
            "restricted_mean_difference",
            "difference of restricted means",
            "Restricted mean steps of the first side minus those of the second, with the smaller limit of both.",
            "RMST of the first - RMST of the second",
            f"combined from both sides, with their correlation over common seeds; {_OF_SEEDS}",
        ),
        Statistic(
            "share",
            "main effect",
            "Share of the variance between runs that an option explains by itself, on average over all others.",
            "Var(mean given the option's value) / Var(runs), minus the part due to chance",
            "standard error share_error from a jackknife over seeds; with 10 seeds or more",
            "Sobol, Math. Model. Comput. Exp. 1 (1993) 407",
        ),
        Statistic(
            "total_share",
            "total effect",
            "Share of the variance between runs that an option explains together with all of its interactions.",
            "1 - Var(mean given all other options and the seed) / Var(runs)",
            "standard error total_share_error from a jackknife over seeds; with 10 seeds or more",
            "Homma and Saltelli, Reliab. Eng. Syst. Safety 52 (1996) 1",
        ),
        Statistic(
            "incidence",
            "cumulative incidence",
            "Share of all runs that have converged (or diverged, stalled, reached a plateau) by a step.",
            "(number of runs with the event by step t) / n",
            "Wilson's at each step; band_low and band_high hold for the whole curve",
            "Massart, Ann. Probab. 18 (1990) 1269",
        ),
        Statistic(
            "parallel_runs",
            "first of k parallel runs",
            "Share of choices of k runs in which any run has converged by a step.",
            "1 - C(runs not converged by t, k) / C(n, k)",
            "with 8 seeds or more per parallel run; none over several cells",
            "Hoeffding, Ann. Math. Statist. 19 (1948) 293",
        ),
        Statistic(
            "factor",
            "performance profile",
            "Share of problems that a value solves in at most factor times the fewest steps. A problem is a seed with "
            "the values of all other options.",
            "share of problems p with t_p <= factor * (fewest steps of any value)",
            "Wilson's with the effective number of independent seeds",
            "Dolan and More, Math. Program. 91 (2002) 201",
        ),
    )
}


def statistic_of(column: str) -> Statistic | None:
    """Return the statistic of a column, which may be an end of its interval or a quantile; None if there is none.

    Examples
    --------
    >>> statistic_of("steps_q50_low").name, statistic_of("cell")
    ('steps_qQ', None)
    """
    name = column.removesuffix("_low").removesuffix("_high").removesuffix("_error").removesuffix("_holm")
    if name in STATISTICS:
        return STATISTICS[name]
    measure, _, kind = name.rpartition("_")
    if kind in ("q25", "q50", "q75") and measure:
        return STATISTICS.get(f"{measure}_qQ", STATISTICS["MEASURE_qQ"])
    return STATISTICS["MEASURE_mean"] if kind == "mean" and measure else None


def explain_statistic(statistic: Statistic) -> list[tuple[str, str]]:
    """Return the facts about a statistic, each a name and a text."""
    facts = {"formula": statistic.formula, "interval": statistic.interval, "reference": statistic.reference}
    return [("", f"{statistic.title}. {statistic.definition}"), *((key, text) for key, text in facts.items() if text)]
