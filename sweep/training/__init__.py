"""Train the missing runs of a study."""
