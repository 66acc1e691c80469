"""Tables of comparisons: values of a parameter, or two results, on common seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sweep.analysis.compare import MOST_COMPARED, ComparedBy, compare_values, differs_alone
from sweep.measures import MEASURES
from sweep.results.answers import default_statistic, swept
from sweep.results.best import at_best_fault
from sweep.results.estimate import pairs_seeds, why_unpaired
from sweep.results.queries import Queries
from sweep.results.tables.table import (
    INTERVAL,
    Table,
    TableColumn,
    count_column,
    interval_text,
    measure_column,
    p_value_column,
    percent_column,
    shown_of,
    value_column,
    with_ends,
)
from sweep.results.tables.table_kind import TableKind
from sweep.statistics.of_cells import main_statistic_of, measure_of
from sweep.system.formatting import difference_text, short, steps_difference_text, steps_ratio_text

if TYPE_CHECKING:
    import pandas as pd

# Parameters with more values are not compared on the page.
_MOST_VALUES = 12
_SIDES = ("first", "second")
_MEANINGS = {
    "option": "the option that is compared",
    "first": "its best value",
    "second": "the value that is compared with it",
}
_DIFFERENCES = ("difference", "advantage", "restricted_mean_difference")


def compared_tables(
    compared: pd.DataFrame, by: Sequence[str], measure: str | None = None, top: int | None = None
) -> list[Table]:
    """Return the tables of comparisons: of rates and of steps, or of a measure.

    They are of the table of :meth:`sweep.Result.compare`. At most ``top`` rows are those with the smallest p-values.
    """
    if measure:
        frame = compared if top is None else compared.sort_values("p_value", kind="stable").head(top)
        return [_of_measure(frame, len(compared), by, measure)]
    frame = compared
    if top is not None:
        smallest = compared[["p_value", "p_steps"]].min(axis=1).sort_values(kind="stable").index
        frame = compared.loc[smallest[:top]]
    return [_of_rates(frame, len(compared), by), _of_steps(frame, len(compared), by)]


def _title(what: str, frame: pd.DataFrame, n_rows: int) -> str:
    """Return what is compared, and how many of the rows are shown."""
    if len(frame) == n_rows:
        return what
    return f"{what}, {shown_of(len(frame), n_rows, 'comparison')}, smallest p-values first"


def _of_rates(frame: pd.DataFrame, n_rows: int, by: Sequence[str]) -> Table:
    """Return the table of rates."""
    counts = ["n_seeds", "n_pairs"] if (frame["n_pairs"] > frame["n_seeds"]).any() else ["n_seeds"]
    columns = [
        *map(value_column, (*by, *_SIDES)),
        *(count_column(name, is_optional=True) for name in counts),
        *(percent_column(f"{side}_rate", f"rate of\n{side},\n%") for side in _SIDES),
        _difference_column("difference"),
        p_value_column("p_value_holm"),
    ]
    notes: tuple[str, ...] = ()
    if "equivalent" in frame:
        says = {True: "yes", False: "not proven"}
        columns.append(TableColumn("equivalent", lambda row: says.get(row["equivalent"], "-"), ("equivalent",)))
        notes = ("equivalent: tests exclude a difference as large as --margin, at 5 % for all rows together (Holm)",)
    return Table(_title("rates", frame, n_rows), tuple(columns), frame, n_rows, notes, "seeds")


def _of_steps(frame: pd.DataFrame, n_rows: int, by: Sequence[str]) -> Table:
    """Return the table of steps."""
    ratio, mean = "expected_steps_ratio", "restricted_mean_difference"
    columns = (
        *map(value_column, (*by, *_SIDES)),
        *(percent_column(f"{side}_faster", f"{side}\nfaster,\n%", is_optional=True) for side in _SIDES),
        p_value_column("p_steps_holm"),
        TableColumn(
            "expected steps,\nfirst / second", lambda row: steps_ratio_text(row, _SIDES), with_ends(ratio), INTERVAL
        ),
        TableColumn(
            "mean steps,\nfirst - second",
            lambda row: steps_difference_text(*(row[name] for name in with_ends(mean))),
            with_ends(mean),
            INTERVAL,
        ),
    )
    limits = frame["steps_limit"].dropna().unique()
    limit = f"{int(limits[0]):,}, " if len(limits) == 1 and frame["steps_limit"].notna().all() else ""
    notes = (
        "p-values test which side is faster on more seeds",
        "p-values (Holm) allow for the number of tests in both tables; each 95 % interval is of one comparison",
        "expected steps (ERT): the steps of all runs, divided by the number of converged runs",
        f"mean steps (RMST): a run that does not converge counts as {limit}the smaller of the two step limits",
    )
    return Table(_title("steps", frame, n_rows), columns, frame, n_rows, notes, "faster runs")


def _of_measure(frame: pd.DataFrame, n_rows: int, by: Sequence[str], measure: str) -> Table:
    """Return the table of a measure."""
    found, mean = MEASURES[measure], main_statistic_of(measure)
    what = "mean" if found.has_mean else "median"
    column, unit = (percent_column, ",\n%") if mean.percent else (measure_column, "")
    of_sides = [column(f"{side}_{what}", f"{what} of\n{side}{unit}") for side in _SIDES]
    if mean.percent:
        of_sides.append(_difference_column("difference"))
    elif what == "mean":
        names = with_ends("difference")
        of_sides.append(
            TableColumn("difference", lambda row: interval_text(mean, *(row[each] for each in names)), names, INTERVAL)
        )
    columns = (
        *map(value_column, (*by, *_SIDES)),
        *map(count_column, ("n_seeds", "n_pairs")),
        *of_sides,
        *(percent_column(f"{side}_better", f"{side}\nbetter,\n%") for side in _SIDES),
        _difference_column("advantage"),
        p_value_column("p_value_holm"),
    )
    notes = (
        f"runs are paired by seed; the {'higher' if found.more_is_better else 'lower'} value is better",
        "advantage: share of pairs in which the first is better, minus the share in which the second is better",
        "p-value: tests whether the advantage is 0, adjusted for all rows (Holm)",
    )
    return Table(_title(found.label, frame, n_rows), columns, frame, n_rows, notes)


def _difference_column(name: str) -> TableColumn:
    """Return the column of a difference of shares, in percentage points."""
    names = with_ends(name)
    return TableColumn(f"{name}, %", lambda row: difference_text(*(row[each] for each in names)), names, INTERVAL)


def facing_best(compared: pd.DataFrame, difference: str) -> pd.DataFrame:
    """Return the comparisons of the best value of a parameter with all others; the best is the first of each.

    The column ``difference`` is positive if the first value is better.
    """
    best = best_value(compared, difference)
    rows = compared[(compared["first"] == best) | (compared["second"] == best)]
    swapped = rows.rename(columns={name: _swapped(name) for name in rows})[list(rows)]
    signed = [name for each in _DIFFERENCES for name in with_ends(each) if name in rows]
    ratios = [name for name in with_ends("expected_steps_ratio") if name in rows]
    swapped[signed] = -swapped[signed]
    swapped[ratios] = 1 / swapped[ratios]
    faces: pd.DataFrame = rows.where(rows["first"] == best, swapped)
    return faces


def _swapped(name: str) -> str:
    """Return the column that holds the same where both sides are swapped."""
    for one, other in (("first", "second"), ("second", "first")):
        if name == one or name.startswith(f"{one}_"):
            return other + name.removeprefix(one)
    for one, other in (("_low", "_high"), ("_high", "_low")):
        if name.endswith(one):
            return name.removesuffix(one) + other
    return name


def best_value(compared: pd.DataFrame, difference: str) -> Any:
    """Return the value of a parameter that loses least to any other value. In partial results pairs differ in cells."""
    least: dict[Any, float] = {}
    for first, second, ahead in compared[["first", "second", difference]].itertuples(index=False):
        for value, by in ((first, ahead), (second, -ahead)):
            least[value] = min(least.get(value, by), by)
    return max(least, key=lambda value: least[value])


def _is_compared(result: Queries, name: str) -> bool:
    """Return whether a parameter has few values, and some cells differ in it alone."""
    grid = result.study.grid
    return len(grid.parameters[name]) <= min(_MOST_VALUES, MOST_COMPARED) and differs_alone(grid, name)


def _build(result: Queries, top: int | None) -> list[Table]:
    """Return the comparisons of each parameter with few values; none if rows are not kept, or no run converged."""
    measure = measure_of(default_statistic(result))
    if not pairs_seeds(result) or not (measure or result.cells["n_converged"].any()):
        return []
    tables = []
    for name in swept(result.study):
        if not _is_compared(result, name):
            continue
        compared, note = _compared(result, name, measure)
        compared = compared if measure else compared.dropna(subset=["difference"])
        if compared.empty:  # a partial result may have no pairs yet
            continue
        facing = facing_best(compared, "advantage" if measure else "difference")
        facing.insert(0, "option", name)
        best = f"{name.replace('_', ' ')} {short(facing['first'].iloc[0])} compared with others"
        best += ", each at its best" if note else ""
        for table in compared_tables(facing, [], measure, top):
            notes = (*table.notes, note) if note else table.notes
            tables.append(replace(table, title=f"{best}: {table.title}", meanings=_MEANINGS, notes=notes))
    return tables


def _compared(result: Queries, name: str, measure: str | None) -> tuple[pd.DataFrame, str]:
    """Return the comparison of the values of a parameter, and a note if it has other options at their best.

    Others are pooled in partial results, with few seeds, and with different numbers of seeds.
    """
    study = result.study
    if len(swept(study)) > 1 and not at_best_fault(result):
        compared = result.compare(name, each_at_best=True)
        return compared, str(compared.attrs["note"]).replace(f"each value of {name} is", "each value is")
    compared_by = ComparedBy.of_study(study, measure, on_shared_seeds=result.adaptive)
    return compare_values(result.runs_by(measure), study.grid, name, [], compared_by), ""


def _why_none(result: Queries) -> str:
    """Return why no parameter is compared."""
    if not pairs_seeds(result):
        return why_unpaired(result)
    if not (measure_of(default_statistic(result)) or result.cells["n_converged"].any()):
        return "no run converged"
    if not any(_is_compared(result, name) for name in swept(result.study)):
        return f"no parameter with 2 to {min(_MOST_VALUES, MOST_COMPARED)} values varies alone"
    return "no two cells that differ in one parameter have runs with the same seed yet"


TABLE = TableKind(
    "comparisons",
    20,
    "Comparisons",
    _build,
    _why_none,
    "Each value is compared with the best value of its parameter on common seeds (common random numbers), each with "
    "the other parameters at their best, which other seeds choose. In partial results and with few seeds, the other "
    "parameters are pooled instead. If seeds.until decides how many seeds cells have, pooled pairs use only seeds "
    "that all their cells have, so every cell has the same weight. Seeds are independent, but runs of the same seed "
    "are not. Intervals and p-values therefore count seeds, and splits of the data if these are swept. With one pair "
    "of runs per seed, the p-values are those of McNemar's exact test. P-values are adjusted over all comparisons of a "
    "parameter (Holm). A run is faster than another with the same seed if it converges in fewer steps; if neither "
    "converges, neither is faster. The loss of a diverged run counts as infinite.",
)
