"""The version of the distribution, which its builds and its command read here."""

__version__ = "0.1.0"
