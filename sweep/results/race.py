"""How the cells of a result raced: what each was given, which are left, and what the answer says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sweep.analysis.study_measures import most_correct
from sweep.analysis.study_race import StudyRace
from sweep.errors import SweepError
from sweep.results.answers import swept
from sweep.statistics.intervals import LEVEL
from sweep.statistics.racing import mean_interval
from sweep.statistics.ranking import rank_cells
from sweep.system.formatting import count_text, measure_text, name_text

if TYPE_CHECKING:
    from sweep.results.evaluated_runs import EvaluatedRuns


def raced_by(result: EvaluatedRuns, statistic: str) -> StudyRace | None:
    """Return the race of the cells of a result if it was by this statistic."""
    race = result.race_state
    return race if race and race.statistic.name == statistic else None


def confidence_of(result: EvaluatedRuns, statistic: str) -> float:
    """Return the confidence with which the cells that may be the best by a statistic contain the best one."""
    return race.race.confidence if (race := raced_by(result, statistic)) else 1 - LEVEL


def rank_with_race(result: EvaluatedRuns, cells: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return cells from the best to the worst, those first that a race by this statistic left.

    They have equally many seeds, so their values rank them, and not the ends of intervals. Cells may be pooled.
    """
    race = raced_by(result, by)
    if race is None or "cell" not in cells:
        return rank_cells(cells, by)
    left = race.race.left[cells["cell"].to_numpy()]
    return pd.concat([rank_cells(cells[left], by), rank_cells(cells[~left], by)])


def tested_by_race(result: EvaluatedRuns, ranked: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return ranked cells in the order of the race by a statistic, and with its p-values; as they are without a race.

    The p-value of a bet against a cell is 1 divided by its largest wealth. It needs no adjustment for the number of
    cells or of looks.
    """
    race = raced_by(result, by)
    if race is None:
        return ranked
    found = rank_with_race(result, ranked, by).reset_index(drop=True)
    if found["cell"][0] != ranked["cell"][0]:
        found["equals_first"] = pd.array([False] * len(found), "boolean")
    cells = found["cell"].to_numpy()
    p_values = np.minimum(1.0, 1 / race.race.evidence[cells])
    p_values[0] = np.nan
    left = pd.array(race.race.left[cells], "boolean")
    return found.assign(rank=ranked["rank"], p_value=p_values, p_value_holm=p_values, may_be_best=left)


def race_table(result: EvaluatedRuns) -> pd.DataFrame:
    """Return the table of :meth:`sweep.Result.race`."""
    race = result.race_state
    if race is None:
        raise SweepError(
            "race: needs a complete study with seeds.until.best, with the rows of its runs; "
            "run one with --set 'until={best=\"rate\"}'"
        )
    state = race.race
    cells = np.arange(len(state.left))
    table = pd.DataFrame(
        {"cell": cells, **{name: result.study.column(name, cells) for name in result.study.parameters}}
    )
    table["n_seeds"], table["left"] = state.n_seeds, state.left
    table["p_value"] = np.minimum(1.0, 1 / state.evidence)
    low, high = (np.full(len(cells), np.nan) for _ in range(2))
    if not state.by_wins:
        for n in np.unique(state.n_seeds):
            own = np.flatnonzero(state.n_seeds == n)
            low[own], high[own] = _intervals(result, race, own)
    table["low"], table["high"] = low, high
    return table.sort_values(["left", "n_seeds", "p_value"], ascending=False, kind="stable").reset_index(drop=True)


def race_sentences(result: EvaluatedRuns, race: StudyRace) -> list[str]:
    """Return the sentences on what a race saved, what is left, and what its values mean."""
    state, study = race.race, result.stored.plan.study
    assert study.seeds.until
    n, n_left, n_runs = len(state.left), int(state.left.sum()), int(result.facts["n_runs"])
    confidence = f"{100 * state.confidence:g} % confidence"
    dropped = state.n_seeds[~state.left]
    seeds = f"{dropped.min():,} to {dropped.max():,} seeds" if dropped.size and np.ptp(dropped) else ""
    after = seeds or (count_text(int(dropped.min()), "seed") if dropped.size else "")
    what = f"{n - n_left:,} of {n:,} cells were dropped, after {after}" if dropped.size else "no cell was dropped"
    best = "the best one is left" if n_left == 1 else f"the best one is among the {n_left:,} that are left"
    by = f"{study.seeds.until.best}" + (", compared by wins on the same seed" if state.by_wins else "")
    sentences = [
        f"racing (by {by}) trained {n_runs:,} of {study.n_runs:,} runs ({100 * n_runs / study.n_runs:.0f} %): {what}; "
        f"{best} ({confidence})"
    ]
    leader = {"cell": state.leader, **result.study.grid.values(state.leader)}
    if state.within_margin:
        sentences.append(
            f"no cell is better than {name_text(leader, swept(result.study))} by more than {study.seeds.until.margin} "
            f"({confidence})"
        )
    last = ["seeds depended on results, so values of the best cells are slightly optimistic"] if dropped.size else []
    if not state.by_wins:
        (low,), (high,) = _intervals(result, race, np.array([state.leader]))
        is_share = race.statistic.percent
        ends = f"{100 * low:.1f} to {100 * high:.1f} %" if is_share else f"{measure_text(low)} to {measure_text(high)}"
        mean = race.statistic.label.removesuffix(", %") if race.statistic.measure else "convergence rate"
        whose = name_text(leader, swept(result.study))
        last.append(f"the {mean} of {whose} is {ends} ({confidence} at any number of seeds)")
    return [*sentences, *(["; ".join(last)] if last else [])]


def _intervals(result: EvaluatedRuns, race: StudyRace, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of intervals of the means of cells with equally many seeds, at any number of seeds."""
    measure = race.statistic.measure
    most = most_correct(result.study, measure).most if measure else 1
    runs = result.runs_by(measure).at(cells)
    of_runs = runs.values if measure else runs.converged
    n_replicates = race.cells.shape[1]
    values = of_runs.reshape(len(cells), n_replicates, -1)[:, :, : race.race.n_seeds[cells[0]]].mean(axis=1) / most
    low, high = mean_interval(values, race.race.confidence)
    return low * most, high * most
