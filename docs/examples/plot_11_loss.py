"""
Final losses
============

The final loss of each network over its initial loss, after a fixed number of steps. Networks in the line at 1 are in a
local minimum; at the bottom the loss is as small as rounding allows.
"""

import sweep
from sweep import figures

study = sweep.load_study(
    "xor", {"hidden": [2, 4, 8], "learning_rate": 0.01, "criterion": "none", "max_steps": 2000, "seeds.count": 500}
)
result = sweep.run(study)
figure = figures.draw(result, "loss")
