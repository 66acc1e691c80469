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

import sweep


def answer(threads: int, folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Train the study of a request."""
    try:
        study = sweep.Study(**request["tables"])
    except sweep.SweepError as error:
        return {"unsupported": f"that checkout cannot train this study: {error}"}
    start = time.perf_counter()
    losses = sweep.run(study, threads=threads).runs(["final_loss"])["final_loss"]
    seconds = time.perf_counter() - start
    np.save(folder / "losses.npy", np.asarray(losses, np.float64))
    return {"seconds": seconds, "n_networks": study.n_runs}


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
