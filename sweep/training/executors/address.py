"""Names of clusters on the command line and in Python."""

from __future__ import annotations

import re

from sweep.errors import StudyError, shown
from sweep.system.host import most_threads

_LOCAL = re.compile(r"local:([0-9]{1,6})", re.ASCII)
_SCHEDULER = re.compile(r"(?:tcp|tls)://([^\s/:@\[\]]+|\[[0-9A-Fa-f:.%]+\]):([0-9]{1,5})", re.ASCII)


def check_cluster(cluster: str) -> None:
    """Refuse a text that does not name a cluster."""
    n_workers = local_workers(cluster)
    if n_workers is not None and not 1 <= n_workers <= most_threads():
        raise StudyError(f"cluster: N of local:N must be from 1 to {most_threads()}, got {cluster!r}")
    if n_workers is None and not _is_scheduler(cluster):
        raise StudyError(
            "cluster: must be tcp://HOST:PORT or tls://HOST:PORT (a dask scheduler), or local:N (N processes of this "
            f"machine), got {shown(cluster)}"
        )


def local_workers(cluster: str) -> int | None:
    """Return the number of processes of ``local:N``; None for the address of a scheduler."""
    found = _LOCAL.fullmatch(cluster)
    return int(found[1]) if found else None


def _is_scheduler(cluster: str) -> bool:
    """Return whether this has the form of a scheduler's address: a host name and a port."""
    found = _SCHEDULER.fullmatch(cluster)
    try:
        return found is not None and bool(found[1].encode("idna")) and int(found[2]) < 2**16
    except UnicodeError:
        return False
