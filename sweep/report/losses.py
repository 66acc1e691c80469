"""Comparisons of final losses between values of a parameter, for studies without a criterion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sweep.errors import StoreError, SweepError
from sweep.results.answers import swept
from sweep.results.pooled_cells import pairs_seeds
from sweep.results.result import Result
from sweep.system.formatting import chance_text, difference_text, measure_text, short

# Parameters with more values are not compared.
_MOST_VALUES = 12


def loss_comparisons(result: Result) -> list[dict[str, Any]]:
    """Return the comparisons of the best value with each other value, for each parameter with few values."""
    if not pairs_seeds(result):
        return []
    found = []
    for name in swept(result.study):
        if len(result.study.parameters[name]) > _MOST_VALUES:
            continue
        try:
            compared = result.compare(name, "final_loss").to_dict("records")
        except StoreError:
            raise
        except SweepError:  # a partial result may have no pairs yet
            continue
        best = best_value(compared, "advantage")
        rows = [_comparison(row, best) for row in compared if best in (row["first"], row["second"])]
        found.append({"name": name.replace("_", " "), "best": short(best), "rows": rows})
    return found


def _comparison(row: dict[Any, Any], best: Any) -> list[str]:
    """Return the texts of a comparison with the best value."""
    best_side, other, sign = ("first", "second", 1) if row["first"] == best else ("second", "first", -1)
    low, high = sorted((sign * row["advantage_low"], sign * row["advantage_high"]))
    better = [f"{100 * row[f'{side}_better']:.1f}" for side in (best_side, other)]
    advantage = difference_text(sign * row["advantage"], low, high)
    return [
        short(row[other]),
        measure_text(row[f"{other}_median"]),
        *better,
        advantage,
        chance_text(row["p_value_holm"]),
    ]


def best_value(compared: Sequence[dict[Any, Any]], advantage: str) -> Any:
    """Return the value of a parameter that loses least to any other value. In partial results pairs differ in cells.

    Parameters
    ----------
    compared
        Comparisons of all pairs of values.
    advantage
        The column that is positive if the first value is better.
    """
    least: dict[Any, float] = {}
    for row in compared:
        for value, ahead in ((row["first"], row[advantage]), (row["second"], -row[advantage])):
            least[value] = min(least.get(value, ahead), ahead)
    return max(least, key=lambda value: least[value])
