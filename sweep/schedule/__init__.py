"""Where each run of a study is trained, and in which order."""
