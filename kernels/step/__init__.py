"""One step of training: forward, backward and update, block of patterns by block of patterns."""
