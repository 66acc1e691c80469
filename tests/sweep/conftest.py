"""Settings of all tests of sweep, the folder that tests of the command line work in, and an object store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.sweep.object_store import ObjectStore, object_store

if TYPE_CHECKING:
    from tests.sweep.fault_lab import Lab
    from tests.sweep.fault_runs import Zygote


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that holds a study file and nothing else."""
    from tests.sweep.support import STUDY_TEXT  # not before coverage sees what it imports

    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(STUDY_TEXT)
    return tmp_path


@pytest.fixture(scope="session")
def six_parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished study of six parts, not to be changed."""
    from tests.sweep.in_parts import run_in_parts
    from tests.sweep.support import SIX_PARTS

    folder = tmp_path_factory.mktemp("six_parts") / "r"
    run_in_parts(SIX_PARTS, out=folder, part_runs=20)
    return folder


@pytest.fixture(scope="session")
def running_store() -> Iterator[ObjectStore]:
    """Run one object store for all tests of this process."""
    pytest.importorskip("moto", reason="the extra test-all is not installed")
    with object_store() as store:
        yield store


@pytest.fixture
def store(running_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """Return an object store without faults, found through the environment, with short pauses between retries."""
    from sweep.store import requests

    running_store.clear()
    for name, value in running_store.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(requests, "_FIRST_PAUSE", 0.01)
    return running_store


@pytest.fixture
def out(store: ObjectStore) -> str:
    """Return an empty address in the object store."""
    return store.address()


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """Start a process whose forks run small studies with faults quickly."""
    from tests.sweep.fault_lab import PART_RUNS, RECORDED, STUDY  # not before coverage sees what it imports
    from tests.sweep.fault_runs import Zygote
    from tests.sweep.support import write_study

    place = tmp_path_factory.mktemp("zygote")
    files = [write_study(place / f"{k}.toml", study) for k, study in enumerate((STUDY, RECORDED))]
    with Zygote(files, PART_RUNS) as process:
        yield process


@pytest.fixture(scope="session")
def lab(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Return a laboratory for a small study."""
    from tests.sweep.fault_lab import OTHER, STUDY, Lab

    return Lab(zygote, tmp_path_factory.mktemp("lab"), STUDY, OTHER)


@pytest.fixture(scope="session")
def recording_lab(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Return one for a study that records curves, weights and measures."""
    from tests.sweep.fault_lab import RECORDED, Lab

    return Lab(zygote, tmp_path_factory.mktemp("recording_lab"), RECORDED)


@pytest.fixture
def browser(chromium: Any) -> Iterator[Any]:
    """Return a browser, and check at the end of the test that nothing failed on its pages."""
    from tests.sweep.browser import WatchedPage

    yield chromium
    pages, WatchedPage.opened = WatchedPage.opened, []
    for page in pages:
        page.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Start a browser."""
    from tests.sweep.browser import BROWSER

    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield started
        started.close()
