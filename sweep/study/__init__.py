"""Studies: their options, data, files and cells (configurations)."""
