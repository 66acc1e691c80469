"""Optimizers, a module for each. The operations and their order are those of the oracle (``tests/oracle``)."""
