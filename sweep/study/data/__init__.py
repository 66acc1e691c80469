"""The table [data]: tasks, files, splits and sets of patterns."""
