"""
Importance
==========

How much each option, their interactions and the seed decide: effects as shares of the variance between runs (Sobol
indices), with errors.
"""

import sweep
from sweep import figures

study = sweep.load_study(
    "xor", {"hidden": [2, 4, 8], "activation": ["relu", "tanh"], "scale": [0.5, 1.0, 2.0], "seeds.count": 100}
)
result = sweep.run(study)
figure = figures.draw(result, "importance")

# %%
# The same for the steps until convergence, where a network that never converges counts with the limit (RMST).
figure = figures.draw(result, "importance", value="mean_steps")
