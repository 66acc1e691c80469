"""
Lines
=====

A statistic over one option, with 95 % intervals; a line for each value of a second option, and panels for a third.
"""

import sweep
from sweep import figures

study = sweep.load_study("xor", {"hidden": [2, 4, 8], "activation": ["relu", "tanh"], "seeds.count": 200})
result = sweep.run(study)
figure = figures.draw(result, "lines", x="learning_rate", color="hidden", facet=["activation"])
