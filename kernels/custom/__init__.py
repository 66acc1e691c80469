"""Custom components: Python functions over lanes, in the form of this package's own components."""
