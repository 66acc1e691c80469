"""The process of one peer: answers requests on standard input, one line of JSON each.

Each peer has a separate process, so that no library's threads, environment or
crash affects another peer. A request names case, variant and number of networks; the
answer has the seconds of training and the file with the final losses, or an error.
"""

from __future__ import annotations

import json
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sweep.bench.case import Array, Case
from sweep.bench.peers import MissingError, Peer, UnsupportedError, find_peer

# Initial weights of one case, the first networks of it.
_drawn: dict[Case, Array] = {}


@cache
def _ready(name: str, case: Case, variant: int, threads: int) -> Peer:
    """Make a peer, and let it compile and warm up."""
    peer = find_peer(name)(case, variant, threads)
    peer.train(_weights(case, peer.granularity))
    return peer


def _weights(case: Case, n_networks: int) -> Array:
    """Return initial weights; those of the last case are kept, since drawing takes longer than training."""
    known = _drawn.get(case, case.initial_weights(0))
    if len(known) < n_networks:
        known = np.concatenate([known, case.initial_weights(n_networks - len(known), len(known))])
        _drawn.clear()
        _drawn[case] = known
    return known[:n_networks].copy()


def answer(name: str, threads: int, folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Train the networks of a request."""
    try:
        kind, case = find_peer(name), Case.of(request["case"])
        if request["kind"] == "hello":
            return {
                "title": kind.title,
                "variants": {str(variant): kind.describe(variant) for variant in kind.variants_for(case)},
                "same_bits": kind.same_bits,
            }
        peer = _ready(name, case, request["variant"], threads)
    except (ImportError, MissingError) as error:
        return {"missing": str(error)}
    except UnsupportedError as error:
        return {"unsupported": str(error)}
    n_networks = -(-request["n_networks"] // peer.granularity) * peer.granularity
    weights = _weights(case, n_networks)
    start = time.perf_counter()
    losses = peer.train(weights)
    seconds = time.perf_counter() - start
    path = folder / "losses.npy"
    np.save(path, np.asarray(losses, np.float64))
    return {"seconds": seconds, "n_networks": n_networks}


def main() -> None:
    """Serve one peer until standard input ends."""
    name, threads, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    replies = sys.stdout
    sys.stdout = sys.stderr  # libraries may print to standard output
    for line in sys.stdin:
        reply = answer(name, threads, folder, json.loads(line))
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
