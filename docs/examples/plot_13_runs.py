"""
Curves of single runs
=====================

A line for each network, colored by how it ended.
"""

import sweep
from sweep import figures

changes = {"hidden": 4, "learning_rate": 0.01, "seeds.count": 50, "record.curves": {"seeds": 50}}
result = sweep.run(sweep.load_study("xor", changes))
figure = figures.draw(result, "runs")
