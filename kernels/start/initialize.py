"""Initial weights by scheme."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.start.numbers import fill_numbers


def initial_weights(
    seeds: NDArray[Any],
    n_parameters: int,
    *,
    distribution: str,
    scale: float,
    stream: str,
    dtype: str,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Draw the initial parameters of one network per seed.

    Parameters are drawn in the order of :class:`kernels.architecture.Architecture`,
    in float64, and then rounded. They depend on the seed and the shape alone, so
    cells of a study that share both start from the same weights.

    Parameters
    ----------
    seeds : (n,)
        Integers from 0 to 2^32 - 1.
    n_parameters
        Parameters of one network.
    distribution
        ``"normal"``: scale * z with z of deviation 1; ``"uniform"``: on
        [-scale, scale), as -scale + (2 * scale) * u.
    scale
        In the unit of a weight.
    stream
        See :func:`kernels.start.numbers.fill_numbers`.
    dtype
        Of the result.
    out : (n, n_parameters) of ``dtype``
        Where the result goes, in C order; fresh memory if not given.

    Returns
    -------
    (n, n_parameters) of ``dtype``
    """
    factor, shift = (scale, -0.0) if distribution == "normal" else (2 * scale, -scale)
    shape = seeds.size, n_parameters
    weights = np.empty(shape, dtype) if out is None else out
    if weights.shape != shape or weights.dtype != dtype:
        raise ValueError(f"out of shape {weights.shape} and {weights.dtype} given; must be {shape}, {dtype}")
    fill_numbers(weights, seeds, distribution, stream, factor, shift)
    return weights
