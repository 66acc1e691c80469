"""
Parallel coordinates
====================

A line for each cell through all of its options, colored by a statistic. It suits samples of many options.
"""

import sweep
from sweep import figures

sample = {
    "count": 128,
    "learning_rate": {"geomspace": [0.001, 1.0]},
    "scale": {"geomspace": [0.1, 10.0]},
    "momentum": {"min": 0.0, "max": 0.99},
}
study = sweep.Study(
    name="sample",
    data={"task": "xor"},
    network={"hidden": 4},
    training={"optimizer": "momentum"},
    samples=[sample],
    seeds={"count": 100},
)
result = sweep.run(study)
figure = figures.draw(result, "parallel")
