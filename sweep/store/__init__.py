"""Results that last: where they lie, how they are encoded, and who may write them."""
