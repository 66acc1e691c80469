"""Maps that are written as files."""

from __future__ import annotations

import gzip
import json
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest

import sweep
from sweep.errors import SweepError
from sweep.explore.block import Block
from sweep.explore.flight import Flight, Pixel, write_flight
from sweep.explore.map_view import Explored
from sweep.explore.tile_trainer import TileTrainer
from tests.sweep.browser import needs_browser
from tests.waiting import LONG_FOR_PAGES

SMALL = {"max_steps": 20, "hidden": 2}
QUERY = {"x": "learning_rate", "y": "output_learning_rate", "value": "final_loss"}
TARGET = Pixel(2, 700, 300)
NEAR = Pixel(0, 100, 100)  # a single tile

pytestmark = pytest.mark.compiled


def written(target, place):
    explored, out = Explored("xor", SMALL), place / "map"
    trainer = TileTrainer(place / "tiles", 2)
    n_bytes = write_flight(explored, explored.map(QUERY), Flight(0, target, (target,)), trainer, out)
    assert n_bytes == sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return written(TARGET, tmp_path_factory.mktemp("flight"))


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory):
    return written(NEAR, tmp_path_factory.mktemp("flight"))


@pytest.mark.wide
def test_tiles_are_those_of_whole_levels_and_around_a_pixel(folder):
    facts = json.loads((folder / "flight.json").read_text())
    assert facts["tiles"][0] == "0/0/0"
    assert {"1/0/0", "1/1/1", "2/2/1", "2/3/2", "2/1/0"} <= set(facts["tiles"])
    assert {str(file.relative_to(folder / "tiles"))[:-3] for file in folder.rglob("*.gz")} == set(facts["tiles"])


@pytest.mark.parametrize(
    ("flight", "tile"), [("small_folder", (0, 0, 0)), pytest.param("folder", (1, 1, 0), marks=pytest.mark.wide)]
)
def test_a_file_has_the_values_and_planes_of_a_tile(request, flight, tile):
    view = Explored("xor", SMALL).map(QUERY)
    mapped = view.study_of(Block.of_tile(*tile, 256))
    planes = mapped.arrange(view.value.planes(sweep.run(mapped.study)))
    file = request.getfixturevalue(flight) / "tiles/{}/{}/{}.gz".format(*tile)
    content = gzip.decompress(file.read_bytes())
    x, y = np.frombuffer(content, "<f8", 512).reshape(2, 256)
    assert tuple(x) == mapped.study.parameters["learning_rate"]
    assert tuple(y[::-1]) == mapped.study.parameters["output_learning_rate"]
    value = np.frombuffer(content, "<f4", 65_536, 4096).reshape(256, 256)
    with np.errstate(over="ignore"):
        assert np.array_equal(value, planes["value"].astype(np.float32))
    status = np.frombuffer(content, "u1", 65_536, 4096 + 4 * 65_536).reshape(256, 256)
    assert np.array_equal(status, planes["status"])
    assert len(content) == 4096 + 5 * 65_536


@needs_browser
def test_a_web_server_shows_it(browser, folder):
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    place = f"http://127.0.0.1:{server.server_port}/index.html"
    complaints = []
    page = browser.new_page()
    page.set_default_timeout(1000 * LONG_FOR_PAGES)
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{place}#z=2&column=700&row=300&networks=0.2.700.300_0.2.705.300")
    page.wait_for_selector("body[data-finished=true]")
    page.wait_for_selector("#networks .command >> nth=1")
    commands = page.locator("#networks .command").all_inner_texts()
    _, values = Explored("xor", SMALL).map(QUERY).pixel(Block(2, 705, 300, 1, 1))
    assert f"learning_rate={values['learning_rate']!r}" in commands[1]
    study, _ = Explored("xor", SMALL).map(QUERY).pixel(Block(2, 700, 300, 1, 1))
    traced = sweep.trace(study)
    assert f"{traced.status} after {traced.steps} steps" in page.inner_text("#networks")
    assert page.locator("#networks svg.curve").count() == 1
    server.shutdown()
    server.server_close()
    assert not complaints


@pytest.mark.parametrize(
    ("levels", "sentence"), [(9, "9 whole levels have 349,525 tiles, more than 2,000"), (-1, "must be from 0 to 42")]
)
def test_too_many_tiles_are_refused(levels, sentence):
    with pytest.raises(SweepError, match=sentence):
        Flight(levels).tiles()


def test_a_folder_with_files_is_refused(small_folder):
    explored = Explored("xor", SMALL)
    with pytest.raises(SweepError, match="must be empty or new"):
        write_flight(explored, explored.map(QUERY), Flight(0), TileTrainer(small_folder, 1), small_folder)


@pytest.mark.parametrize("text", ["2/3", "2/3/x", "-1/0/0", "1/600/0", "99/0/0"])
def test_bad_pixels_are_named(text):
    with pytest.raises(SweepError, match="must be"):
        Pixel.parse(text)
