"""The process of one checkout of xor-sweep: answers requests as :mod:`sweep.bench.worker` does, with ``sweep.run``.

Started by its path, with the checkout on ``PYTHONPATH``, which may be an earlier one.
So it asks nothing of the package but what is public: ``Study``, ``run`` and ``runs``.
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

# What has been compiled.
_warm: set[str] = set()


def answer(threads: int, folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Train the study that a request asks for."""
    tables = request["tables"]
    try:
        study, small = (sweep.Study(**{**tables, "seeds": seeds}) for seeds in (tables["seeds"], {"count": 64}))
    except sweep.SweepError as error:
        return {"unsupported": f"the study cannot be said there: {error}"}
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
    sys.stdout = sys.stderr  # libraries may print what they like
    for line in sys.stdin:
        replies.write(json.dumps(answer(threads, folder, json.loads(line))) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
