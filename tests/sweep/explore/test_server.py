"""Requests to the server of `sweep explore`."""

from __future__ import annotations

import asyncio
import re
import socket
import tomllib
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import httpx
import numpy as np
import pytest

import sweep
from sweep.columns import STATUSES
from sweep.errors import SweepError
from sweep.explore.block import Block
from sweep.explore.flight import Flight
from sweep.explore.map_view import Explored
from sweep.explore.pixel_network import pixel_network
from sweep.explore.serve import Wanted, _listen, export_map
from sweep.explore.server import ExploreServer
from sweep.explore.tile_trainer import Abandoned, BusyError, TileTrainer
from sweep.training.run import save_trained
from tests.rings import one_in
from tests.waiting import until

TOKEN, HOST = "token", "127.0.0.1:8000"
SMALL = {"max_steps": 20, "hidden": 2}
RATES = {"x": "learning_rate", "y": "output_learning_rate"}


def run_async(coroutine):
    """Run a coroutine in another thread, since tests of pages leave a running event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    return TileTrainer(tmp_path_factory.mktemp("tiles"), 1)


@pytest.fixture(scope="module")
def ask(trainer):
    app = ExploreServer(Explored("xor", SMALL), trainer).app(TOKEN, {HOST})

    def get(path, token=TOKEN, headers=None, **query):
        async def answer():
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
                return await client.get(f"/{token}/{path}", params=query or None, headers=headers)

        return run_async(answer())

    return get


def planes_of(answer):
    names = answer.headers["sweep-planes"].split(",")
    numbers = np.frombuffer(answer.content, "<f8").reshape(len(names), -1)
    side = round(numbers.shape[1] ** 0.5)
    return {name: plane.reshape(side, side) for name, plane in zip(names, numbers, strict=True)}


def test_choices_name_axes_options_and_values(ask):
    found = ask("choices", **RATES).json()
    assert found["study"]["name"] == "xor"
    assert found["map"]["x"] == "learning_rate"
    units = {each["name"]: each["unit"] for each in found["axes"]}
    assert units.items() >= {("hidden", "units"), ("learning_rate", ""), ("w[0,1]", "")}
    assert found["map"]["value"] == found["values"][0]["name"] == "status"
    assert "tanh" in next(each for each in found["options"] if each["name"] == "activation")["values"]


def test_a_tile_has_the_numbers_of_its_study(ask):
    answer = ask("tile/1/0/1/16", value="final_loss", **RATES)
    assert answer.headers["sweep-distinct"] == "16,16"
    planes = planes_of(answer)
    view = Explored("xor", SMALL).map({"value": "final_loss", **RATES})
    mapped = view.study_of(Block.of_tile(1, 0, 1, 16))
    expected = mapped.arrange(view.value.planes(sweep.run(mapped.study)))
    assert all(np.array_equal(planes[name], expected[name]) for name in ("value", "status"))


def test_a_network_is_that_of_its_pixel_and_its_command(ask):
    found = ask("network", z=2, column=300, row=5, **RATES).json()
    study, values = Explored("xor", SMALL).map(RATES).pixel(Block(2, 300, 5, 1, 1))
    traced = sweep.trace(study)
    assert found["x"] == values["learning_rate"]
    assert found["losses"]["losses"] == traced.losses.tolist()
    assert found["weights"][0]["values"] == traced.weights.w.ravel().tolist()
    assert found["surface"]["n"] ** 2 == len(found["surface"]["outputs"])
    assert f"--set learning_rate={values['learning_rate']!r}" in found["command"]
    assert found["command"].startswith("sweep trace xor ")


def test_the_command_of_a_network_names_the_files_of_its_components():
    explored = Explored("xor", SMALL, ("my own.py",))
    found = pixel_network(explored, explored.map(RATES), Block(0, 1, 1, 1, 1), 0)
    assert "sweep trace xor --plugin 'my own.py' --set" in found["command"]


@pytest.mark.parametrize(
    ("query", "possible"),
    [
        ({}, ["converged", "diverged", "stalled", "exhausted"]),
        ({"set.patience": "5"}, list(STATUSES)),
        ({"set.criterion": "none"}, ["diverged", "exhausted"]),
    ],
)
def test_legends_name_the_statuses_that_can_occur(ask, query, possible):
    found = ask("choices", **RATES, **query).json()["statuses"]
    assert [(each["code"], each["label"]) for each in found] == [(STATUSES.index(each), each) for each in possible]


def test_a_view_is_a_study(ask):
    answer = ask("study", z=1, column=7, row=9, width=3, height=2, **RATES)
    assert "attachment" in answer.headers["content-disposition"]
    tables = tomllib.loads(answer.text)
    view = Explored("xor", SMALL).map(RATES)
    assert sweep.Study(**tables) == view.study_of(Block.of_view(1, 7, 9, 3, 2)).study


@pytest.mark.parametrize(
    ("path", "query", "sentence"),
    [
        ("tile/0/1/0/16", {}, "a tile of level 0 must be from 0 to 0, got 1"),
        ("tile/99/0/0/16", {}, "the level must be from 0 to 42, got 99"),
        ("tile/0/0/0/1000000", {}, "the size of a tile must be one of 16, 64, 256"),
        ("tile/0/0/0/16", {"x_low": "nan"}, "must have a lower and a higher end"),
        ("tile/0/0/0/16", {"x_high": "1e999"}, "must have a lower and a higher end"),
        ("tile/0/0/0/16", {"set.activation": "rleu"}, "rleu"),
        ("tile/0/0/0/16", {"seeds": "1e9"}, "seeds: must be an integer"),
        ("network", {"z": "0", "column": "256", "row": "0"}, "the column must be from 0 to 255, got 256"),
        ("network", {"z": "0", "column": "0", "row": "0", "seed": "5"}, "seed: must be from 0 to 0, got 5"),
        ("network", {"z": "zero"}, "z: must be an integer"),
        ("study", {"z": "9", "column": "0", "row": "0", "width": "100000"}, "the number of columns must be from 1"),
    ],
)
def test_bad_requests_have_one_sentence(ask, path, query, sentence):
    answer = ask(path, **{**RATES, **query})
    assert answer.status_code == 400, answer.text
    assert sentence in answer.text
    assert "\n" not in answer.text


@pytest.mark.parametrize(
    ("path", "token", "headers", "status"),
    [
        ("choices", "other", {}, 404),
        ("", "", {}, 404),
        ("choices", TOKEN, {"origin": "http://example.org"}, 403),
        ("choices", TOKEN, {"host": "example.org"}, 403),
        ("nothing", TOKEN, {}, 404),
        ("page/../server.py", TOKEN, {}, 404),
        ("page/%2e%2e/server.py", TOKEN, {}, 404),
        ("choices", TOKEN, {"origin": f"http://{HOST}"}, 200),
    ],
)
def test_only_its_own_page_is_answered(ask, path, token, headers, status):
    assert ask(path, token, headers).status_code == status


def test_folders_that_cannot_be_written_are_named(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(SweepError, match=r"--out: '.*file' cannot be written: File exists; choose another folder"):
        Wanted("xor", (), SMALL, RATES, file, 1).open(trains=False)
    wanted = Wanted("xor", (), SMALL, RATES, tmp_path / "tiles", 1)
    with pytest.raises(SweepError, match=r"--export: '.*map' cannot be written: Not a directory"):
        export_map(wanted, Flight(0), file / "map")


ONE_CELL = {**SMALL, "learning_rate": 0.1, "seeds.count": 20}


async def nobody_waits():
    return True


async def somebody_waits():
    return False


@pytest.mark.compiled  # without the JIT, a part takes minutes
def test_a_tile_that_nobody_waits_for_is_trained_no_further(trainer):
    long = {**ONE_CELL, "criterion": "none", "max_steps": 1000, "seeds.count": 200_000_000}
    with pytest.raises(Abandoned):
        run_async(trainer.result(sweep.load_study("xor", long), 256, nobody_waits, is_saved=False))
    assert trainer.state()["waiting"] == 0


def test_coarse_tiles_overtake_fine_ones(trainer, monkeypatch):
    """A fine tile of ten slices is begun; coarse ones that are wanted later come before its next slice."""
    begun, slices = Event(), []
    fine, *coarse = (sweep.load_study("xor", {**ONE_CELL, "seeds.base": base}) for base in (500, 501, 502))
    result = sweep.run(fine)

    def train_slice(job):
        slices.append(job.rank[0])
        begun.set()
        if len(slices) == 1:
            until(lambda: trainer.state()["waiting"] == 3)
        return result if job.rank[0] < 256 or slices.count(256) == 10 else None

    monkeypatch.setattr(trainer, "_train_slice", train_slice)

    async def later(study):
        await asyncio.to_thread(begun.wait)
        await trainer.result(study, 16, somebody_waits, is_saved=False)

    async def all_of_them():
        await asyncio.gather(trainer.result(fine, 256, somebody_waits, is_saved=False), *map(later, coarse))

    run_async(all_of_them())
    assert slices == [256, 16, 16, *[256] * 9]


def test_those_who_wait_for_the_same_tile_share_it(trainer):
    study = sweep.load_study("xor", {**ONE_CELL, "seeds.base": 77})
    before = trainer.state()["trained"]

    async def both():
        return await asyncio.gather(*(trainer.result(study, 16, somebody_waits, is_saved=False) for _ in range(2)))

    first, second = run_async(both())
    assert first is second
    assert trainer.state()["trained"] == before + 1


def test_whole_tiles_are_kept_as_results(trainer):
    study = sweep.load_study("xor", {**ONE_CELL, "seeds.base": 99})
    result = run_async(trainer.result(study, 256, somebody_waits, is_saved=True))
    until(lambda: trainer.state()["unsaved"] == 0)
    assert sweep.open_result(trainer.place(study)).digest == result.digest
    assert not sweep.verify(trainer.place(study)).faults
    again = TileTrainer(trainer.folder, 1)
    assert run_async(again.result(study, 256, somebody_waits, is_saved=True)).digest == result.digest
    assert again.state()["trained"] == 0


def test_a_folder_that_is_being_written_is_not_read(trainer):
    study = sweep.load_study("xor", {**ONE_CELL, "seeds.base": 111})
    folder = trainer.place(study)
    sweep.run(study, out=folder)
    for path in [*(folder / "parts").iterdir(), *(folder / "commits").iterdir(), folder / "cells.parquet"]:
        path.unlink()
    assert trainer.known(study) is None
    assert run_async(trainer.result(study, 256, somebody_waits, is_saved=True)).complete


def test_a_tile_that_is_left_and_wanted_again_is_answered(trainer, monkeypatch):
    study = sweep.load_study("xor", {**ONE_CELL, "seeds.base": 112})
    result = sweep.run(study)
    monkeypatch.setattr(trainer, "_train_slice", lambda job: Event().wait(0.02) or None)
    left = trainer._join(study, 16, is_saved=False)
    trainer._leave(left)
    wanted = trainer._join(study, 16, is_saved=False)
    trainer._end(left, result)
    assert trainer.state()["waiting"] == 1
    trainer._end(wanted, result)
    assert wanted.done.result() is result


def test_faults_of_a_study_reach_those_who_wait(trainer, monkeypatch):
    def fails(job):
        raise SweepError("no training today")

    monkeypatch.setattr(trainer, "_train_slice", fails)
    with pytest.raises(SweepError, match="no training today"):
        run_async(
            trainer.result(sweep.load_study("xor", {**ONE_CELL, "seeds.base": 5}), 16, somebody_waits, is_saved=False)
        )


@pytest.mark.parametrize("fault", one_in(2, [OSError(28, "no such column"), ValueError("no such column")]))
def test_a_result_that_cannot_be_kept_is_answered_and_said_once(tmp_path, monkeypatch, capsys, fault):
    def fails(parts, out):
        if out.parent == tmp_path:  # trainers of other tests may still write
            raise fault
        return save_trained(parts, out)

    monkeypatch.setattr("sweep.explore.tile_trainer.save_trained", fails)
    trainer = TileTrainer(tmp_path, 1)
    for base in range(2):
        study = sweep.load_study("xor", {**ONE_CELL, "seeds.base": base})
        assert run_async(trainer.result(study, 256, somebody_waits, is_saved=True)).complete
    until(lambda: trainer.state()["save_fault"] and not trainer.state()["unsaved"])
    sentence = "tiles are not kept: no such column; choose another folder with --out"
    assert trainer.state()["save_fault"] == sentence
    assert capsys.readouterr().err == f"{sentence}\n"


@pytest.mark.parametrize(("many", "is_written"), [(2, False), (1, True)])
def test_results_are_written_while_a_page_waits_only_if_many_are_not(tmp_path, monkeypatch, many, is_written):
    first, other = (sweep.load_study("xor", {**ONE_CELL, "seeds.base": base}) for base in (1, 2))
    monkeypatch.setattr("sweep.explore.tile_trainer._QUIET_SECONDS", 0.05)
    monkeypatch.setattr("sweep.explore.tile_trainer._MANY_UNSAVED", many * first.n_runs)
    trainer = TileTrainer(tmp_path, 1)
    train_slice = trainer._train_slice
    monkeypatch.setattr(
        trainer, "_train_slice", lambda job: train_slice(job) if job.study is first else Event().wait(0.01) or None
    )
    waiting = trainer._join(other, 512, is_saved=True)
    trainer.wait(first, 256, is_saved=True)
    if is_written:
        until(lambda: trainer.state()["unsaved"] == 0)
    else:
        Event().wait(0.3)
        assert not trainer.place(first).exists()
    trainer._leave(waiting)
    until(lambda: trainer.state()["unsaved"] == 0)
    assert trainer.known(first).complete


def test_answers_are_not_delayed(tmp_path):
    """Small packets are sent at once, rather than 40 ms later."""
    _, listening = _listen(tmp_path / "address.json", None)

    async def connect():
        accepted = asyncio.get_running_loop().create_future()
        async with await asyncio.start_server(lambda _, writer: accepted.set_result(writer), sock=listening):
            _, client = await asyncio.open_connection(*listening.getsockname())
            writer = await accepted
            option = writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            writer.close()
            client.close()
            return option

    assert run_async(connect())


def test_the_page_names_all_modules_that_it_imports(ask):
    """A browser then requests them at once; each one has a type that it accepts as a module."""
    page = ask("").text
    named = set(re.findall(r'rel="modulepreload" href="(page/[^"]+)"', page))
    assert "page/explore.js" in named
    for name in named:
        answer = ask(name)
        assert answer.headers["content-type"].startswith("text/javascript")
        assert {f"page/{path}" for path in re.findall(r'from "./(\w+\.js)"', answer.text)} <= named


def test_too_many_tiles_are_refused(trainer, monkeypatch):
    monkeypatch.setattr("sweep.explore.tile_trainer._MOST_WAITING", 0)
    with pytest.raises(BusyError, match="waiting already"):
        run_async(
            trainer.result(sweep.load_study("xor", {**ONE_CELL, "seeds.base": 6}), 16, somebody_waits, is_saved=False)
        )
