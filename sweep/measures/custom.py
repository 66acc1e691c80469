"""Custom measures: records of those that studies name, whose functions are known to the process that trains."""

from __future__ import annotations

from collections.abc import Callable

from kernels.custom.registry import Declaration, component_of
from sweep.measures.measure import Array, Measure, Networks

# Behind all built-in ones.
CUSTOM_PLACE = 1000


def custom_measure(declaration: Declaration) -> Measure:
    """Return the record of a custom measure."""
    worst = "-inf" if declaration.more_is_better else "inf"
    return Measure(
        declaration.name,
        CUSTOM_PLACE,
        declaration.label,
        declaration.unit,
        f"{declaration.meaning}; {worst} if diverged",
        more_is_better=declaration.more_is_better,
        is_signed=True,
        compute=_computed(declaration),
    )


def _computed(declaration: Declaration) -> Callable[[Networks], Array]:
    """Return the function that computes a custom measure by the source that a study declares."""

    def compute(networks: Networks) -> Array:
        import numpy as np

        from kernels.custom.totals import measured

        component = component_of(declaration.key)
        assert component, "training checks that the source of custom components is known"
        values = measured(component, _terms(networks, component.options["over"]))
        values = np.where(np.isnan(values), np.nan, values)  # bit patterns of NaN differ between machines
        return np.where(networks.diverged, -np.inf if declaration.more_is_better else np.inf, values)

    return compute


def _terms(networks: Networks, over: str) -> list[Array]:
    """Return the arguments of the function of a measure, each (runs, terms)."""
    if over == "weights":
        return [networks.final, networks.initial]
    import numpy as np

    outputs, targets = networks.outputs, np.broadcast_to(networks.targets, networks.outputs.shape)
    return [each.reshape(len(outputs), -1) for each in (outputs, targets)]
