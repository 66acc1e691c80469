"""From seeds to initial weights."""
