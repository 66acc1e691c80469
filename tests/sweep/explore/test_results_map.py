"""Maps of results: tiles, selections and tables, beside the answers of results."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest

import sweep
from sweep.explore.map_view import Explored
from sweep.explore.results_map import ExploredResults
from sweep.explore.server import ExploreServer
from sweep.explore.tile_trainer import TileTrainer
from sweep.study.load import load_study

HOST = "127.0.0.1:8000"
SMALL = {
    "max_steps": 60,
    "threshold": 0.1,
    "hidden": [2, 4, 3],
    "learning_rate": [0.3, 0.01, 0.1, 30.0, 1.0],
    "activation": ["tanh", "relu"],
    "seeds.count": 6,
    "record.measures": ["weight_norm"],
}


class Asked:
    """A server of a results folder, and the result."""

    def __init__(self, folder, tiles):
        self.folder = str(folder)
        self.result = sweep.open_result(folder, partial=True)
        self.app = ExploreServer(Explored(self.folder), TileTrainer(tiles, 1), ExploredResults(self.folder)).app(
            "t", {HOST}
        )

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


def looked_up(cells, statistic, x, y, x_values, y_values, z=0, column=0, row=0, size=256):
    """Return the pixels of a tile, each by a search of its cell in a table."""
    n, step = 256 << z, 256 // size
    rows = {(each[x], each[y]): each[statistic] for each in cells.to_dict("records")}
    places = range(size)
    return np.array(
        [
            [
                rows.get(
                    (
                        x_values[(256 * column + step // 2 + step * i) * len(x_values) // n],
                        y_values[(n - 1 - (256 * row + step // 2 + step * j)) * len(y_values) // n],
                    ),
                    np.nan,
                )
                for i in places
            ]
            for j in places
        ],
        float,
    )


def test_a_tile_has_the_values_of_pooled_cells(ask):
    rates, units = sorted(SMALL["learning_rate"]), [2, 3, 4]
    pooled = ask.result.summarize(["hidden", "learning_rate"])
    planes = ask.planes(x="learning_rate", y="hidden")
    for plane, column in (("value", ""), ("low", "_low"), ("high", "_high")):
        expected = looked_up(pooled, f"convergence_rate{column}", "learning_rate", "hidden", rates, units)
        assert np.array_equal(planes[plane], expected)
    assert (planes["n_runs"] == 12).all()


def test_a_tile_of_pinned_options_has_the_values_of_cells(ask):
    cells = ask.result.cells
    cells = cells[cells["hidden"] == 4]
    planes = ask.planes(0, 0, 0, 64, x="activation", y="learning_rate", value="expected_steps", **{"set.hidden": "4"})
    rates = sorted(SMALL["learning_rate"])
    expected = looked_up(cells, "expected_steps", "activation", "learning_rate", SMALL["activation"], rates, size=64)
    assert np.array_equal(planes["value"], expected, equal_nan=True)


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


def test_runs_are_sorted_and_paged(ask):
    runs = ask.result.runs()
    runs = runs[(runs["hidden"] == 3) & runs["learning_rate"].isin([0.01, 0.1])]
    runs = runs.sort_values("final_loss", kind="stable")
    found = ask.json(
        "runs", x="learning_rate", y="hidden", columns="0:2", rows="1:2", sort="final_loss", first=5, count=10
    )
    assert found["total"] == len(runs) == 24
    assert [int(row["texts"][0]) for row in found["rows"]] == runs["run"].tolist()[5:15]
