"""The process of one checkout of xor-sweep: answers requests as :mod:`sweep.bench.worker` does, with ``sweep.run``.

It is started by its path, with the checkout, perhaps of an earlier version, on ``PYTHONPATH``.
So it uses only public names of the package: ``Study``, ``run`` and ``runs``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sweep

# Studies whose kernels are compiled.
_warm: set[str] = set()


def answer(threads: int, folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Train the study of a request."""
    tables = request["tables"]
    try:
        study, small = (sweep.Study(**{**tables, "seeds": seeds}) for seeds in (tables["seeds"], {"count": 64}))
    except sweep.SweepError as error:
        return {"unsupported": f"that checkout cannot train this study: {error}"}
    if small.identity not in _warm:
        _train(small, threads)
        _warm.add(small.identity)
    start = time.perf_counter()
    losses = _train(study, threads)
    seconds = time.perf_counter() - start
    np.save(folder / "losses.npy", losses)
    return {"seconds": seconds, "n_networks": study.n_runs}


def _train(study: sweep.Study, threads: int) -> NDArray[np.float64]:
    """Return the final loss of each run."""
    result = sweep.run(study, threads=threads)
    return np.asarray(result.runs(["final_loss"])["final_loss"], np.float64)


def main() -> None:
    """Serve until standard input ends."""
    threads, folder = int(sys.argv[1]), Path(sys.argv[2])
    replies = sys.stdout
    sys.stdout = sys.stderr  # libraries may print to standard output
    for line in sys.stdin:
        replies.write(json.dumps(answer(threads, folder, json.loads(line))) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
