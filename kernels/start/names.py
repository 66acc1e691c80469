"""Distributions and random streams of initial weights; both have the bits of NumPy's generators."""

# With a scale s: normal numbers of deviation s; uniform numbers on [-s, s).
DISTRIBUTIONS = ("normal", "uniform")

# Hidden layers of a network, which may be drawn in any order.
MAX_LAYERS = 8

# numpy.random.RandomState, and numpy.random.default_rng.
STREAMS = ("mt19937", "pcg64")
