"""Maps of studies: their axes, the studies of their pixels, and what pixels show."""

from __future__ import annotations

import itertools
import shlex

import numpy as np
import pytest

import sweep
from sweep.errors import StudyError, SweepError
from sweep.explore.block import Block
from sweep.explore.choices import axis_choices, option_choices
from sweep.explore.function_names import function_names
from sweep.explore.map_view import Explored
from sweep.explore.page_facts import page_facts
from sweep.explore.pixel_network import command_of, pixel_network
from sweep.explore.pixel_values import offered_values
from sweep.explore.results_map import ExploredResults
from sweep.figures.kinds.heatmap_figure import prepare_map
from sweep.study.load import parse_changes
from tests.rings import one_in
from tests.sweep.support import command, make_study

RATES = {"x": "learning_rate", "y": "output_learning_rate"}
SMALL = {"max_steps": 40, "hidden": 2}


def planes_of(view, block):
    mapped = view.study_of(block)
    return mapped.arrange(view.value.planes(sweep.run(mapped.study)))


def test_pixels_are_the_rows_of_a_study_from_the_top():
    view = Explored("xor", SMALL).map({**RATES, "value": "final_loss"})
    block = Block(1, 250, 300, 5, 3)
    found = planes_of(view, block)["value"]
    for row in range(3):
        for column in range(5):
            study, values = view.pixel(Block(1, 250 + column, 300 + row, 1, 1))
            assert study.n_runs == 1
            assert found[row, column] == sweep.trace(study).final_loss
            assert list(values) == ["learning_rate", "output_learning_rate"]
    top, bottom = (view.pixel(Block(1, 250, row, 1, 1))[1]["output_learning_rate"] for row in (300, 302))
    assert top > bottom


@pytest.mark.parametrize(("x", "y"), one_in(2, [("hidden", "learning_rate"), ("learning_rate", "hidden")]))
def test_axes_in_any_order_of_the_study_and_shared_values(x, y):
    view = Explored("xor", {"max_steps": 5}).map({"x": x, "y": y, "value": "final_loss"})
    found = planes_of(view, Block.of_tile(0, 0, 0, 16))["value"]
    assert found.shape == (16, 16)
    for row, column in ((0, 0), (3, 12), (15, 1)):
        study, _ = view.pixel(Block(0, 16 * column + 8, 16 * row + 8, 1, 1))
        assert found[row, column] == sweep.trace(study).final_loss


def test_axes_are_those_of_a_heat_map(tmp_path):
    swept = {"distribution": ["normal", "uniform"], "hidden": [2, 3], "learning_rate": [0.1, 0.2, 0.3]}
    study = make_study(count=1, max_steps=1, **swept)
    result = sweep.run(study, out=tmp_path / "r")
    drawn = prepare_map(result, None, None, None, None, None, numbers=False)
    assert (drawn.x, drawn.y) == ("learning_rate", "hidden")
    trained = Explored(str(tmp_path / "r")).map({})
    assert (trained.x.name, trained.y.name) == (drawn.x, drawn.y)
    assert ExploredResults(str(tmp_path / "r")).map({}).names == [drawn.x, drawn.y]


@pytest.mark.compiled
def test_the_study_of_a_view_is_drawn_alike(tmp_path):
    view = Explored("xor", SMALL).map({**RATES, "value": "final_loss"})
    study = view.study_of(Block.of_view(3, 1020, 700, 40, 30)).study
    (tmp_path / "view.toml").write_text(study.to_toml(), "utf-8")
    result = sweep.run(sweep.load_study(tmp_path / "view.toml"))
    found = prepare_map(result, None, *RATES.values(), "final_loss_q50", None, numbers=False).grid
    expected = planes_of(view, Block.of_view(3, 1020, 700, 40, 30))["value"]
    expected[expected > 1e100] = np.inf
    assert np.array_equal(found[::-1], np.where(np.isinf(expected), np.nan, expected), equal_nan=True)


@pytest.mark.compiled
def test_small_tiles_are_pixels_of_the_whole_tile():
    view = Explored("xor", {"max_steps": 5, "hidden": 2}).map({**RATES, "value": "final_loss"})
    whole, coarse = (planes_of(view, Block.of_tile(2, 1, 3, size)) for size in (256, 16))
    assert np.array_equal(whole["value"][8::16, 8::16], coarse["value"])
    assert np.array_equal(whole["status"][8::16, 8::16], coarse["status"])


def test_where_float64_ends_neighboring_pixels_share_a_network():
    view = Explored("xor", SMALL).map({**RATES, "x_low": "1", "x_high": "1.0000000000000002", "x_scale": "linear"})
    mapped = view.study_of(Block.of_tile(0, 0, 0, 16))
    assert mapped.study.parameters["learning_rate"] == (1.0, 1.0000000000000002)
    assert mapped.across.tolist() == [0] * 8 + [1] * 8
    assert planes_of(view, Block.of_tile(0, 0, 0, 16))["value"].shape == (16, 16)


def test_values_of_float32_networks_are_those_that_they_use():
    view = Explored("xor", {**SMALL, "dtype": "float32"}).map({**RATES, "x_low": "0.5", "x_high": "0.500001"})
    mapped = view.study_of(Block.of_tile(0, 0, 0, 256))
    rates = mapped.study.parameters["learning_rate"]
    assert len(rates) == mapped.across.max() + 1 < 20
    assert all(rate == np.float32(rate) for rate in rates)


def test_several_seeds_have_a_rate_with_its_interval():
    view = Explored("xor", {"hidden": 3, "max_steps": 60, "threshold": 0.3}).map({**RATES, "seeds": "12"})
    assert view.value.name == "convergence_rate"
    mapped = view.study_of(Block(0, 130, 90, 4, 3, 16))
    planes = mapped.arrange(view.value.planes(sweep.run(mapped.study)))
    assert set(planes) == {"value", "low", "high", "n_runs"}
    assert (planes["low"] <= planes["value"]).all()
    assert (planes["value"] <= planes["high"]).all()
    assert (planes["n_runs"] == 12).all()
    assert 0 < planes["value"].max() < 1
    study, _ = view.pixel(Block(0, 146, 106, 1, 1))
    assert planes["value"][1, 1] == sweep.run(study).cells["convergence_rate"][0]


def test_trainability_is_that_of_its_losses():
    view = Explored("trainability-tanh", {"max_steps": 30, "n": 4, "n_inputs": 3, "hidden": 3}).map({})
    found = planes_of(view, Block.of_tile(0, 0, 0, 16))["value"]
    study, _ = view.pixel(Block(0, 8, 8, 1, 1))
    assert len(np.unique(np.sign(found))) == 2
    for row, column in ((15, 0), (8, 8), (12, 3)):
        study, _ = view.pixel(Block(0, 16 * column + 8, 16 * row + 8, 1, 1))
        losses = sweep.trace(study).losses
        losses = losses / losses[0]
        if not np.isfinite(losses).all():
            continue
        expected = -losses.sum() if losses[-20:].mean() < 1 else (1 / losses).sum()
        assert found[row, column] == pytest.approx(expected, rel=1e-12)


@pytest.mark.wide
@pytest.mark.parametrize("name", ["xor", "kolen-pollack", "trainability-relu", "seed", "sparse-parity", "reed-marks"])
def test_all_choices_of_a_study_make_valid_maps(name):
    explored = Explored(name)
    first = explored.map({})
    axes = [each.name for each in axis_choices(explored.study, first.fixed)]
    assert len(axes) > 3
    for axis in axes:
        other = next(each for each in axes if each != axis)
        assert explored.map({"x": axis, "y": other}).study_of(Block.of_tile(3, 4, 5, 16)).study.n_cells > 1
    for value in offered_values(first.fixed):
        assert explored.map({"value": value}).study_of(Block.of_tile(0, 0, 0, 16)).study.n_runs
    for option in option_choices(explored.study, first.fixed, (first.x.name, first.y.name)):
        assert option["value"] in option["values"]
        text = str(option["value"])
        text = text.lower() if isinstance(option["value"], bool) else text
        assert explored.map({f"set.{option['name']}": text}).fixed == first.fixed


def test_options_that_a_choice_brings_are_axes():
    explored = Explored("xor", {"hidden": 2})
    view = explored.map({"x": "learning_rate", "y": "momentum", "set.optimizer": "momentum"})
    assert view.fixed.in_tables["optimizer"] == "momentum"
    with pytest.raises(SweepError, match="unknown axis 'momentum'"):
        explored.map({"x": "learning_rate", "y": "momentum"})


def test_an_axis_wins_over_values_that_are_set_for_its_weight():
    """Other weights keep what is set, in tiles as in the commands of pixels."""
    fixed = {**SMALL, "w[1,1]": 0.25}
    explored = Explored("xor", fixed)
    view = explored.map({"x": "w[0,1]", "y": "w[0,0]", "set.w[0,1]": "3", "set.b[0]": "0.5"})
    study, values = view.pixel(Block(0, 3, 200, 1, 1))
    words = shlex.split(command_of(explored, view, values, 0))
    changes = parse_changes(text for word, text in itertools.pairwise(words) if word == "--set")
    expected = sweep.load_study("xor", {**fixed, "learning_rate": 0.001, "b[0]": 0.5, **values})
    assert sweep.load_study("xor", changes).identity == expected.identity
    assert sweep.trace(study).losses.tolist() == sweep.trace(expected, 0).losses.tolist()


def test_a_folder_without_a_study_is_named_with_those_in_it(tmp_path):
    with pytest.raises(SweepError, match=r"has no study.toml; name a study, its file, or a folder that sweep run wr"):
        Explored(str(tmp_path))
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "study.toml").write_text(sweep.load_study("xor").to_toml(), "utf-8")
    with pytest.raises(SweepError, match=r"has no study.toml; name \S+a or \S+b$"):
        Explored(str(tmp_path))


def test_options_that_the_study_sweeps_together_are_named():
    explored = Explored("nnfs")
    maps = (explored.map(query) for query in ({}, {"x": "eps", "y": "hidden"}))
    sentence = "The study sweeps learning_rate and weight_decay together, the map each of them alone."
    found = [page_facts(explored, view)["study"]["description"].endswith(sentence) for view in maps]
    assert found == [True, False]


def test_learned_functions_have_names():
    """They are the outputs in the order of patterns; of two bits, also gates, whatever that order is."""
    names = function_names(sweep.load_study("xor"))
    assert names[0b0110] == "XOR (0110)"
    assert names[0b1000] == "AND (0001)"
    assert names[0b1100] == "a (0011)"
    assert names[-1] == "diverged"
    assert len(set(names.values())) == 17
    patterns = [[1, 1], [0, 1], [1, 0], [0, 0]]
    data = {"inputs": patterns, "targets": [[0], [1], [1], [0]]}
    turned = function_names(sweep.Study(data=data, network={"hidden": 2}, training={"learning_rate": 0.1}))
    for mask in range(16):
        truth = sum((mask >> k & 1) << (2 * a + b) for k, (a, b) in enumerate(patterns))
        assert turned[mask].split(" (")[0] == names[truth].split(" (")[0]
    assert function_names(sweep.load_study("xor", {"data.task": "parity", "data.bits": 3}))[0b10010110] == "01101001"
    assert function_names(sweep.load_study("xor", {"data.task": "parity", "data.bits": 4})) == {}


def test_a_results_folder_is_explored_as_its_study(tmp_path):
    study = sweep.load_study("xor", {"hidden": [2, 3], "learning_rate": [0.1, 0.5], "max_steps": 10, "seeds.count": 3})
    sweep.run(study, out=tmp_path / "r")
    view = Explored(str(tmp_path / "r")).map({})
    assert (view.x.name, view.y.name) == ("hidden", "learning_rate")
    assert view.fixed.n_runs == 1


@pytest.mark.parametrize("name", ["sonar", "proben1-cancer1", "nnfs", "tr-xor", "hinton-xor"])
def test_options_without_effect_in_the_first_cell_are_left_out(name):
    explored = Explored(name, {"criterion": "none"} if name == "hinton-xor" else {})
    first = explored.map({})
    assert first.study_of(Block.of_tile(0, 0, 0, 16)).study.n_runs > 1
    assert "negative_slope" not in (first.x.name, first.y.name)


def test_options_have_their_values_where_they_have_an_effect():
    explored = Explored("sonar", {"max_epochs": 2})
    units = explored.map({"x": "hidden", "y": "learning_rate"}).study_of(Block.of_tile(0, 0, 0, 16)).study
    assert units.values_of("activation") == ("sigmoid",)
    assert explored.map({"set.hidden": "6"}).fixed.values_of("activation") == ("sigmoid",)
    decay = Explored("nnfs").map({"x": "weight_decay", "y": "learning_rate"})
    assert decay.study_of(Block.of_tile(0, 0, 0, 16)).study.values_of("decays") == ("w b",)


@pytest.mark.parametrize(("name", "query"), [("tr-xor", {}), ("reed-marks", {"set.optimizer": "adam"})])
def test_the_command_of_a_pixel_has_no_option_without_effect(name, query):
    explored = Explored(name, {"max_steps": 5})
    view = explored.map(query)
    study, values = view.pixel(Block(0, 9, 9, 1, 1))
    words = shlex.split(command_of(explored, view, values, 0))
    again = sweep.load_study(name, parse_changes(words[k + 1] for k, word in enumerate(words) if word == "--set"))
    assert again.n_cells == 1
    assert sweep.trace(again, 0).losses.tolist() == sweep.trace(study).losses.tolist()


def test_the_command_of_a_seed_beyond_those_of_the_study():
    """A map may have more seeds than its study, of which a trace then needs as many."""
    explored = Explored("xor", {**SMALL, "seeds.base": 48, "seeds.count": 2})
    view = explored.map({**RATES, "seeds": "4"})
    for offset in range(4):
        network = pixel_network(explored, view, Block(0, 9, 9, 1, 1), offset)
        printed = command(*shlex.split(network["command"])[1:])
        assert (printed.code, network["seed"]) == (0, 48 + offset), printed.err
        assert repr(network["losses"]["losses"][0]) in printed.out


@pytest.mark.wide
def test_initial_weights_of_each_seed_are_those_of_the_seeds_of_a_map():
    explored = Explored("hinton-parity-2", {"max_epochs": 50})
    for seeds, sentence in ((1, ""), (3, ""), (5, ""), (6, "a row for each seed")):
        if sentence:
            with pytest.raises(StudyError, match=sentence):
                explored.map({"seeds": str(seeds)})
            continue
        study, _ = explored.map({"seeds": str(seeds)}).pixel(Block(0, 9, 9, 1, 1))
        whole = sweep.load_study("hinton-parity-2", {"max_epochs": 50, **study.parameters})
        for seed in range(seeds):
            assert sweep.trace(study, seed).losses.tolist() == sweep.trace(whole, seed).losses.tolist()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"x": "hiden"}, "unknown axis 'hiden'"),
        ({"value": "stpes"}, "unknown value 'stpes'"),
        ({"zoom": "1"}, "unknown parameter 'zoom'"),
        ({"seeds": "0"}, "seeds must be from 1 to 1024, got 0"),
        ({"seeds": "many"}, "seeds: must be an integer, got 'many'"),
        ({"x_low": "low"}, "x_low: must be a number, got 'low'"),
        ({"x": "learning_rate", "y": "learning_rate"}, "y: must be another option than x"),
        ({"set.hidden": "2,3"}, "set.hidden: must be one value"),
        ({"set.nothing": "2"}, "set.nothing: must be an option that can be swept"),
        ({"set.file": "/etc/passwd"}, "set.file: must be an option that can be swept"),
    ],
)
def test_bad_requests_are_named(query, sentence):
    with pytest.raises((SweepError, StudyError), match=sentence):
        Explored("xor").map(query)


def test_values_that_the_study_refuses_are_named():
    view = Explored("xor", {"hidden": 2}).map({**RATES, "x_low": "-1", "x_high": "1", "x_scale": "linear"})
    with pytest.raises(StudyError, match="learning_rate"):
        view.study_of(Block.of_tile(0, 0, 0, 16))


@pytest.mark.parametrize(
    ("level", "column", "row", "size"), [(43, 0, 0, 16), (-1, 0, 0, 16), (1, 2, 0, 16), (1, 0, -1, 16), (1, 0, 0, 17)]
)
def test_tiles_outside_the_map_are_refused(level, column, row, size):
    with pytest.raises(SweepError, match="must be"):
        Block.of_tile(level, column, row, size)
