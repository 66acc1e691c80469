"""Numbers of runs, in all and by how they ended."""

from __future__ import annotations

from sweep.statistics.statistic import Statistic

PLACE = 0
STATISTICS = tuple(
    Statistic(
        f"n_{status}",
        label,
        "runs",
        meaning,
        kind="count",
        integer=True,
        synonym=status,
        more_is_better=status in ("runs", "converged"),
    )
    for status, label, meaning in (
        ("runs", "runs", "runs of the cell"),
        ("converged", "runs converged", "runs that met the criterion"),
        ("diverged", "runs diverged", "runs whose loss became infinite, NaN or larger than divergence_threshold"),
        ("stalled", "runs stalled", "runs that no further update could change"),
        ("exhausted", "runs exhausted", "right-censored runs, which took all allowed updates"),
        (
            "plateau",
            "runs that ended on a plateau",
            "runs that did not improve within their patience; only in studies with patience",
        ),
    )
)
