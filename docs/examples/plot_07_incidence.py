"""
Cumulative incidence
====================

The share of networks that have converged by each step, with a band that holds for the whole curve with 95 %.
"""

import sweep
from sweep import figures

study = sweep.load_study("xor", {"hidden": [2, 4, 8], "learning_rate": 0.01, "seeds.count": 500})
result = sweep.run(study)
figure = figures.draw(result, "incidence", color="hidden", bands="simultaneous")

# %%
# If you train k networks in parallel and take the first that converges:
figure = figures.draw(result, "incidence", at={"hidden": [2]}, parallel_runs=[1, 2, 4, 8])
