"""The machine, its files, signals and text output; nothing here depends on a study."""
