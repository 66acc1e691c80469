"""
Contours
========

Lines of equal values over two options of numbers, between the cells too.
"""

import sweep
from sweep import figures

study = sweep.load_study(
    "xor",
    {
        "hidden": 4,
        "learning_rate": {"geomspace": [0.001, 1, 16]},
        "scale": {"geomspace": [0.1, 10, 16]},
        "seeds.count": 100,
    },
)
result = sweep.run(study)
figure = figures.draw(result, "contour", x="learning_rate", y="scale")
