"""Everything that seeds decide: initial weights, and shuffled orders of patterns."""
