"""Results: what they hold, and what can be asked of them."""
