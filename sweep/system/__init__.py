"""The machine, its files and signals, and what is printed: nothing here knows a study."""
