"""Maps of results: tiles, selections and tables, beside the answers of results."""

from __future__ import annotations

import asyncio
import shlex
import shutil
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import httpx
import numpy as np
import pandas as pd
import pytest

import sweep
from sweep import Study, SweepError
from sweep.explore import cell_tables
from sweep.explore.map_view import Explored
from sweep.explore.results_map import ExploredResults
from sweep.explore.serve import Wanted
from sweep.explore.server import ExploreServer
from sweep.explore.tile_trainer import TileTrainer
from sweep.results.pooled_cells import cells_with, sum_over
from sweep.statistics.of_cells import NAMED
from sweep.study.load import load_study
from sweep.system.formatting import exact
from tests.sweep.in_parts import run_in_parts
from tests.sweep.own import FILE, only_plugins
from tests.sweep.support import command, make_study

HOST = "127.0.0.1:8000"
SMALL = {
    "max_steps": 25,
    "threshold": 0.1,
    "hidden": [2, 4, 3],
    "learning_rate": [0.3, 0.01, 0.1, 30.0, 1.0],
    "activation": ["tanh", "relu"],
    "seeds.count": 6,
    "record.measures": ["weight_norm"],
}
SPLIT = {"task": "parity", "bits": 4, "train_count": 10}


class Asked:
    """A server of a results folder, and the result."""

    def __init__(self, folder, tiles, plugins=()):
        self.folder = str(folder)
        self.result = sweep.open_result(folder, partial=True)
        self.app = ExploreServer(
            Explored(self.folder), TileTrainer(tiles, 1), ExploredResults(self.folder, plugins)
        ).app("t", {HOST})

    def __call__(self, path, **query):
        """Return the answer to a request."""

        async def answer():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=f"http://{HOST}") as client:
                return await client.get(f"/t/{path}", params=query or None)

        with ThreadPoolExecutor(1) as pool:  # tests of pages leave a running event loop in this thread
            return pool.submit(asyncio.run, answer()).result()

    def json(self, path, **query):
        """Return the content of an answer."""
        answer = self(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def planes(self, z=0, column=0, row=0, size=256, **query):
        """Return the planes of a tile."""
        answer = self(f"tile/{z}/{column}/{row}/{size}", **query)
        assert answer.status_code == 200, answer.text
        names = answer.headers["sweep-planes"].split(",")
        numbers = np.frombuffer(answer.content, "<f8").reshape(len(names), size, size)
        return dict(zip(names, numbers, strict=True))


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "small"
    sweep.run(load_study("xor", SMALL), out=folder, threads=1)
    return Asked(folder, tmp_path_factory.mktemp("tiles"))


def test_a_tile_has_the_values_of_cells(ask):
    """They are pooled over options without an axis, but for those that are pinned to a value."""
    rates, units, cells = sorted(SMALL["learning_rate"]), [2, 3, 4], ask.result.cells
    pinned = cells[cells["activation"] == "relu"]
    for options, table in ({}, ask.result.summarize(["hidden", "learning_rate"])), ({"set.activation": "relu"}, pinned):
        planes = ask.planes(x="learning_rate", y="hidden", **options)
        for row in table.to_dict("records"):
            i, j = rates.index(row["learning_rate"]), units.index(row["hidden"])
            pixel = (255 - (2 * j + 1) * 128 // len(units), (2 * i + 1) * 128 // len(rates))
            for plane, end in (("value", ""), ("low", "_low"), ("high", "_high")):
                assert planes[plane][pixel] == row[f"convergence_rate{end}"]
            assert planes["n_runs"][pixel] == row["n_runs"]


def test_a_selection_has_the_statistics_of_its_runs(ask):
    row = ask.result.summarize("learning_rate").set_index("learning_rate").loc[0.1]
    found = ask.json("selection", x="learning_rate", y="hidden", columns="1:2")
    assert (found["n_cells"], found["n_runs"]) == (6, 36)
    values = {each["name"]: each for each in found["statistics"]}
    for name in ("convergence_rate", "expected_steps", "n_converged", "weight_norm_q50"):
        assert values[name]["value"] == row[name]
    assert values["convergence_rate"]["low"] == row["convergence_rate_low"]
    curve = ask.result.incidence("learning_rate")
    last = curve[curve["learning_rate"] == 0.1]["incidence"].iloc[-1]
    (converged,) = (each for each in found["incidence"]["curves"] if each["name"] == "converged")
    assert converged["values"][-1] == last


def test_cells_are_sorted_and_paged(ask):
    cells = ask.result.cells.sort_values("convergence_rate", ascending=False, kind="stable")
    query = {"sort": "convergence_rate", "descending": "true", "first": 7, "count": 9}
    found = ask.json("cells", x="learning_rate", y="hidden", **query)
    assert found["total"] == 30
    assert [int(row["texts"][0]) for row in found["rows"]] == cells["cell"].tolist()[7:16]


@pytest.mark.wide
def test_tables_of_very_many_cells_have_the_same_rows(ask, monkeypatch):
    """Pages that read only their own cells equal those of the whole table."""
    names = [column["name"] for column in ask.json("cells")["columns"]]
    asked = [
        {"sort": name, "descending": order, "first": first, "columns": "1:5"}
        for name in ("", *names)
        for order in ("false", "true")
        for first in (0, 10, 99)
    ]
    whole = [ask.json("cells", **query)["rows"] for query in asked]
    monkeypatch.setattr(cell_tables, "_MANY", 0)
    assert [ask.json("cells", **query)["rows"] for query in asked] == whole


def test_runs_are_sorted_and_paged(ask):
    runs = ask.result.runs()
    runs = runs[(runs["hidden"] == 3) & runs["learning_rate"].isin([0.01, 0.1])]
    runs = runs.sort_values("final_loss", kind="stable")
    found = ask.json(
        "runs", x="learning_rate", y="hidden", columns="0:2", rows="1:2", sort="final_loss", first=5, count=10
    )
    assert found["total"] == len(runs) == 24
    assert [int(row["texts"][0]) for row in found["rows"]] == runs["run"].tolist()[5:15]


TWO = {"hidden": [2, 3], "learning_rate": [0.3, 0.1]}
SAMPLE = {"learning_rate": {"geomspace": [0.01, 1.0]}, "scale": {"min": 0.5, "max": 2.0}}
PLAIN = {"data": {"task": "xor"}, "network": {"hidden": 2}, "training": {"max_steps": 30}, "seeds": {"count": 2}}
# Studies, and the options of their runs
KINDS = {
    "partial": (make_study(count=3, hidden=[2, 3, 4], learning_rate=[0.1, 0.3]), {"part_runs": 4, "max_runs": 6}),
    "one cell": (make_study(count=3, hidden=2, learning_rate=0.1), {}),
    "one option": (make_study(count=3, hidden=2), {}),
    "texts": (
        make_study(count=3, hidden=2, activation=["tanh", "relu"], optimizer=["gd", "adam"], bias=[True, False]),
        {},
    ),
    "kinds of values": (make_study(count=3, hidden=[2, "3-2"], learning_rate=[0.1, 1.0], batch=["full", 1]), {}),
    "counts only": (make_study(count=3, activation=["tanh", "relu"], **TWO), {"keep": "cells"}),
    "counts of losses": (make_study(count=3, criterion="none", **TWO), {"keep": "cells"}),
    "diverged": (make_study(count=3, criterion="none", hidden=[2, 3], learning_rate=[0.1, 1e8]), {}),
    "splits": (make_study(count=3, data=SPLIT, max_steps=20, criterion="none", split_seed=[0, 4], **TWO), {}),
    "only splits": (
        make_study(count=1, data=SPLIT, max_steps=20, hidden=2, split_seed=[0, 4, 5], learning_rate=0.1),
        {},
    ),
    "loss thresholds": (make_study(count=3, loss_thresholds=[0.5, 0.1], **TWO), {}),
    "races": (
        Study(
            **{**PLAIN, "convergence": {"threshold": 0.3}, "seeds": {"count": 60, "until": {"best": "rate"}}},
            parameters={"learning_rate": [0.01, 0.1, 0.2, 30.0], "activation": ["tanh", "relu"]},
        ),
        {},
    ),
    "a sample": (Study(name="sampled", **PLAIN, samples=[{"count": 128, **SAMPLE}]), {}),
    "zipped": (Study(**PLAIN, zip=[{"learning_rate": [0.1, 0.2, 0.1], "scale": [1, 2, 3]}]), {}),
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request, tmp_path_factory):
    study, options = KINDS[request.param]
    folder = tmp_path_factory.mktemp("kinds") / "result"
    run_in_parts(study, folder, 1, **{"part_runs": None, **options})
    return Asked(folder, tmp_path_factory.mktemp("tiles"))


def axes_of(facts):
    return [each for each in facts["axes"] if "values" in each]


def values_of(kind, axis, name):
    """Return the values of the study that stand for those on an axis, in their order."""
    texts = {exact(value): value for value in kind.result.study.parameters.get(name, ())}
    return [texts[exact(value)] if name else None for value in axis["values"]]


@pytest.mark.wide
def test_tiles_of_each_kind_of_result(kind):
    """Values are those of pooled cells, or of cells if all options are on the axes."""
    facts = kind.json("choices")
    x, y = axes_of(facts)
    names = [axis["name"] for axis in (x, y) if axis["name"]]
    if kind.result.study.name == "sampled":
        pytest.skip("values are drawn in ranges, at which the next test looks")
    whole = kind.result.naming(names)
    for value in facts["values"]:
        name = value["name"]
        table = whole.summarize([*names, name] if name in NAMED else names) if names else whole.statistic(name)
        if set(names) == set(whole.study.parameters):
            table = cells_with(whole, name)
        if name not in table:
            assert kind("tile/0/0/0/16", value=name).status_code == 200
            continue
        rows = {tuple(row[each] for each in names): row for row in table.to_dict("records")}
        planes = kind.planes(size=16, value=name)
        for (j, i), found in np.ndenumerate(planes["value"]):
            place = [(x, (16 * i + 8) * len(x["values"]) // 256), (y, (16 * (15 - j) + 8) * len(y["values"]) // 256)]
            key = tuple(values_of(kind, axis, axis["name"])[k] for axis, k in place if axis["name"])
            row = rows.get(key, {name: np.nan, "n_runs": 0})
            expected = np.nan if pd.isna(row[name]) else float(row[name])
            assert found == expected or (np.isnan(found) and np.isnan(expected)), (name, key)
            assert planes["n_runs"][j, i] == row["n_runs"]


@pytest.mark.wide
def test_selections_of_each_kind_of_result(kind):
    """Selections of single places divide all runs; their tables have as many rows, and commands print these."""
    x, y = axes_of(kind.json("choices"))
    found = {}
    for i, j in product(range(len(x["values"])), range(len(y["values"]))):
        query = {"columns": f"{i}:{i + 1}", "rows": f"{j}:{j + 1}"}
        selection, cells = kind.json("selection", **query), kind.json("cells", count=500, **query)
        found[i, j] = selection["n_runs"]
        assert cells["total"] == len(cells["rows"]) == selection["n_cells"]
        assert all((row["column"], row["row"]) == (i, j) for row in cells["rows"])
        if kind.result.keeps_runs:
            runs = kind.json("runs", **query)
            assert runs["total"] == selection["n_runs"]
            assert all((row["column"], row["row"]) == (i, j) for row in runs["rows"])
        else:
            assert "no rows of runs" in kind("runs", **query).text
        if cells["rows"] and len(found) < 3:
            printed = command(*shlex.split(cells["rows"][0]["command"])[1:])
            assert cells["rows"][0]["texts"][-1] in printed.out
    whole = kind.json("selection")
    assert sum(found.values()) == whole["n_runs"] == kind.result.facts["n_runs"]
    assert whole["n_cells"] == kind.json("cells")["total"]
    (pooled,) = sum_over(kind.result.naming([axis["name"] for axis in (x, y)]), []).to_dict("records")
    values = {each["name"]: each["value"] for each in whole["statistics"]}
    for name in {"n_converged", "n_diverged", "convergence_rate", "final_loss_q50"} & values.keys() & pooled.keys():
        assert values[name] == pooled[name] or (values[name] is None and not np.isfinite(pooled[name]))


@pytest.mark.wide
def test_a_sample_is_drawn_in_ranges(tmp_path):
    """The cells of a place are those in a range of each option, and so are those of its selection."""
    study, _ = KINDS["a sample"]
    sweep.run(study, tmp_path / "result", threads=1)
    ask = Asked(tmp_path / "result", tmp_path)
    x, y = axes_of(ask.json("choices", value="n_exhausted"))
    assert x["ranges"]
    assert y["ranges"]
    runs = ask.result.runs()
    places = []
    for axis in (x, y):
        at = runs[axis["name"]] if axis["name"] == "scale" else np.log(runs[axis["name"]])
        n = len(axis["values"])
        places.append(np.clip(((at - at.min()) / (at.max() - at.min()) * n).astype(int), 0, n - 1))
    planes = ask.planes(size=256, value="n_exhausted")
    for i, j in product(range(len(x["values"])), range(len(y["values"]))):
        own = runs[(places[0] == i) & (places[1] == j)]
        pixel = (255 - (2 * j + 1) * 128 // len(y["values"]), (2 * i + 1) * 128 // len(x["values"]))
        assert planes["n_runs"][pixel] == len(own)
        found = ask.json("runs", columns=f"{i}:{i + 1}", rows=f"{j}:{j + 1}", count=500)
        assert [int(row["texts"][0]) for row in found["rows"]] == own["run"].tolist()


def test_pixels_are_cells_at_any_level(tmp_path):
    """More values than pixels, and the deepest level: each pixel is the cell at its place."""
    rates = (10 ** np.random.default_rng(7).uniform(-3, 2, 600)).tolist()
    study = Study(name="wide", **{**PLAIN, "training": {"max_steps": 4}}, parameters={"learning_rate": rates})
    result = sweep.run(study, tmp_path / "result", threads=1)
    ask = Asked(tmp_path / "result", tmp_path)
    losses = result.statistic("final_loss_q50").set_index("learning_rate")["final_loss_q50"][sorted(rates)].to_numpy()
    facts = ask.json("choices", value="final_loss")
    assert facts["max_level"] == 8
    for z, column in ((0, 0), (1, 1), (8, 0), (8, 101), (8, 255)):
        planes = ask.planes(z, column, (1 << z) - 1, value="final_loss")
        expected = [losses[int((256 * column + k) * 600 / (256 << z))] for k in range(256)]
        assert np.array_equal(planes["value"], np.tile(expected, (256, 1)))
    assert ask("tile/9/0/0/256").text == "the level must be from 0 to 8, got 9"


def test_selections_without_a_run(tmp_path):
    """Places that no cell of a zipped list has, or that are not trained yet, are empty."""
    run_in_parts(KINDS["partial"][0], tmp_path / "partial", 1, part_runs=2, max_runs=4)
    sweep.run(KINDS["zipped"][0], tmp_path / "zipped", threads=1)
    for name in ("partial", "zipped"):
        ask = Asked(tmp_path / name, tmp_path)
        x, y = (len(axis["values"]) for axis in axes_of(ask.json("choices")))
        (row, column), *_ = np.argwhere(ask.planes()["n_runs"] == 0)
        i, j = column * x // 256, (255 - row) * y // 256
        place = {"columns": f"{i}:{i + 1}", "rows": f"{j}:{j + 1}"}
        found = ask.json("selection", **place)
        assert (found["n_runs"], found["statistics"], found["incidence"]) == (0, [], None)
        assert ask.json("cells", **place)["rows"] == ask.json("runs", **place)["rows"] == []
    assert "partial: 4 of 18 runs" in Asked(tmp_path / "partial", tmp_path).json("choices")["study"]["partial"]


def test_results_that_grow_are_shown_as_of_when_the_page_is_loaded(tmp_path):
    """Other requests see the same runs until then. Results that are gone stay as they were read."""
    study, folder = KINDS["partial"][0], tmp_path / "partial"
    run_in_parts(study, folder, 1, part_runs=2, max_runs=4)
    ask = Asked(folder, tmp_path)
    few = ask.planes(value="n_exhausted")
    run_in_parts(study, folder, 1, part_runs=2)
    assert np.array_equal(ask.planes(value="n_exhausted")["n_runs"], few["n_runs"])
    assert "4 of 18 runs" in ask.json("choices")["study"]["partial"]
    assert ask("").status_code == 200
    assert ask.json("choices")["study"]["partial"] is None
    many = ask.planes(value="n_exhausted")
    assert np.unique(many["n_runs"]).tolist() == [3]
    assert ask.json("selection")["n_runs"] == study.n_runs
    shutil.rmtree(folder)
    assert ask("").status_code == 200
    assert np.array_equal(ask.planes(value="n_exhausted")["value"], many["value"])


def test_a_folder_that_is_gone_is_named(ask, tmp_path):
    """Maps that are shown stay, and so do their choices; all that has yet to be read is refused, also in the page."""
    folder = tmp_path / "result"
    shutil.copytree(ask.folder, folder)
    ask = Asked(folder, tmp_path)
    shown, choices = ask.planes(), ask.json("choices")
    training = ask.json("choices", show="training", x="learning_rate", y="scale")
    shutil.rmtree(folder)
    sentence = f"'{folder}' holds no results any more; start sweep explore with another folder"
    for path, query in (
        *((panel, query) for panel in ("selection", "cells", "runs") for query in ({}, {"columns": "0:1"})),
        ("runs", {"sort": "steps"}),
        ("choices", {"value": "final_loss"}),
        ("tile/0/0/0/256", {"value": "final_loss"}),
    ):
        answer = ask(path, **query)
        assert (answer.status_code, answer.text) == (500, sentence), path
    assert all(np.array_equal(plane, shown[name], equal_nan=True) for name, plane in ask.planes().items())
    assert ask.json("choices") == choices
    assert ask.json("choices", show="training", x="learning_rate", y="scale") == training
    assert ask.json("choices", show="training", x="scale", y="learning_rate")["map"]["x"] == "scale"


def test_components_of_users_are_values_like_others(tmp_path):
    with only_plugins(FILE):
        study = make_study(count=3, hidden=2, activation=["own_tanh", "tanh"], learning_rate=[0.1, 0.3])
        sweep.run(study, tmp_path / "result", threads=1)
        ask = Asked(tmp_path / "result", tmp_path, (str(FILE),))
        assert "own_tanh" in axes_of(ask.json("choices"))[1]["texts"]
        assert ask.json("selection")["n_runs"] == 12
        (run,) = ask.json("runs", count=1, first=7)["rows"]
        printed = command(*shlex.split(run["command"])[1:])
        assert printed.code == 0
        assert "--plugin" in run["command"]


@pytest.mark.parametrize(
    ("path", "query", "sentence"),
    [
        ("tile/0/0/0/256", {"x": "scale"}, "x: unknown axis 'scale'"),
        ("tile/0/0/0/256", {"x": "hidden", "y": "hidden"}, "y: must be another option than x, got 'hidden' for both"),
        ("tile/0/0/0/256", {"x": "hidden", "set.hidden": "2"}, "x: hidden has the one value of set.hidden"),
        ("tile/0/0/0/256", {"set.hidden": "7"}, "hidden: must be one of 2, 4, 3; got 7"),
        ("tile/0/0/0/256", {"set.file": "/etc/passwd"}, "'file' is not swept in this study"),
        ("tile/0/0/0/256", {"value": "test_loss"}, "the study has no test patterns"),
        ("tile/0/0/0/256", {"value": "learned_function"}, "is a column of runs"),
        ("tile/0/0/0/256", {"x_low": "1"}, "unknown parameter 'x_low'"),
        ("tile/4/0/0/256", {}, "the level must be from 0 to 3, got 4"),
        ("tile/0/0/0/256", {"show": "all"}, "show: must be results or training, got 'all'"),
        (
            "selection",
            {"columns": "3:2"},
            "columns: must be FIRST:STOP with FIRST below STOP and STOP at most 5, got 3:2",
        ),
        ("selection", {"rows": "0:4"}, "STOP at most 3, got 0:4"),
        ("selection", {"rows": "-1:2"}, "rows: must be FIRST:STOP, such as 0:3, got '-1:2'"),
        ("selection", {"show": "training"}, "show: must be results for selections of cells"),
        ("cells", {"sort": "nothing"}, "unknown column 'nothing'"),
        ("cells", {"count": "501"}, "count: must be an integer from 1 to 500, got '501'"),
        ("runs", {"sort": "final"}, "unknown column 'final'"),
        ("runs", {"first": "-1"}, "first: must be an integer"),
        ("runs", {"descending": "yes"}, "descending: must be true or false, got 'yes'"),
        ("network", {"z": "0", "column": "0", "row": "0"}, "show: must be training"),
        ("study", {"z": "0", "column": "0", "row": "0"}, "show: must be training"),
    ],
)
def test_bad_requests_get_a_sentence(ask, path, query, sentence):
    answer = ask(path, **query)
    assert answer.status_code == 400
    assert sentence in answer.text
    assert "\n" not in answer.text


def test_the_study_of_a_result_is_trained_on_request(ask):
    facts = ask.json("choices", show="training")
    assert facts["map"]["show"] == "training"
    assert facts["shows"] == ["results", "training"]
    assert facts["map"]["value"] == "status"


def test_a_changed_study_and_one_without_runs_have_no_results(tmp_path, capsys):
    study, options = KINDS["partial"]
    run_in_parts(study, tmp_path / "empty", 1, **options)
    for commit in (tmp_path / "empty" / "commits").iterdir():
        commit.unlink()
    wanted = Wanted(str(tmp_path / "empty"), (), {}, {}, tmp_path / "tiles", 1)
    assert wanted.open(trains=False)[1] is None
    assert "have no trained runs yet" in capsys.readouterr().err
    run_in_parts(study, tmp_path / "some", 1, **options)
    some = wanted._replace(source=str(tmp_path / "some"))
    assert some.open(trains=False)[1] is not None
    assert some._replace(changes={"max_steps": 3}).open(trains=False)[1] is None
    with pytest.raises(SweepError, match="unknown axis 'scale'"):
        some._replace(query={"x": "scale"}).open(trains=False)


@pytest.mark.wide
def test_many_requests_at_once(ask):
    """Slow answers do not hold up others, and all are those of single requests."""
    paths = [f"tile/{z}/0/0/256?value={value}" for z in (0, 1) for value in ("rate", "expected_steps", "final_loss")]
    paths += [f"{name}?columns={k}:{k + 2}" for name in ("selection", "cells", "runs") for k in range(4)]

    async def answers():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(ask.app), base_url=f"http://{HOST}") as client:
            return await asyncio.gather(*(client.get(f"/t/{path}") for path in paths))

    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(asyncio.run, answers()).result()
    assert [each.content for each in found] == [ask(path).content for path in paths]
    assert {each.status_code for each in found} == {200}
