"""What a study sweeps: axes of options, and the grid of cells that they span."""
