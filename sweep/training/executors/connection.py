"""Reach a dask cluster: that of a scheduler elsewhere, or of processes that are started here and end with the run."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from sweep.errors import SweepError
from sweep.training.executors.address import local_workers

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

# For so long a scheduler may take to answer.
_CONNECT_SECONDS = 10.0

# Variables that keep libraries from starting threads that nobody uses: each worker trains on its own. They are set in
# the workers, while dask would set them in this process too, where they would stay.
_ENVIRONMENT = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}


def require_distributed(cluster: str) -> None:
    """Require the packages of the extra, and for TLS the certificates that dask is configured with.

    Raises
    ------
    SweepError
    """
    try:
        import cryptography  # noqa: F401 - of certificates for local workers
        import distributed  # noqa: F401
    except ImportError:
        raise SweepError(
            f"cluster {cluster!r} given, which takes dask.distributed; install it: pip install 'xor-sweep[cluster]'"
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
        f"cluster {cluster!r} given, which takes certificates: {reason}; dask's configuration names their files under "
        "distributed.comm.tls, as ca-file, client.cert and client.key"
    )


@contextmanager
def connected(cluster: str) -> Iterator[Client]:
    """Reach a cluster, starting its processes if they are local; leave it, and end them, at the end.

    Raises
    ------
    SweepError
        If it cannot be reached or started.
    """
    from distributed import Client

    n_workers = local_workers(cluster)
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        target = cluster if n_workers is None else stack.enter_context(_started(n_workers))
        client = Client.__new__(Client)  # so that it can be left also if it fails here: its finalizer takes 20 s
        stack.callback(_leave, client)
        try:
            Client.__init__(client, target, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            raise SweepError(f"cluster {cluster!r} cannot be reached: {_reason(error)}") from None
        yield client


@contextmanager
def _started(n_workers: int) -> Iterator[LocalCluster]:
    """Start processes that only this one can talk to: on the loopback device, with a certificate made for it."""
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
        # Without these there are no pages for other users of this machine, who need no certificate for them.
        **dict.fromkeys(("distributed.scheduler.http.routes", "distributed.worker.http.routes"), ()),
        # Processes that are killed are started again; dask gives those up that are away twice in so long.
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
                # It listens for requests in any case: on the loopback device and a port that is free.
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                memory_limit=0,  # as for threads, the system decides
                silence_logs=logging.CRITICAL,
            )
        except (OSError, RuntimeError, TimeoutError) as error:
            raise SweepError(f"{n_workers} worker processes cannot be started: {_reason(error)}") from None
        try:
            yield cluster
        finally:
            cluster.close()
            if unseeded:  # dask seeds hashes in its workers, by a variable that would go to other processes too
                os.environ.pop("PYTHONHASHSEED", None)


def all_ended(client: Client) -> bool:
    """Tell whether all processes that were started here have ended, and will not be started again."""
    cluster = client.cluster
    return cluster is not None and all(
        nanny.status.name in ("closing", "closed", "failed") for nanny in cluster.workers.values()
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep dask from writing to standard error of workers that come and go: what matters is told in one sentence."""
    handlers = [(handler, handler.level) for handler in logging.getLogger("distributed").handlers]
    for handler, _ in handlers:
        handler.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for handler, level in handlers:
            handler.setLevel(level)


def _leave(client: Client) -> None:
    with suppress(OSError, TimeoutError, AttributeError):  # the last where it failed before there was anything to leave
        client.close()


def _reason(error: BaseException) -> str:
    """Write an error on one line."""
    return " ".join(str(error).split()) or type(error).__name__
