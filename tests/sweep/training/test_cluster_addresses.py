"""Schedulers that do not answer, and certificates."""

from __future__ import annotations

import gc
import tempfile
import time
from pathlib import Path

import pytest

import sweep
from sweep import SweepError
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import assert_refused, command, write_study
from tests.sweep.training.test_cluster import PART_RUNS, STUDY, cluster_of
from tests.waiting import LONG

dask = pytest.importorskip("dask", reason="the extra cluster is not installed")

pytestmark = pytest.mark.wide


@pytest.mark.parametrize(
    ("setting", "value"),
    [("require-encryption", False), ("require-encryption", True), ("tls.ca-file", __file__ + "nowhere")],
)
def test_no_scheduler_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: object) -> None:
    """An address without a scheduler, or one that dask refuses, ends in one sentence, without the timeout of dask."""
    from distributed import Client

    monkeypatch.setattr("sweep.training.executors.connection._CONNECT_SECONDS", 0.5)
    finalize, left = Client.__del__, []
    monkeypatch.setattr(Client, "__del__", lambda client: (left.append(client.status), finalize(client)))
    file = write_study(tmp_path / "cluster.toml", STUDY)
    settings = {f"distributed.comm.{setting}": value, "distributed.comm.tls.client.cert": __file__}
    begin = time.monotonic()
    with dask.config.set({"distributed.comm.timeouts.connect": f"{2 * LONG} s", **settings}):
        finished = command("run", file, "--out", tmp_path / "r", "--cluster", "tcp://127.0.0.1:1")
    gc.collect()
    assert left  # a client that failed leaves nothing open, for which its finalizer would wait
    assert set(left) <= {"closed", "newly-created"}
    assert time.monotonic() - begin < LONG
    assert finished.code == 2
    assert finished.err.splitlines()[-1].startswith("error: cluster 'tcp://127.0.0.1:1' cannot be reached: ")
    assert finished.err.count("error") == 1


@pytest.mark.parametrize("settings", [{}, {"ca-file": __file__}, {"ca-file": __file__, "client.cert": "nowhere"}])
def test_certificates_are_missing(tmp_path: Path, settings: dict[str, str]) -> None:
    """TLS without all certificates is refused at once, with the names of the settings."""
    file = write_study(tmp_path / "cluster.toml", STUDY)
    unset = dict.fromkeys(("ca-file", "client.cert", "client.key"))
    with dask.config.set({f"distributed.comm.tls.{name}": value for name, value in (unset | settings).items()}):
        finished = command("run", file, "--out", tmp_path / "r", "--cluster", "tls://127.0.0.1:1")
    assert_refused(finished, ("'tls://127.0.0.1:1'", "distributed.comm.tls", "ca-file, client.cert and client.key"))
    assert not (tmp_path / "r").exists()


def test_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates come from the configuration of dask; without the right ones, there is no connection."""
    from distributed.security import Security

    def configured(security: Security) -> dict[str, str]:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        for name in ("client_key", "client_cert", "ca_file"):
            (folder / f"{name}.pem").write_text(getattr(security, f"tls_{name}"))
        files = {"ca-file": "ca_file", "client.key": "client_key", "client.cert": "client_cert"}
        return {f"distributed.comm.tls.{name}": str(folder / f"{file}.pem") for name, file in files.items()}

    security = Security.temporary()
    monkeypatch.setattr("sweep.training.executors.connection._CONNECT_SECONDS", LONG)
    with cluster_of(1, 1, security=security) as started:
        address = started.scheduler_address
        assert address.startswith("tls://")
        with dask.config.set(configured(security)):
            result = run_in_parts(STUDY, tmp_path / "r", cluster=address, part_runs=PART_RUNS)
        assert result.facts["digest"] == sweep.run(STUDY).facts["digest"]
        with pytest.raises(SweepError, match=f"cluster '{address}' needs certificates: "):
            run_in_parts(STUDY, tmp_path / "s", cluster=address, part_runs=PART_RUNS)
        monkeypatch.setattr("sweep.training.executors.connection._CONNECT_SECONDS", 0.5)
        with (
            dask.config.set(configured(Security.temporary())),
            pytest.raises(SweepError, match=f"cluster '{address}' cannot be reached"),
        ):
            run_in_parts(STUDY, tmp_path / "s", cluster=address, part_runs=PART_RUNS)
