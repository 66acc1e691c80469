"""Each statistic of tables and answers is defined in the list that the manual and ``sweep explain`` read."""

from __future__ import annotations

import sweep
from sweep.schemas.cell_columns import cells_columns
from sweep.statistics.definitions import definition_of, definitions
from tests.sweep.support import make_study

COUNTS = ("n_runs", "n_converged", "n_diverged", "n_stalled", "n_exhausted", "n_plateau")


def test_every_statistic_of_cells_is_defined() -> None:
    """Studies with and without a criterion, and with recorded measures."""
    for study in (make_study(), make_study(criterion="none")):
        recording = sweep.Study(**{**study.canonical(), "record": {"measures": ["margin"]}})
        names = [column.name for column in cells_columns(recording)]
        wanted = [name for name in names if name not in ("cell", *COUNTS, *study.parameters)]
        assert [name for name in wanted if definition_of(name) is None] == []


def test_statistics_of_answers_are_defined() -> None:
    """The columns of best, compare, importance and incidence, except counts."""
    result = sweep.run(make_study())
    answers = (result.best(), result.compare("hidden"), result.importance(), result.incidence())
    ends = (
        "n_",
        "first",
        "second",
        "low",
        "high",
        "band_",
        "at_risk",
        "term",
        "part_of",
        "variance",
        "rank",
        "steps_limit",
    )
    known = (*result.study.parameters, "cell", "steps", "share_by_chance", "p_steps", "p_steps_holm", *COUNTS)
    names = {name for answer in answers for name in answer.columns if not name.startswith(ends) and name not in known}
    assert {name for name in names if definition_of(name) is None} == set()


def test_definitions_are_whole() -> None:
    """Each has a title and a definition."""
    for definition in definitions().values():
        assert definition.title
        assert definition.text.endswith(".")
