"""
Steps
=====

How the steps until convergence are distributed. Shares are of all networks, so a curve has a smaller area where
fewer converge.
"""

import sweep
from sweep import figures

study = sweep.load_study("xor", {"hidden": [2, 4, 8], "learning_rate": 0.01, "seeds.count": 1000})
result = sweep.run(study)
figure = figures.draw(result, "steps", color="hidden")
