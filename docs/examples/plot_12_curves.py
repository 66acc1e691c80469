"""
Learning curves
===============

Medians and quartiles of the loss over the steps, of the first 50 seeds.
"""

import sweep
from sweep import figures

changes = {"hidden": [2, 4, 8], "learning_rate": 0.01, "seeds.count": 100, "record.curves": {"seeds": 50}}
result = sweep.run(sweep.load_study("xor", changes))
figure = figures.draw(result, "curves", color="hidden")
