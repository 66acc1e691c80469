"""The schedule of a study: the part of each run, and the order of training."""
