"""The version of the distribution; the build and ``sweep --version`` read it here."""

__version__ = "0.1.0"
