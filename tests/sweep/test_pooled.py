"""Statistics of several cells together, whose runs share seeds."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sweep.answers import sum_over
from sweep.plan import Plan
from sweep.statistics.cells import cells_of
from sweep.statistics.outcomes import Outcomes
from tests.sweep.invented import outcomes_of, result_of
from tests.sweep.support import make_study

SIZES = {"hidden": [2, 3, 4], "learning_rate": [0.1, 0.2, 0.3, 0.4], "distribution": ["normal", "uniform"]}


def some_cells(drawn: Outcomes, cells: Iterable[int]) -> Outcomes:
    """Return the runs of some cells, as if those of others were not trained."""
    there = np.isin(np.arange(len(drawn.steps)), list(cells))[:, None]
    return Outcomes(np.where(there, drawn.steps, -1), drawn.converged & there)


@given(
    st.sets(st.integers(0, 23), min_size=1),
    st.lists(st.sampled_from(list(SIZES)), min_size=1, max_size=3, unique=True),
)
def test_rows_of_partial_results_are_their_own(cells: set[int], by: list[str]) -> None:
    """Whichever cells are there, each row has the interval of its own runs, in the order of the study."""
    study = make_study(count=12, **SIZES)
    drawn = outcomes_of(np.random.default_rng(len(cells)), np.linspace(0, 1, 24), 12, 0.5)
    result = result_of(study, some_cells(drawn, cells))
    there = result.cells
    order = [values for values in cells_of(Plan(study))[by].drop_duplicates().itertuples(index=False, name=None)
             if (there[by] == list(values)).all(axis=1).any()]  # fmt: skip
    for table in (result.summarize(by), sum_over(result, by)):
        assert list(table[by].itertuples(index=False, name=None)) == order
        for row in table.to_dict("records"):
            own = there[(there[by] == [row[name] for name in by]).all(axis=1)]["cell"]
            (expected,) = sum_over(result_of(study, some_cells(drawn, own)), []).to_dict("records")
            for name in ("n_runs", "convergence_rate", "convergence_rate_low", "convergence_rate_high"):
                assert row[name] == expected[name], name
