"""What seeds decide: initial weights, and the order of patterns."""
