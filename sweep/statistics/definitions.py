"""Definitions of statistics for ``sweep explain`` and the manual: of cells, and those of answers, listed here."""

from __future__ import annotations

import re

from sweep.statistics.of_cells import every, synonyms
from sweep.statistics.statistic import Definition

_OF_SEEDS = "over seeds; missing if rows are not kept"

_OF_ANSWERS = (
    Definition(
        "may_be_best",
        "may be the best",
        "True for the cells of a set that contains the best cell with 95 % confidence.",
        "p-value of the comparison with the best-ranked cell, adjusted by Holm's method, is at least 0.05",
        "",
        "Holm, Scand. J. Statist. 6 (1979) 65",
    ),
    Definition(
        "equals_first",
        "cell equal to the first",
        "Whether the cell has the value of the best-ranked cell in every run of their common seeds: the same network, "
        "or a measure in which they do not differ.",
    ),
    Definition(
        "best_of",
        "best of k cells",
        "Number k of cells from which the best was chosen. The interval of the best cell allows for the choice.",
        "",
        "that of the statistic at level 1 - 0.05 / k (Bonferroni)",
    ),
    Definition(
        "difference",
        "difference of two sides",
        "Value of the first side minus that of the second, over pairs of runs that share all but one option.",
        "share of pairs in which only the first converged - share in which only the second did; for measures the "
        "difference of means or medians",
        "Student's over seeds, with one more seed whose pairs all favor the other side; of rates, it excludes 0 only "
        f"if p_value is at most 0.05; {_OF_SEEDS}",
        "McNemar, Psychometrika 12 (1947) 153",
    ),
    Definition(
        "advantage",
        "advantage",
        "Share of pairs in which the first side does better, minus the share in which the second does.",
        "(wins - losses) / pairs",
        f"as that of difference; {_OF_SEEDS}",
    ),
    Definition(
        "p_value",
        "p-value of a comparison",
        "Probability of a difference at least this large if both sides are equal, from the randomization test of seeds "
        "(McNemar's if each seed has one pair). p_value_holm allows for the number of tests (Holm's method).",
        "",
        "",
        "Holm, Scand. J. Statist. 6 (1979) 65",
    ),
    Definition(
        "p_equivalent",
        "p-value of equivalence",
        "With --margin: p-value of the hypothesis that the two rates differ by the margin or more.",
        "the larger of two one-sided p-values (TOST)",
        "",
        "Schuirmann, J. Pharmacokinet. Biopharm. 15 (1987) 657",
    ),
    Definition(
        "expected_steps_ratio",
        "ratio of expected steps",
        "Expected steps of the first side divided by those of the second.",
        "ERT of the first / ERT of the second",
        f"combined from both sides, with their correlation over common seeds; {_OF_SEEDS}",
    ),
    Definition(
        "restricted_mean_difference",
        "difference of restricted means",
        "Restricted mean steps of the first side minus those of the second, both up to the smaller step limit.",
        "RMST of the first - RMST of the second",
        f"combined from both sides, with their correlation over common seeds; {_OF_SEEDS}",
    ),
    Definition(
        "share",
        "main effect",
        "Share of the variance between runs that an option explains by itself, on average over all other options.",
        "Var(mean given the option's value) / Var(runs), minus the part due to chance",
        "standard error share_error from a jackknife over seeds; with 10 seeds or more",
        "Sobol, Math. Model. Comput. Exp. 1 (1993) 407",
    ),
    Definition(
        "total_share",
        "total effect",
        "Share of the variance between runs that an option explains together with all of its interactions.",
        "1 - Var(mean given all other options and the seed) / Var(runs)",
        "standard error total_share_error from a jackknife over seeds; with 10 seeds or more",
        "Homma and Saltelli, Reliab. Eng. Syst. Safety 52 (1996) 1",
    ),
    Definition(
        "incidence",
        "cumulative incidence",
        "Share of all runs that have converged (or diverged, stalled, reached a plateau) by a step.",
        "(number of runs with the event by step t) / n",
        "Wilson's at each step; band_low and band_high hold for the whole curve",
        "Massart, Ann. Probab. 18 (1990) 1269",
    ),
    Definition(
        "parallel_runs",
        "first of k parallel runs",
        "Share of choices of k runs in which any run has converged by a step.",
        "1 - C(runs not converged by t, k) / C(n, k)",
        "with 8 seeds or more per parallel run; none over several cells",
        "Hoeffding, Ann. Math. Statist. 19 (1948) 293",
    ),
    Definition(
        "factor",
        "performance profile",
        "Share of problems that a value solves in at most factor times the fewest steps. A problem is a seed with "
        "the values of all other options.",
        "share of problems p with t_p <= factor * (fewest steps of any value)",
        "Wilson's with the effective number of independent seeds",
        "Dolan and More, Math. Program. 91 (2002) 201",
    ),
)


# The symbols of formulas.
_SYMBOLS = {
    "n": "n: number of runs",
    "s": "s: number of converged runs",
    "t_i": "t_i: steps of run i",
    "t_p": "t_p: steps in problem p",
    "L": "L: step limit",
}


def definitions() -> dict[str, Definition]:
    """Return all definitions by name: of statistics of cells in the order of their columns, then of answers."""
    of_cells = (each.definition for each in every().values())
    return {each.name: each for each in (*of_cells, *_OF_ANSWERS) if each}


def definition_of(column: str) -> Definition | None:
    """Return the definition of a column, which may be an end of its interval or a quantile; None if there is none.

    Examples
    --------
    >>> definition_of("rate_low").name, definition_of("steps_q50_low").name, definition_of("cell")
    ('convergence_rate', 'steps_qQ', None)
    """
    name = column
    for end in ("_low", "_high", "_error", "_holm"):
        name = name.removesuffix(end)
    statistic = every().get(synonyms().get(name, name))
    return statistic.definition if statistic else definitions().get(name)


def symbols_in(formula: str) -> str:
    """Return what the symbols in a formula mean.

    Examples
    --------
    >>> symbols_in("s / n")
    'n: number of runs; s: number of converged runs'
    """
    return "; ".join(text for symbol, text in _SYMBOLS.items() if re.search(rf"(?<![\w']){symbol}(?![\w'])", formula))


def explain_statistic(found: Definition) -> list[tuple[str, str]]:
    """Return the facts about a statistic, each a name and a text."""
    facts = {"formula": found.formula, "interval": found.interval, "reference": found.reference}
    return [("", f"{found.title}. {found.text}"), *((key, text) for key, text in facts.items() if text)]
