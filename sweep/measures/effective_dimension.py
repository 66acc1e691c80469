"""How many directions of the inputs the first hidden layer uses: the participation ratio of its singular values."""

from __future__ import annotations

from sweep.measures.measure import Array, Measure, Networks, ordered_sum


def _effective_dimension(networks: Networks) -> Array:
    """Return the participation ratio, (runs,).

    With singular values s of the weights w, (sum s^2)^2 / sum s^4: the number of equal singular values that would give
    the same ratio (Gao et al., A theory of multineuronal dimensionality, dynamics and measurement, bioRxiv 214262,
    2017). They are the trace of w w' and the sum of its squares, so nothing is decomposed, and all machines get the
    same bits. Weights are divided by the largest one first, which changes no ratio but keeps squares in range.
    """
    import numpy as np

    weights = networks.first_layer
    largest = np.abs(weights).max(axis=(1, 2), keepdims=True)
    weights = weights / np.where(largest > 0, largest, 1.0)
    if weights.shape[1] > weights.shape[2]:
        weights = weights.swapaxes(1, 2)
    products = np.zeros((len(weights), weights.shape[1], weights.shape[1]))
    for unit in np.moveaxis(weights, 2, 0):
        products += unit[:, :, np.newaxis] * unit[:, np.newaxis]
    total = ordered_sum(np.diagonal(products, axis1=1, axis2=2))
    squares = ordered_sum((products * products).reshape(len(weights), -1))
    ratio = np.divide(total * total, squares, out=np.zeros(len(total)), where=squares != 0)
    return np.where(networks.diverged, np.inf, ratio)


MEASURE = Measure(
    "effective_dimension",
    148,
    "effective dimension",
    "directions",
    "participation ratio (sum s^2)^2 / sum s^4 of the singular values s of the final weights from the inputs to the "
    "first hidden layer: 1 if all units weight the inputs in one direction, at most the smaller of inputs and units; "
    "0 if all weights are 0, inf if diverged",
    compute=_effective_dimension,
)
