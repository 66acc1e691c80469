"""Comparisons of final losses between values of a parameter, for studies that do not judge convergence."""

from __future__ import annotations

from typing import Any

from sweep.errors import StoreError, SweepError
from sweep.results.answers import swept
from sweep.results.pooled_cells import pairs_seeds
from sweep.results.result import Result
from sweep.system.formatting import chance_text, measure_text, short

# Most values of a parameter that are compared with the best of them.
_MOST_VALUES = 12


def loss_comparisons(result: Result) -> list[dict[str, Any]]:
    """Return for each parameter of few values the comparisons of its best value with the others, pooled."""
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
        medians = {row[side]: row[f"{side}_median"] for row in compared for side in ("first", "second")}
        best = min(medians, key=lambda value: medians[value])
        rows = [_comparison(row, best) for row in compared if best in (row["first"], row["second"])]
        found.append({"name": name.replace("_", " "), "best": short(best), "rows": rows})
    return found


def _comparison(row: dict[Any, Any], best: Any) -> list[str]:
    """Return a comparison as texts, relative to the best value."""
    own, other = ("first", "second") if row["first"] == best else ("second", "first")
    ends = [row[f"ratio{end}"] for end in ("", "_low", "_high")]
    if own == "second":
        ends = [1 / end if end else float("inf") for end in (ends[0], ends[2], ends[1])]
    ratio, low, high = map(measure_text, ends)
    text = ratio if "-" in (low, high) else f"{ratio} [{low}, {high}]"
    lower = [f"{100 * row[f'{side}_lower']:.1f}" for side in (own, other)]
    return [short(row[other]), measure_text(row[f"{other}_median"]), text, *lower, chance_text(row["p_value_holm"])]
