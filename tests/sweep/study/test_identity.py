"""The parts of a study that decide its identity, and those that do not."""

from __future__ import annotations

import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sweep import Study, load_study
from tests.kernels.support import sized
from tests.sweep.compositions.checks import check_reading
from tests.sweep.compositions.studies import Tables, valid_compositions, with_files
from tests.sweep.support import SECTIONS, make_study
from tests.sweep.training.test_options import SWEPT, study_of

DRAWS = settings(
    max_examples=sized(20, 8),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


@pytest.mark.slow
@DRAWS
@given(valid_compositions(), st.randoms(use_true_random=False))
def test_spelling_of_studies_does_not_count(tables: Tables, random: Any) -> None:
    """The canonical text is the same study, and so are tables in another order or with explicit defaults."""

    def shuffled(table: dict[str, Any]) -> dict[str, Any]:
        items = list(table.items())
        random.shuffle(items)
        return dict(items)

    with TemporaryDirectory() as folder:
        tables = with_files(tables, Path(folder))
        study = Study(**tables)
        check_reading(study, tables, Path(folder, "study.toml"))
        other = {
            key: shuffled(table) if isinstance(table, dict) and key != "parameters" else table
            for key, table in shuffled(tables).items()
        }
        assert Study(**other | {"name": "other", "description": "another text"}).identity == study.identity
        written: dict[str, Any] = {**tables, "network": {}, "training": {}}
        for name, value in study.fixed().items():
            if name in SECTIONS and value is not None and study.uses(name):
                section = written[SECTIONS[name]] = dict(written.get(SECTIONS[name], {}))
                section[name] = value
        assert Study(**written).identity == study.identity


def test_order_of_parameters_counts() -> None:
    """The order decides the numbering of runs, so it is part of the identity."""
    one = make_study(hidden=[2, 3], learning_rate=[0.1, 0.2])
    other = make_study(learning_rate=[0.1, 0.2], hidden=[2, 3])
    assert list(other.parameters) != list(one.parameters)
    assert one.identity != other.identity
    assert make_study(hidden=[3, 2], learning_rate=[0.1, 0.2]) != one


@pytest.mark.parametrize("name", SWEPT)
def test_options_that_decide_numbers_count(name: str) -> None:
    """Each value of every option of a study has another identity."""
    values, others = SWEPT[name]
    assert len({study_of(name, value, **others).identity for value in values}) == len(values)


def test_other_settings_that_decide_numbers_count() -> None:
    """So have another type, other seeds and thresholds, and a number that differs in its last bit."""
    changes: list[dict[str, Any]] = [{"dtype": "float32"}, {"base": 1}, {"count": 21}, {"loss_thresholds": [0.1]}]
    changes += [{}, {"scale": 1.0000000000000002}, {"hidden": [2, 4]}, {"hidden": ["2", "3-3"]}]
    assert len({make_study(**change).identity for change in changes}) == len(changes)


def test_fixed_and_swept_with_one_value_differ() -> None:
    """A swept parameter with one value is a column of the results, so it is another study."""
    assert make_study(hidden=2) != make_study(hidden=[2])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("max_steps = { values = [1, 2, 3] }", "max_steps = { min = 1, max = 3 }"),
        ("scale = 2.0", "scale = { values = [2] }"),
        ("scale = { geomspace = [1, 100, 3] }", "scale.geomspace = [1.0, 1e2, 3]"),
        ("scale = { value = 2 }  # a comment", '"initial_weights.scale" = { value = 2e0 }'),
    ],
)
def test_spelling_of_values_does_not_count(tmp_path: Path, one: str, other: str) -> None:
    """The identity depends on values, not on their spelling in the file."""
    path = tmp_path / "study.toml"
    found = []
    for line in (one, other):
        path.write_text(
            f'[data]\ntask = "xor"\n[network]\nhidden = 2\n[training]\nlearning_rate = 0.1\n[parameters]\n{line}\n'
        )
        found.append(load_study(path))
    assert found[0] == found[1]


def test_path_of_the_pattern_file_does_not_count(tmp_path: Path) -> None:
    """Patterns are part of the identity, the path of their file is not."""
    text = '[data]\nfile = "{}"\n[network]\nhidden = 2\n[training]\nlearning_rate = 0.1\n'
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.csv").write_text("x0,x1,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    (tmp_path / "deep" / "b.csv").write_text("y, x1, x0\n0.0,0,0\n1e0,1,0\n1,0,1\n0,1,1\n\n")
    (tmp_path / "c.csv").write_text("x0,x1,y\n0,0,0\n0,1,1\n1,0,1\n1,1,1\n")
    (tmp_path / "task.toml").write_text(text.format("a.csv").replace('file = "a.csv"', 'task = "xor"'))
    studies = {}
    for file in ("a.csv", "deep/b.csv", "c.csv"):
        (tmp_path / "study.toml").write_text(text.format(file))
        studies[file] = load_study(tmp_path / "study.toml")
    assert studies["a.csv"] == studies["deep/b.csv"] == load_study(tmp_path / "task.toml")
    assert studies["c.csv"] != studies["a.csv"]
    assert "csv" not in studies["a.csv"].to_toml()


def test_canonical_form_leaves_nothing_implicit() -> None:
    """The canonical text holds the patterns, the expanded values and every default."""
    tables = tomllib.loads(make_study(hidden=[2, 3], learning_rate=0.1).to_toml())
    assert tables["data"] == {"inputs": [[0, 0], [0, 1], [1, 0], [1, 1]], "targets": [[0], [1], [1], [0]]}
    assert tables["parameters"] == {"hidden": {"values": [2, 3]}}
    assert tables["training"] == {"loss": "sse", "optimizer": "gd", "learning_rate": 0.1, "max_steps": 60}
    assert "hidden" not in tables["network"]
    assert tables["seeds"] == {"base": 0, "count": 20}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"batch": "full"}, {}),
        ({"batch": "online"}, {"batch": 1}),
        ({"batch": ["full", "online"]}, {"batch": [4, 1]}),
        ({"draw_order": "w  v"}, {}),
        ({"draw_order": "w.T b v c"}, {"draw_order": "w.T b v c k"}),
        ({"loss": "squared", "reduction": "sum"}, {"loss": "squared"}),
        ({"loss": ["sse", "squared"], "reduction": "sum"}, {"loss": ["sse", "squared"]}),
        ({"loss": "mse", "reduction": "mean"}, {"loss": "mse"}),
        ({"divergence_threshold": 7}, {"divergence_threshold": 7.0}),
    ],
)
def test_other_spellings_of_options(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Two spellings of one meaning are the same study."""
    assert make_study(**one) == make_study(**other)


def test_identity_is_a_fixed_number() -> None:
    """The identity of a study does not change from one version to the next: results on disk name it."""
    assert make_study().identity == "3b765fb620bd63b6192dfe9144078d357479753d26086a08f4e4252279aff2a4"


def test_canonical_form_has_new_options_where_they_differ_from_their_default() -> None:
    """An option of a later version is omitted at its default, explicit or not, and written otherwise."""
    tables = make_study(batch="online", gain=1.0, max_steps=60, optimizer="momentum", momentum=0.5).canonical()
    assert tables["training"] == {
        **{"loss": "sse", "optimizer": "momentum", "momentum": 0.5, "batch": 1, "max_steps": 60},
    }
    assert tables["network"] == {"activation": "relu", "output": "identity", "bias": True, "dtype": "float64"}
