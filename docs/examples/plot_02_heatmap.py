"""
Heat map
========

A statistic over two options. Here: the share of networks that learn XOR. With 16 units and learning rates from 0.003 to
0.01 nearly all do; with two units at most about one in five.
"""

import sweep
from sweep import figures

study = sweep.load_study("xor", {"seeds.count": 200})
result = sweep.run(study)
figure = figures.draw(result, "heatmap", x="learning_rate", y="hidden")

# %%
# Any other statistic of the cells: the step by which half of all networks have converged. Where fewer than half ever
# do, there is none.
figure = figures.draw(result, "heatmap", x="learning_rate", y="hidden", value="steps_q50")
