"""Options that vary together: zipped lists and exclusions, against lists of all cells."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep import Study, StudyError, load_study
from sweep.study.load import parse_changes
from tests.sweep.support import write_study


def make(**tables: Any) -> Study:
    """Make a study of XOR."""
    return Study(**{"data": {"task": "xor"}, **tables})


def cells_of(study: Study) -> list[dict[str, Any]]:
    """Return the swept options of all cells, in their order."""
    return [study.grid.values(cell) for cell in range(study.n_cells)]


ZIPPED = {"hidden": [2, 2, 4], "learning_rate": [0.1, 0.3, 0.1]}


def test_zipped_options_vary_together() -> None:
    """The k-th values form a point, axes of one option come first, and parameters list each value once."""
    study = make(parameters={"scale": [0.5, 1.0]}, zip=[ZIPPED])
    rows = [{"hidden": hidden, "learning_rate": rate} for hidden, rate in zip(*ZIPPED.values(), strict=True)]
    assert cells_of(study) == [{"scale": scale} | row for scale in (0.5, 1.0) for row in rows]
    assert study.parameters == {"scale": (0.5, 1.0), "hidden": (2, 4), "learning_rate": (0.1, 0.3)}
    assert study.n_cells == 6
    cells = np.arange(6)
    for name in study.parameters:
        assert study.grid.column(name, cells).tolist() == [cell[name] for cell in cells_of(study)]
        assert study.grid.place(name, cells).tolist() == [
            study.parameters[name].index(c[name]) for c in cells_of(study)
        ]
    assert study.grid.n_cells_at({"hidden": [2], "scale": [0.5, 1.0]}) == 4


@given(st.data())
def test_exclusions_leave_out_cells(data: st.DataObject) -> None:
    """Cells are the combinations that meet no table's conditions, each once."""
    parameters = {"hidden": [2, 3, 5], "learning_rate": [0.1, 0.2, 0.4], "scale": [1.0, 2.0], "bias": [True, False]}
    names = list(parameters)
    tables = data.draw(
        st.lists(
            st.dictionaries(st.sampled_from(names[:3]), st.integers(0, 5), min_size=1, max_size=2),
            min_size=1,
            max_size=2,
        )
    )
    exclude: list[dict[str, Any]] = [{} for _ in tables]
    for table, drawn in zip(exclude, tables, strict=True):
        for name, number in drawn.items():
            values = parameters[name]
            value = values[number % len(values)]
            table[name] = (value, [value, values[0]], {"min": value}, {"max": value, "min": values[0]})[number % 4]

    def is_out(cell: dict[str, Any], table: dict[str, Any]) -> bool:
        def meets(value: Any, condition: Any) -> bool:
            if isinstance(condition, dict):
                return bool(condition.get("min", -1) <= value <= condition.get("max", 1e9))
            return value in condition if isinstance(condition, list) else bool(value == condition)

        return all(meets(cell[name], condition) for name, condition in table.items())

    every = [dict(zip(names, values, strict=True)) for values in product(*parameters.values())]
    kept = [cell for cell in every if not any(is_out(cell, table) for table in exclude)]
    if not kept:
        with pytest.raises(StudyError, match="excludes every cell"):
            make(parameters=parameters, exclude=exclude)
        return
    study = make(parameters=parameters, exclude=exclude)
    assert {tuple(cell[name] for name in names) for cell in cells_of(study)} == {tuple(cell.values()) for cell in kept}
    assert len(kept) == study.n_cells == len({tuple(sorted(cell.items())) for cell in cells_of(study)})
    assert Study(**{**study.canonical(), "data": {"task": "xor"}}) == study


@pytest.mark.parametrize(
    "tables",
    [
        {"zip": [ZIPPED]},
        {"zip": [ZIPPED, {"scale": [1.0, 2.0], "bias": [True, False]}]},
        {"parameters": {"hidden": ["2", "4-2"], "learning_rate": [0.1, 0.2]}, "exclude": [{"hidden": "4-2"}]},
        {"samples": [{"count": 7, "hidden": {"range": [2, 9]}, "learning_rate": {"geomspace": [0.01, 1.0]}}]},
        {"network": {"hidden": 2}, "samples": [{"count": 3, "learning_rate": {"min": 0.1, "max": 1.0}}]},
        {"zip": [{**ZIPPED, "target_low": [-1, 0, 0]}]},
    ],
)
def test_canonical_form_holds_lists(tmp_path: Path, tables: dict[str, Any]) -> None:
    """The canonical form has only explicit lists, and is the same study; its identity depends on their order."""
    study = make(**tables)
    canonical = study.canonical()
    assert not {"samples", "exclude"} & canonical.keys()
    loaded = load_study(write_study(tmp_path / "study.toml", study))
    assert loaded == study
    assert cells_of(loaded) == cells_of(study)
    assert loaded.to_toml() == study.to_toml()
    for axis in canonical.get("zip", []):
        turned = {**canonical, "zip": [dict(reversed(axis.items()))]}
        if len(canonical["zip"]) == 1 and "sha256" not in canonical["data"]:
            assert Study(**turned).identity != study.identity


def test_one_option_is_a_parameter() -> None:
    """A zip of one option, and an exclusion of values of one, equal a list in [parameters]."""
    plain = make(network={"hidden": 2}, parameters={"learning_rate": [0.1, 0.4]})
    assert make(network={"hidden": 2}, zip=[{"learning_rate": [0.1, 0.4]}]) == plain
    swept = {"learning_rate": [0.1, 0.2, 0.4]}
    assert make(network={"hidden": 2}, parameters=swept, exclude=[{"learning_rate": 0.2}]) == plain
    assert "zip" not in plain.canonical()


def test_only_combinations_that_occur_conflict() -> None:
    """Options that cannot be combined may be values of one axis, if no point has both."""
    rates = {"loss": ["bce", "sse"], "output": ["sigmoid", "identity"]}
    assert make(network={"hidden": 2}, training={"learning_rate": 0.1}, zip=[rates]).n_cells == 2
    with pytest.raises(
        StudyError, match=r"zip\[0\].loss: 'bce' needs output 'sigmoid', got zip\[0\].output 'identity'"
    ):
        make(
            network={"hidden": 2},
            training={"learning_rate": 0.1},
            zip=[{"loss": ["bce", "sse", "bce"], "output": ["sigmoid", "identity", "identity"]}],
        )
    points = {"optimizer": ["gd", "rprop"], "batch": ["online", "full"], "learning_rate": [0.0, 0.1]}
    assert make(network={"hidden": 2}, zip=[points]).n_cells == 2
    signs = {"loss": ["hinge", "sse"], "target_low": [-1, 0]}
    assert make(data={"task": "xor"}, network={"hidden": 2}, training={"learning_rate": 0.1}, zip=[signs]).n_cells == 2
    with pytest.raises(StudyError, match="'hinge' needs targets of -1 and 1"):
        make(network={"hidden": 2}, training={"learning_rate": 0.1}, zip=[{**signs, "target_low": [0, -1]}])


def test_layers_and_sets_of_patterns_are_those_that_occur() -> None:
    """No kernels and no patterns are made for combinations that no cell has."""
    study = make(training={"learning_rate": 0.1}, zip=[{"hidden": [2, 3], "layers": [1, 3]}])
    assert study.hidden_layers == [(2,), (3, 3, 3)]
    tables = {"network": {"hidden": 2}, "training": {"learning_rate": 0.1}}
    study = Study(data={"task": "noise", "n": 4}, zip=[{"n_inputs": [2, 2], "data_seed": [1, 5]}], **tables)
    assert len(study.data.sets) == 2
    for cell, seed in enumerate((1, 5)):
        single = Study(data={"task": "noise", "n": 4, "n_inputs": 2, "data_seed": seed}, **tables)
        assert study.patterns_of(cell) == single.data.only


# Tables that are refused, and a part of the sentence.
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"zip": [{"hidden": [2, 3], "learning_rate": [0.1]}]}, "must have equal lengths"),
    ({"zip": [{"hidden": [2, 2], "learning_rate": [0.1, 0.1]}]}, "points must differ"),
    ({"zip": [{"hiden": [2]}]}, "zip[0]: unknown key 'hiden'; did you mean 'hidden'?"),
    ({"zip": [{"hidden": [2, 3], "learning_rate": [0.1, -1]}]}, "zip[0].learning_rate[1]: must be at least 0"),
    ({"zip": 3}, "zip: must be a list of tables (in a file [[zip]]), got 3"),
    ({"zip": [{"learning_rate": [1, 2]}], "parameters": {"learning_rate": [1]}}, "is also set as parameters.learning"),
    ({"samples": [{"learning_rate": {"min": 0, "max": 1}}]}, "samples[0].count: is missing; set"),
    ({"samples": [{"count": 2, "method": "halton", "hidden": [2]}]}, "samples[0].method: unknown method 'halton'"),
    ({"samples": [{"count": 2, "seed": -1, "hidden": [2]}]}, "samples[0].seed: must be an integer from 0 to 42949"),
    ({"samples": [{"count": 2}]}, "samples[0]: names no option; add ranges"),
    ({"samples": [{"count": 2, "hiden": [2]}]}, "samples[0]: unknown key 'hiden'; did you mean 'hidden'?"),
    ({"samples": [{"count": 4, "hidden": [2, 3]}]}, "the number of distinct points, got 4, but only 2 were found"),
    ({"samples": [{"count": 2, "hidden": {"geomspace": [0, 4]}}]}, "both ends must be above 0"),
    ({"samples": [{"count": 2, "scale": {"min": 2, "max": 1}}]}, "the first end must be at most the second, got [2,"),
    ({"samples": [{"count": 2, "learning_rate": {"min": -1, "max": 1}}]}, "rate[0]: must be at least 0, got -1"),
    ({"exclude": [{"hidden": 9}]}, "exclude[0].hidden: must be one of the swept values, got 9"),
    ({"exclude": [{"scale": 1}]}, "exclude[0]: must name swept options, got 'scale'; this study sweeps hidden and lea"),
    ({"exclude": [{"hidden": [2, 3]}]}, "exclude[0]: excludes every cell"),
    ({"exclude": [{"learning_rate": {"min": 5}}]}, "exclude[0]: must exclude some cell"),
    ({"exclude": [{"learning_rate": {"target_low": 5}}]}, "must be a value, a list of values, or { min = .., "
    "max = .."),
    ({"exclude": [{"learning_rate": {"min": 2, "max": 1}}]}, "exclude[0].learning_rate: min must be at most max"),
    ({"exclude": [{}]}, "exclude[0]: must be a table of options"),
]  # fmt: skip


@pytest.mark.parametrize(("tables", "text"), REFUSED)
def test_refused(tables: dict[str, Any], text: str) -> None:
    """A bad table is one sentence that names its key."""
    swept = {"hidden": [2, 3], "learning_rate": [0.1, 0.2]}
    if "exclude" in tables:
        tables = {"parameters": swept, **tables}
    with pytest.raises(StudyError) as caught:
        make(**tables)
    assert any(text in fault for fault in caught.value.faults), caught.value.faults


def test_a_grid_that_is_too_large_is_not_listed() -> None:
    """Merged axes list their points, so these are limited; other axes may have any size."""
    swept = {"learning_rate": {"linspace": [0.1, 1.0, 1000]}, "scale": {"linspace": [0.1, 1.0, 1000]}, "hidden": [2, 3]}
    with pytest.raises(StudyError, match="at most 100,000 combinations, got 1,000,000 of learning_rate and scale"):
        make(parameters=swept, exclude=[{"learning_rate": {"max": 0.2}, "scale": {"max": 0.2}}])
    assert make(parameters=swept, exclude=[{"learning_rate": {"max": 0.2}, "hidden": 3}]).n_cells > 10**6


TEXT = """
[data]
task = "xor"
[[samples]]
method = "random"
count = 5
hidden = [2, 3, 4]
learning_rate = { geomspace = [0.01, 1.0] }
[[zip]]
scale = [0.5, 1.0]
threshold = [0.1, 0.01]
[seeds]
count = 3
"""


@pytest.mark.parametrize(
    ("assignments", "n_cells", "swept"),
    [
        (["samples.count=7", "samples.seed=3"], 14, ["hidden", "learning_rate", "scale", "threshold"]),
        (["hidden=8"], 10, ["learning_rate", "scale", "threshold"]),
        (["hidden=8", "learning_rate=0.1"], 2, ["scale", "threshold"]),
        (["hidden=2,3,4,5"], 10, ["hidden", "learning_rate", "scale", "threshold"]),
        (["scale=2.0,3.0"], 10, ["hidden", "learning_rate", "scale", "threshold"]),
        (["scale=1.0", "bias=true,false"], 20, ["threshold", "bias", "hidden", "learning_rate"]),
        (["zip=[]"], 5, ["hidden", "learning_rate"]),
        (["seeds.count=7"], 10, ["hidden", "learning_rate", "scale", "threshold"]),  # of seeds, not of samples
        (["exclude=[{scale = 0.5, hidden = [2, 3]}]"], None, ["scale", "threshold", "hidden", "learning_rate"]),
    ],
)
def test_changes(tmp_path: Path, assignments: list[str], n_cells: int | None, swept: list[str]) -> None:
    """One value removes an option from its axis; a list or range replaces its values there; tables are replaced."""
    path = tmp_path / "study.toml"
    path.write_text(TEXT)
    study = load_study(path, parse_changes(assignments))
    assert sorted(study.parameters) == sorted(swept)
    assert n_cells is None or study.n_cells == n_cells


def test_a_key_of_samples_needs_one_table() -> None:
    """A key of [[samples]] can be changed only if there is exactly one table."""
    with pytest.raises(StudyError, match=r"'samples\.count' needs exactly one table .*, got 0"):
        load_study("xor", {"samples.count": 4})
