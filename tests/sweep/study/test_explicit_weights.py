"""Initial weights that a study sets by name, or sweeps one by one, and the faults of such tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sweep import Study, StudyError, load_study
from sweep.study.load import parse_changes, parse_study
from sweep.study.options.explicit_weights import element_of
from sweep.study.options.option_tables import OPTIONS, SWEEPABLE
from tests.sweep.support import refused

TABLES: dict[str, Any] = {
    "data": {"task": "xor"},
    "network": {"hidden": 2},
    "training": {"learning_rate": 0.1},
    "seeds": {"count": 3},
}


def study_with(values: Any = None, **tables: Any) -> Study:
    """Return a study of XOR with these values of weights, and other tables changed."""
    if values is not None:
        tables["initial_weights"] = {"values": values}
    return Study(**TABLES | {name: TABLES.get(name, {}) | table for name, table in tables.items()})


def test_names_of_single_weights() -> None:
    """A name consists of an array and its indices, two for weights and one for biases."""
    assert element_of("w[0,12]") == ("w", (0, 12))
    assert element_of("b3[7]") == ("b3", (7,))
    assert element_of("k[1,0]") == ("k", (1, 0))
    for name in ("w", "w[0]", "b[0,1]", "w[0,1", "w[00,1]", "w[-1,0]", "v1[0,0]", "w9[0,0]", "x[0]", "w[0, 1]"):
        assert element_of(name) is None
    assert "w[0,1]" in OPTIONS
    assert SWEEPABLE["c[0]"] == "initial_weights"
    assert "w" not in OPTIONS
    with pytest.raises(KeyError):
        OPTIONS["w[0]"]
    assert not any("[" in name for name in OPTIONS)


@pytest.mark.parametrize(
    "values",
    [
        {"w": [[1, 2], [3, 4]]},
        {"w": 0.5, "b": [0, 1], "v[1,0]": -2, "c[0]": 1e-300},
        {"w": [[[1, 2], [3, 4]]] * 3, "b[1]": [1.0, 2.0, 3.0]},
        {"parameters": list(range(9))},
        {"parameters": [list(range(9))] * 3, "w[0, 1]": 0},
    ],
)
def test_values_are_written_out(values: dict[str, Any]) -> None:
    """The canonical form holds the numbers, and is the same study."""
    study = study_with(values)
    again = parse_study(study.to_toml(), "study.toml")
    assert again == study
    assert study != study_with()
    written = study.canonical()["initial_weights"]["values"]
    assert {name.replace(" ", "") for name in values} == set(written)


def test_order_of_keys_does_not_matter() -> None:
    """Single weights replace elements of whole arrays, in any order."""
    values = {"w": 0.5, "w[0,0]": 2.0}
    assert study_with(values) == study_with(dict(reversed(values.items())))


def test_values_from_files_and_frames(tmp_path: Path) -> None:
    """Files beside the study file hold arrays by name, all parameters, or a table with a row for each seed."""
    w, rows = np.arange(4.0).reshape(2, 2), {"w[0,0]": [1.0, 2.0, 3.0], "c[0]": [0.5, 0.0, 1.0]}
    np.savez(tmp_path / "arrays.npz", w=w, b=np.zeros(2))
    np.save(tmp_path / "all.npy", np.arange(27.0).reshape(3, 9))
    pd.DataFrame(rows).to_csv(tmp_path / "seeds.csv", index=False)
    pd.DataFrame(rows).to_parquet(tmp_path / "seeds.parquet")
    expected = {
        "arrays.npz": study_with({"w": w, "b": [0, 0]}),
        "all.npy": study_with({"parameters": np.arange(27.0).reshape(3, 9)}),
        "seeds.csv": study_with(rows),
        "seeds.parquet": study_with(pd.DataFrame(rows)),
    }
    text = study_with().to_toml()
    for file, study in expected.items():
        changed = text.replace('generator = "mt19937"', f'generator = "mt19937"\nvalues = "{file}"')
        (tmp_path / "study.toml").write_text(changed, "utf-8")
        assert load_study(tmp_path / "study.toml") == study
        with pytest.raises(StudyError, match="must hold its initial weights, but names a file"):
            parse_study(changed, "study.toml")


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npy", ".npz"])
def test_files_are_read_exactly(tmp_path: Path, suffix: str) -> None:
    """Numbers with all digits are read bit for bit, from each format and by every version of its reader."""
    random = np.random.default_rng(1)
    numbers = random.standard_normal((1000, 9)) * 10.0 ** random.integers(-300, 300, (1000, 9))
    path = tmp_path / f"weights{suffix}"
    if suffix == ".csv":
        lines = (",".join(map(repr, row)) for row in numbers[:, 1:2].tolist())
        path.write_text('"w[0,0]"\n' + "\n".join(lines))
    elif suffix == ".parquet":
        pd.DataFrame({"w[0,0]": numbers[:, 1]}).sort_values("w[0,0]").sort_index().to_parquet(path)
    elif suffix == ".npy":
        np.save(path, numbers)
    else:
        np.savez(path, **{"w[0,0]": numbers[:, 1]})
    (entry,) = study_with(str(path), seeds={"count": 1000}).in_tables["values"].entries
    expected = ("parameters", numbers) if suffix == ".npy" else ("w[0,0]", numbers[:, 1])
    assert entry[0] == expected[0]
    assert np.array(entry[1]).tobytes() == np.ascontiguousarray(expected[1]).tobytes()


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ({"w[0,0]": [1.0, None, 3.0]}, "row 2, column 'w[0,0]': the value is missing, got None"),
        ({"b": [[1.0, 2.0]] * 3}, "column 'b': must hold numbers, bools or texts, got type 'list<"),
        ({"w[0,0]": [1, 2, 3], "seed": [0, 1, 2]}, "each key must be an array w, v, b, c or k"),
    ],
)
def test_files_of_something_else(tmp_path: Path, columns: Any, fault: str) -> None:
    """Missing numbers, other types and columns are refused as weights."""
    path = tmp_path / "weights.parquet"
    pd.DataFrame(columns).to_parquet(path)
    with refused(fault):
        study_with(str(path))


def test_changes_of_single_weights() -> None:
    """``--set`` fixes or sweeps a single weight."""
    fixed = load_study("xor", {"w[0,1]": 0.5, "b[0]": 1, "hidden": 2})
    assert fixed.canonical()["initial_weights"]["values"] == {"b[0]": 1.0, "w[0,1]": 0.5}
    swept = load_study("xor", {"w[0,1]": [0.5, 1.5], "hidden": 2})
    assert swept.parameters["w[0,1]"] == (0.5, 1.5)
    assert load_study("xor", {"initial_weights.w[0,1]": 0.5, "b[0]": 1, "hidden": 2}) == fixed
    assert load_study("xor", parse_changes(["parameters.w[0, 1] = [0.5, 1.5]", "hidden=2"])) == swept
    with pytest.raises(StudyError, match="unknown key 'training"):
        load_study("xor", {"training.w[0,1]": 0.5})


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        (3, ("initial_weights.values: must be a table", "got 3")),
        ({"u": 1}, ("must be an array w, v, b, c or k", "got 'u'")),
        ({"w[0]": 1}, ("must be an array", "got 'w[0]'")),
        ({"w": "x"}, ("values: w must be a number or lists of numbers, got 'x'",)),
        ({"w": [[1, 2], [3]]}, ("w must have rows of equal length, got [[1, 2], [3]]",)),
        ({"w": float("nan")}, ("w must be finite, got nan",)),
        ({"w[0,1]": 1, "w[0, 1]": 1}, ("w[0,1] is set twice",)),
        ({"k": 1}, ("values.k: must name parameters of the networks, got k; they have w, v, b, c",)),
        ({"w[2,0]": 1}, ("values.w[2,0]: index must be within the shape 2 x 2",)),
        ({"b": [1, 2, 3]}, ("values.b: must be one number, or numbers of the shape 2 or 3 x 2", "got shape 3")),
        ({"b[0]": [1, 2]}, ("must be one number, or numbers of the shape 3 (a row for each seed), got shape 2",)),
        ("none.npz", ("file 'none.npz' cannot be read",)),
        ("study.toml", ("file 'study.toml' must end in .npz, .npy, .parquet or .csv",)),
    ],
)
def test_values_that_are_refused(values: Any, parts: tuple[str, ...]) -> None:
    with refused(*parts):
        study_with(values)


@pytest.mark.parametrize(
    ("tables", "text"),
    [
        ({"parameters": {"w[0,2]": [0.0, 1.0]}}, "parameters.w[0,2]: index must be within the shape 2 x 2"),
        ({"parameters": {"w2[0,0]": [0.0]}}, "parameters.w2[0,0]: must name parameters of the networks, got w2"),
        ({"parameters": {"w[0,1]": [0, 1], "w[0, 1]": [2]}}, "w[0,1] is set twice"),
        (
            {"initial_weights": {"values": {"c[0]": 1.0}}, "parameters": {"c[0]": [0.0, 1.0]}},
            "parameters.c[0]: is also set in initial_weights.values; keep one",
        ),
        (
            {"network": {"dtype": "float32"}, "initial_weights": {"values": {"w": 1e300}}},
            "initial_weights.values.w: must be at most 3.4028234663852886e+38 with dtype 'float32', got 1e+300",
        ),
        (
            {"initial_weights": {"values": {"parameters": 1.0}, "generator": "pcg64"}},
            "generator: 'pcg64' has no effect, since initial_weights.values sets all parameters; remove one",
        ),
        (
            {"initial_weights": {"values": dict.fromkeys("wvbc", 1.0)}, "parameters": {"scale": [1.0, 2.0]}},
            "parameters.scale: [1.0, 2.0] has no effect, since initial_weights.values sets all parameters",
        ),
        (
            {"initial_weights": {"values": dict.fromkeys("wvbc", 1.0), "draw_order": "b w"}},
            "initial_weights.draw_order: 'b w v c k' has no effect, since initial_weights.values sets all",
        ),
        (
            {"initial_weights": {"distribution": "constant", "scale": "he"}},
            "must be a number with initial_weights.distribution 'constant', got 'he'",
        ),
        (
            {"initial_weights": {"distribution": "constant", "draw_order": "b w"}},
            "initial_weights.draw_order: 'b w v c k' has no effect in any cell; use it with distribution 'normal'",
        ),
        ({"parameters": {"scale": [1.0, "he"]}}, "parameters.scale: must be all numbers or all names"),
        ({"initial_weights": {"scale": True}}, "scale: must be a number above 0 or one of 'glorot'"),
        *(
            ({"training": {option: text}}, f"training.{option}: {sentence}")
            for option, text, sentence in (
                ("freeze", "w x", "must name some of w, v"),
                ("freeze", "w[0]", "must name some of w, v"),
                ("freeze", ["k"], "must name parameters of the networks, got k in 'k'"),
                ("freeze", "w2[0,0]", "must name parameters of the networks, got w2 in 'w2[0,0]'"),
                ("freeze", "b w[0,2]", "index must be within the shape 2 x 2 that w has in some network (from 0)"),
                ("freeze", "w v b c", "must leave parameters to train, got 'w v b c'"),
                ("share", "w[0] w[0,1]", "must be groups of two or more"),
                ("share", "w[0] w[1]; w[0,1] w[1,1]", "must name each weight once, by itself or in a row; got w[0] tw"),
                ("share", "b[0] b[2]", "index must be within the shape 2 that b has in some network (from 0)"),
                ("decays", "none", "must name some"),
            )
        ),
        (
            {"training": {"share": "v[0] v[1]", "freeze": "b v[1,0]"}},
            "training.share: must name trained parameters, got v[1] with training.freeze 'v[1,0]'",
        ),
        (
            {"training": {"weight_decay": 0.1, "decays": "w k"}},
            "training.decays: must name parameters of the networks, got k in 'w k'",
        ),
    ],
)
def test_starts_that_do_not_fit_are_refused(tables: dict[str, Any], text: str) -> None:
    with refused(text):
        study_with(**tables)


def test_order_of_all_parameters() -> None:
    """In an array of all parameters, the parameters have the order of drawing."""
    study = study_with(initial_weights={"values": {"parameters": list(range(9))}, "draw_order": "b w"})
    assert study.in_tables["draw_order"] == "b w v c k"
    assert not study.draws_weights
    assert study_with({"w": 1.0}).draws_weights


def test_frozen_parameters_are_one_text() -> None:
    """Lists and texts in any order are the same study."""
    texts = [study_with(training={"freeze": names}) for names in ("c b", ["b", "c"], "b  c")]
    assert {study.canonical()["training"]["freeze"] for study in texts} == {"b c"}
    texts = [study_with(training={"freeze": names}) for names in ("w[1, 0] b w[0,1]  b[1]",)]
    assert {study.canonical()["training"]["freeze"] for study in texts} == {"b w[0,1] w[1,0]"}
    for nothing in ("none", "", []):
        assert study_with(training={"freeze": nothing}) == study_with()


def test_a_change_sets_a_single_weight_beside_those_of_a_file(tmp_path: Path) -> None:
    """The file is kept, and the weight replaces one of its numbers."""
    np.savez(tmp_path / "w.npz", w=np.arange(4.0).reshape(2, 2))
    text = study_with().to_toml().replace('generator = "mt19937"', 'generator = "mt19937"\nvalues = "w.npz"')
    (tmp_path / "study.toml").write_text(text, "utf-8")
    study = load_study(tmp_path / "study.toml", {"w[0,1]": 7.5})
    assert study.values_of("w[0,1]") == (7.5,)
    assert dict(study.values_of("values")[0].entries) == {"w": ((0.0, 1.0), (2.0, 3.0))}
