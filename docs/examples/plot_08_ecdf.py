"""
Run-length distributions
========================

The share of networks that have reached a loss by each step. ``loss_thresholds`` records the step at which each loss is
first reached, in one training.
"""

import sweep
from sweep import figures

study = sweep.load_study(
    "xor", {"hidden": 4, "learning_rate": 0.01, "record.loss_thresholds": [1.0, 0.1, 0.01, 0.001], "seeds.count": 500}
)
result = sweep.run(study)
figure = figures.draw(result, "ecdf", color="loss_threshold")
