"""Connect to a dask cluster: a remote scheduler, or local processes that end with the run."""

from __future__ import annotations

import logging
import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from sweep.errors import SweepError
from sweep.system.python_process import fault_of_fork
from sweep.training.executors.address import local_workers

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

# Most seconds for a scheduler to answer.
_CONNECT_SECONDS = 10.0

# Variables that keep libraries from starting unused threads, since each worker trains by itself. They are set in the
# workers only; dask would set them in this process too, and leave them there.
_ENVIRONMENT = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}


def require_distributed(cluster: str) -> None:
    """Refuse a cluster if the packages of the extra are missing, or for TLS dask has no certificates."""
    try:
        import cryptography  # noqa: F401 - for certificates of local workers
        import distributed  # noqa: F401
    except ImportError:
        raise SweepError(
            f"cluster {cluster!r} needs the package dask.distributed; run pip install 'xor-sweep[cluster]'"
        ) from None
    if cluster.startswith("tls:"):
        _require_certificates(cluster)


def _require_certificates(cluster: str) -> None:
    from distributed.security import Security

    try:
        if Security().get_connection_args("client")["ssl_context"]:
            return
        reason = "not all of them are set"
    except (OSError, ValueError) as error:
        reason = _reason(error)
    raise SweepError(
        f"cluster {cluster!r} needs certificates: {reason}; set their files in the configuration of dask, under "
        "distributed.comm.tls, as ca-file, client.cert and client.key"
    )


@contextmanager
def connected(cluster: str) -> Iterator[Client]:
    """Connect to a cluster and start its processes if they are local; disconnect and end them on exit."""
    from distributed import Client

    if fault := fault_of_fork("dask.distributed"):
        raise SweepError(f"cluster {cluster!r} cannot be reached: {fault}")
    n_workers = local_workers(cluster)
    if n_workers is not None and multiprocessing.current_process().daemon:
        raise SweepError(
            f"cluster {cluster!r} cannot be started in a daemonic process of multiprocessing; "
            "train with threads, or start the process with daemon=False"
        )
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        target = cluster if n_workers is None else stack.enter_context(_started(n_workers))
        client = Client.__new__(Client)  # to close it if connecting fails: its finalizer takes 20 s
        stack.callback(_leave, client)
        try:
            Client.__init__(client, target, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            raise SweepError(f"cluster {cluster!r} cannot be reached: {_reason(error)}") from None
        yield client


@contextmanager
def _started(n_workers: int) -> Iterator[LocalCluster]:
    """Start processes that accept only this process: on the loopback device, with a certificate made for the run."""
    import dask
    from distributed import LocalCluster

    settings = {
        "distributed.nanny.pre-spawn-environ": {},
        "distributed.nanny.environ": _ENVIRONMENT,
        "distributed.worker.preload": [
            *dask.config.get("distributed.worker.preload"),
            "sweep.training.executors.remote",
        ],
        "distributed.worker.profile.enabled": False,
        # Switches off pages that other users of this machine could read without a certificate.
        **dict.fromkeys(("distributed.scheduler.http.routes", "distributed.worker.http.routes"), ()),
        # Killed processes are started again; dask gives up after this time without a worker.
        "distributed.deploy.lost-worker-timeout": "1 day",
    }
    unseeded = "PYTHONHASHSEED" not in os.environ
    with (
        tempfile.TemporaryDirectory(prefix="xor-sweep-workers-", ignore_cleanup_errors=True) as folder,
        dask.config.set({**settings, "temporary-directory": folder}),
    ):
        try:
            cluster = LocalCluster(
                n_workers=n_workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                security=True,
                dashboard_address=None,
                # The scheduler always serves HTTP: here on the loopback device, at a free port.
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                memory_limit=0,  # no limit, as for threads
                silence_logs=logging.CRITICAL,
            )
        except (OSError, RuntimeError, TimeoutError) as error:
            raise SweepError(f"{n_workers} worker processes cannot be started: {_reason(error)}") from None
        try:
            yield cluster
        finally:
            cluster.close()
            if unseeded:  # dask sets the hash seed of its workers by a variable, which other processes would inherit
                os.environ.pop("PYTHONHASHSEED", None)


def all_ended(client: Client) -> bool:
    """Return whether all processes started here have ended and will not be restarted."""
    cluster = client.cluster
    return cluster is not None and all(
        nanny.status.name in ("closing", "closed", "failed") for nanny in cluster.workers.values()
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep dask from logging workers that join or leave; errors are reported in one sentence."""
    handlers = [(handler, handler.level) for handler in logging.getLogger("distributed").handlers]
    for handler, _ in handlers:
        handler.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for handler, level in handlers:
            handler.setLevel(level)


def _leave(client: Client) -> None:
    with suppress(OSError, TimeoutError, AttributeError):  # AttributeError: connecting failed early
        client.close()


def _reason(error: BaseException) -> str:
    """Return an error as one line."""
    return " ".join(str(error).split()) or type(error).__name__
