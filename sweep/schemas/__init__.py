"""The columns of the tables of a study: runs, curves, cells, tallies."""
