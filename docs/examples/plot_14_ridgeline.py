"""
Ridgeline
=========

How the steps until convergence are distributed for each value of an option. All ridges have one scale, and the share of
networks that did not converge stands beside each.
"""

import sweep
from sweep import figures

study = sweep.load_study("xor", {"hidden": [2, 3, 4, 6, 8, 16], "learning_rate": 0.01, "seeds.count": 1000})
result = sweep.run(study)
figure = figures.draw(result, "ridgeline", y="hidden")
