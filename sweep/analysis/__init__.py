"""Questions to the runs of a study: statistics of its cells, pooled, compared, ranked and explained."""
