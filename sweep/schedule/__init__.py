"""The schedule of a study: the shard of each run, and the order of training."""
