"""The columns of cells: counts of runs by their end, statistics of steps and losses, and tallies."""

from __future__ import annotations

from sweep.study.columns import CELL, OF_RUNS, STATUS, STEPS, Column, parameter_columns
from sweep.study.content import StudyContent
from sweep.study.network_measures import NETWORK_MEASURES, QUANTITIES

_COUNTS = (
    Column("n_runs", "int64", "runs", "runs of the cell"),
    Column("n_converged", "int64", "runs", "runs that met the criterion"),
    Column("n_diverged", "int64", "runs", "runs whose loss became infinite, NaN or larger than divergence_threshold"),
    Column("n_stalled", "int64", "runs", "runs that no further update could change"),
    Column("n_exhausted", "int64", "runs", "right-censored runs, which took all allowed updates"),
    Column(
        "n_plateau", "int64", "runs", "runs that did not improve within their patience; only in studies with patience"
    ),
)
_STATISTICS = (
    Column("convergence_rate", "float64", "fraction", "n_converged / n_runs"),
    Column("convergence_rate_low", "float64", "fraction", "lower end of its 95 % Wilson interval"),
    Column("convergence_rate_high", "float64", "fraction", "upper end of its 95 % Wilson interval"),
    *(
        Column(name, "int64", "updates", doc)
        for part in (25, 50, 75)
        for name, doc in (
            (f"steps_q{part}", f"updates by which {part} % of all runs converged; null if never"),
            (f"steps_q{part}_low", "lower end of its 95 % interval; null if never"),
            (f"steps_q{part}_high", "upper end of its 95 % interval; null if never"),
        )
    ),
    Column(
        "restricted_mean_steps",
        "float64",
        "updates",
        "restricted mean survival time (RMST): mean over all runs of the updates to converge, or of the limit",
    ),
    Column("restricted_mean_steps_error", "float64", "updates", "its standard error; null for one run"),
    Column("restricted_mean_steps_low", "float64", "updates", "lower end of its 95 % interval"),
    Column("restricted_mean_steps_high", "float64", "updates", "upper end of its 95 % interval"),
    Column(
        "expected_steps",
        "float64",
        "updates",
        "expected running time (ERT): updates of all runs / n_converged",
    ),
    Column("expected_steps_low", "float64", "updates", "lower end of its 95 % interval"),
    Column("expected_steps_high", "float64", "updates", "upper end of its 95 % interval; inf if none converged"),
    Column(
        "restart_steps",
        "int64",
        "updates",
        "best number of updates after which to restart a run; null if none converged",
    ),
    Column(
        "restarted_steps",
        "float64",
        "updates",
        "expected updates per converged run with these restarts, estimated on other runs",
    ),
    Column(
        "restarted_steps_low",
        "float64",
        "updates",
        "lower end of its 95 % interval; null with fewer than 100 converged runs",
    ),
    Column(
        "restarted_steps_high",
        "float64",
        "updates",
        "upper end of its 95 % interval; null with fewer than 100 converged runs",
    ),
)
# Columns of studies in which some cell has criterion 'none'.
_LOSSES = (
    *(
        Column(name, "float64", "loss", doc)
        for part in (25, 50, 75)
        for name, doc in (
            (
                f"final_loss_q{part}",
                f"final loss that {part} % of all runs do not exceed; inf if fewer runs have a finite loss",
            ),
            (f"final_loss_q{part}_low", "lower end of its 95 % interval; 0 if unknown"),
            (f"final_loss_q{part}_high", "upper end of its 95 % interval; inf if unknown"),
        )
    ),
    Column("finite_rate", "float64", "fraction", "fraction of all runs whose final loss is finite"),
    Column("finite_rate_low", "float64", "fraction", "lower end of its 95 % Wilson interval"),
    Column("finite_rate_high", "float64", "fraction", "upper end of its 95 % Wilson interval"),
)
# Columns of studies that record measures of networks, by measure.
_OF_QUANTITIES = {
    measure: tuple(
        Column(name, "float64", NETWORK_MEASURES[measure].unit, doc)
        for part in (25, 50, 75)
        for name, doc in (
            (f"{measure}_q{part}", f"{label} that {part} % of all runs do not exceed; infinite if that run diverged"),
            (f"{measure}_q{part}_low", "lower end of its 95 % interval; the smallest possible value if unknown"),
            (f"{measure}_q{part}_high", "upper end of its 95 % interval; inf if unknown"),
        )
    )
    for measure, label in QUANTITIES.items()
}
# Other columns of answers of results; a test compares them with all answers.
_ENDS = ("", "_low", "_high")
_OF_ANSWERS = (
    *("n_cells", "best_cell", "best_rate", "best_final_loss_q50"),
    *("rank", "p_value", "p_value_holm", "may_be_best", "best_of", "best_of_low", "best_of_high"),
    *("first", "second", "n_seeds", "n_pairs", "equivalent", "p_equivalent", "p_steps", "p_steps_holm", "steps_limit"),
    *(f"{side}_{what}" for side in ("first", "second") for what in ("rate", "faster", "better", "median", "mean")),
    *(
        f"{effect}{end}"
        for effect in ("difference", "advantage", "expected_steps_ratio", "restricted_mean_difference", "share")
        for end in _ENDS
    ),
    *("incidence", "low", "high", "band_low", "band_high", "at_risk", "factor", "n_problems", "n_unsolved", "k"),
    *("n_learned", "loss_threshold", "partial"),
    *(
        f"{measure}_{statistic}{end}"
        for measure in ("final_loss", "max_error", "n_correct", "test_loss", "n_test_correct", *QUANTITIES)
        for statistic in ("q25", "q50", "q75", "mean")
        for end in _ENDS
    ),
)
# Columns of integers that may be null.
NULL_COLUMNS = (*(f"steps_q{part}{end}" for part in (25, 50, 75) for end in ("", "_low", "_high")), "restart_steps")


def reserved_columns() -> set[str]:
    """Return the names of columns, which no setting of a component may have."""
    recorded = {*NETWORK_MEASURES, "initial_weights", "final_weights"}
    of_cells = (*_COUNTS, *_STATISTICS, *_LOSSES, *(each for columns in _OF_QUANTITIES.values() for each in columns))
    return {column.name for column in (*OF_RUNS, *of_cells)} | {"n", *_OF_ANSWERS} | recorded


def cells_columns(study: StudyContent) -> list[Column]:
    """Return the columns of the cells table, one row per cell."""
    counts = [column for column in _COUNTS if study.has_patience or column.name != "n_plateau"]
    losses = _LOSSES if tells_losses(study) else ()
    return [CELL, *parameter_columns(study), *counts, *_STATISTICS, *losses, *quantity_columns(study)]


def quantity_columns(study: StudyContent) -> list[Column]:
    """Return the columns of quartiles of recorded measures of networks."""
    return [column for name in recorded_quantities(study) for column in _OF_QUANTITIES[name]]


def recorded_quantities(study: StudyContent) -> list[str]:
    """Return the recorded measures of networks that have quartiles: all but ``learned_function``, a bit mask."""
    return [name for name in study.record.measures if name in QUANTITIES]


def tells_losses(study: StudyContent) -> bool:
    """Return whether the cells table has statistics of final losses: if some cell has criterion 'none'."""
    return "none" in study.values_of("criterion")


def tally_columns() -> list[Column]:
    """Return the columns of a tally: the runs of a cell by status and number of steps."""
    return [CELL, STATUS, STEPS, Column("n", "int64", "runs", "runs with this status and number of steps")]


def counts_columns(study: StudyContent) -> list[Column]:
    """Return the columns of parts without rows of runs: a tally, by final loss too where cells have its statistics."""
    loss = Column("final_loss", "float64", "loss", "rounded to 9 bits with criterion 'none', otherwise 0")
    return [*tally_columns(), *([loss] if tells_losses(study) else [])]
