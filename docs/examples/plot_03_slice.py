"""
Slices
======

A point for each cell over each option: what it does on average, and how far the other options spread its cells.
"""

import sweep
from sweep import figures

study = sweep.load_study(
    "xor",
    {
        "hidden": [2, 4, 8],
        "scale": {"geomspace": [0.25, 4, 5]},
        "learning_rate": {"geomspace": [0.001, 1, 10]},
        "seeds.count": 100,
    },
)
result = sweep.run(study)
figure = figures.draw(result, "slice")
