"""Several hidden layers in a study: how they are written, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sweep import Study, StudyError, load_study
from tests.sweep.support import make_study, refused, write_study


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"hidden": 2}, {"hidden": 2, "layers": 1}),
        ({"hidden": 2}, {"hidden": "2"}),
        ({"hidden": [2, 3]}, {"hidden": ["2", 3]}),
        ({"hidden": ["2", "3-3"]}, {"hidden": [2, "03-3"]}),
    ],
)
def test_spelling_of_layers_does_not_count(tmp_path: Path, one: dict[str, Any], other: dict[str, Any]) -> None:
    """One layer is the default, and a text of one number is a number."""
    assert make_study(**one) == make_study(**other)
    assert "layers" not in make_study(**other).to_toml()
    assert load_study(write_study(tmp_path / "study.toml", make_study(**one))) == make_study(**one)


def test_units_of_each_layer() -> None:
    """Sizes go from the inputs up; a number is the size of each layer."""
    assert make_study(hidden=[2, 3], layers=[1, 3]).hidden_layers == [(2,), (2, 2, 2), (3,), (3, 3, 3)]
    assert make_study(hidden=["2", "8-4", "2-2"]).hidden_layers == [(2,), (8, 4), (2, 2)]
    study = make_study(hidden=[4, "8-4"])
    assert study.parameters["hidden"] == ("4", "8-4")
    assert not study.uses("layers")
    assert make_study(hidden=4).uses("layers")


@pytest.mark.parametrize(
    ("network", "parts"),
    [
        ({"hidden": "2 4"}, ("network.hidden", "'2 4'", "integer", "'8-4'")),
        ({"hidden": "8-"}, ("network.hidden", "'8-'", "integer")),
        ({"hidden": [8, 4]}, ("network.hidden", "[8, 4]", "one value", "'8-4'")),
        ({"hidden": "8-9999999999"}, ("network.hidden", "at most 65536 in each")),
        ({"hidden": "2000-2100"}, ("network.hidden", "at most 4194304 weights, got 4206100")),
        ({"hidden": 65_536, "layers": 2}, ("network.hidden", "4194304")),
        ({"hidden": "8-0"}, ("network.hidden", "'8-0'", "at least 1 in each")),
        ({"hidden": "8-65537"}, ("network.hidden", "at most 65536 in each")),
        ({"hidden": "1-1-1-1-1-1-1-1-1"}, ("network.hidden", "2 to 8 layers")),
        ({"hidden": "8-4", "layers": 2}, ("network.layers: 2 has no effect", "network.hidden '8-4'", "remove one")),
        ({"hidden": 2, "layers": 9}, ("network.layers", "at most 8")),
        ({"hidden": 2, "layers": 0}, ("network.layers", "at least 1")),
    ],
)
def test_what_is_refused(network: dict[str, Any], parts: tuple[str, ...]) -> None:
    """A fault is one sentence with the key, the value and what is allowed."""
    with refused(*parts):
        Study(data={"task": "xor"}, network=network, training={"learning_rate": 0.1})


def test_what_takes_too_long() -> None:
    """A step cannot be interrupted, so patterns times weights are limited; faults of swept values name their key."""
    data = {"task": "noise", "n": 4096, "n_inputs": 2}
    with pytest.raises(StudyError, match=r"^parameters.hidden: .* at most 268435456, got 4096 times 252502"):
        make_study(data=data, hidden=["8-4", "500-502"])
    assert make_study(data=data, hidden=["8-4", "240-240"]).n_cells == 4


def test_orders_that_name_layers() -> None:
    """A layer that no network has is refused; if some networks have it, it is drawn there."""
    with pytest.raises(
        StudyError, match=r"^initial_weights.draw_order: .* at most 2 hidden layers; got w3 in 'w3 w .*'"
    ):
        make_study(hidden=["8", "8-4"], draw_order="w3 w v b")
    assert make_study(hidden=["8", "8-4"], draw_order="w2 w v b").in_tables["layers"] == 1
