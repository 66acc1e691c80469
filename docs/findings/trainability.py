"""Zoom into maps of trainability: python docs/findings/trainability.py ACTIVATION [points] [points of zooms].

ACTIVATION is tanh, relu or linear; with 0 points of zooms there are none. Results are stored in results/, and the same
command continues interrupted ones.
"""

import sys

from boundary import RATES, zoom

import sweep

activation, points, zoomed = (*sys.argv[1:], *("tanh", "512", "128")[len(sys.argv) - 1 :])
figure, _ = zoom(
    lambda rates: sweep.load_study(f"trainability-{activation}", rates),
    dict.fromkeys(RATES, (1e-3, 1e6)),
    [int(points), *3 * [int(zoomed)]] if int(zoomed) else [int(points)],
    f"results/trainability-{activation}",
)
figure.savefig(f"trainability_{activation}.webp", dpi=110, pil_kwargs={"quality": 80})
