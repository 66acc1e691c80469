"""Train networks, and train them again: weights, tests, gradients, learning curves and traces."""
