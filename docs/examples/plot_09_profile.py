"""
Performance profiles
====================

How often each optimizer is the fastest, or within a factor of the fastest (Dolan and More). A problem is a seed with a
loss to reach.
"""

import sweep
from sweep import figures

changes = {"optimizer": ["gd", "momentum", "adam"], "learning_rate": 0.01, "hidden": 8, "seeds.count": 300}
study = sweep.load_study("xor", {**changes, "record.loss_thresholds": [1.0, 0.1, 0.01]})
result = sweep.run(study)
figure = figures.draw(result, "profile", color="optimizer")
