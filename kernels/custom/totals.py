"""Totals of custom measures over the terms of each network, in their order; this module imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernels.custom.apply import Array
    from kernels.custom.registry import CustomComponent


def measured(component: CustomComponent, terms: list[Array]) -> Array:
    """Return the values (runs,) of a custom measure; its terms (runs, terms) are what it takes after the totals."""
    import numpy as np

    from kernels.custom.apply import apply

    (n_runs, n_terms), dtype = terms[0].shape, terms[0].dtype
    totals = [np.full(n_runs, start, dtype) for start in component.options["start"]]
    for k in range(n_terms):
        totals = apply(component, "function", [*totals, *(each[:, k] for each in terms)])
    if "finish" in component.functions:
        totals = apply(component, "finish", [*totals, np.full(n_runs, n_terms, dtype)])
    return totals[0]
