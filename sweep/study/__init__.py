"""Studies: their words, data, files and cells (configurations)."""
