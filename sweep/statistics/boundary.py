"""The box-counting dimension of a boundary on a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sweep.errors import SweepError

if TYPE_CHECKING:
    import pandas as pd

# Fewest boxes along the shorter side of a map; larger boxes count its frame rather than its boundary.
_FEWEST_ALONG = 8
# Fewest sizes of boxes for a slope with an error.
_FEWEST_SIZES = 3


class BoundaryDimension(NamedTuple):
    """The box-counting dimension of a boundary.

    Attributes
    ----------
    dimension : float
        Minus the slope of log2(boxes) over log2(size) by least squares: 1 for smooth curves, up to 2 for boundaries
        that fill the plane.
    error : float
        Standard error of the slope: how far the counts lie from a straight line. It is no error of sampling.
    counts : DataFrame
        ``size`` of the boxes, in cells along a side, and number of ``boxes`` with a piece of the boundary.
    """

    dimension: float
    error: float
    counts: pd.DataFrame


def boundary_dimension(classes: ArrayLike) -> BoundaryDimension:
    """Return the box-counting dimension of the boundary between the classes of a map.

    A square of four neighboring cells is on the boundary if their classes differ, as in Sohl-Dickstein (arXiv
    2402.06184). Boxes have sides of 1, 2, 4, .. squares, as long as at least 8 lie along the shorter side of the map.

    Parameters
    ----------
    classes : (rows, columns)
        The class of each cell, such as whether its network was trained. Both axes should have even spacing in what they
        show, linear or logarithmic, and at least 33 cells.

    Returns
    -------
    BoundaryDimension

    Raises
    ------
    SweepError
        If the map has fewer than 33 rows or columns, or all cells are of one class.

    Notes
    -----
    Finite maps show a dimension that is too low: of two Julia sets and of the Sierpinski carpet, whose dimensions are
    1.27, 1.39 and 1.89, maps of 1,025 and 729 cells along a side give 1.23, 1.33 and 1.81.

    Examples
    --------
    Half a plane has a straight edge:

    >>> import numpy as np
    >>> place = np.arange(200)
    >>> round(boundary_dimension(np.add.outer(place, place) < 200).dimension, 3)
    1.0
    """
    import pandas as pd

    found = np.asarray(classes)
    fewest = _FEWEST_ALONG * 2 ** (_FEWEST_SIZES - 1) + 1
    if found.ndim != 2 or min(found.shape) < fewest:
        raise SweepError(f"classes: must have at least {fewest} rows and columns, got {found.shape}; train a finer map")
    on_boundary = _edges(found)
    if not on_boundary.any():
        raise SweepError("classes: must differ somewhere, got one class; a map without a boundary has no dimension")
    sizes = [2**k for k in range(min(on_boundary.shape).bit_length()) if _FEWEST_ALONG * 2**k <= min(on_boundary.shape)]
    boxes = [_count(on_boundary, size) for size in sizes]
    x, y = np.log2(sizes), np.log2(boxes)
    x = x - x.mean()
    slope = float(x @ y / (x @ x))
    rest = y - y.mean() - slope * x
    error = float(np.sqrt(rest @ rest / (len(x) - 2) / (x @ x)))
    return BoundaryDimension(-slope, error, pd.DataFrame({"size": sizes, "boxes": boxes}))


def _edges(classes: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which squares of four neighboring cells have several classes, (rows - 1, columns - 1)."""
    corner = classes[1:, 1:]
    others = classes[:-1, 1:], classes[1:, :-1], classes[:-1, :-1]
    differs: NDArray[np.bool_] = np.any([corner != other for other in others], axis=0)
    return differs


def _count(on_boundary: NDArray[np.bool_], size: int) -> int:
    """Return how many boxes of ``size`` x ``size`` squares have one on the boundary; those at the ends are smaller."""
    starts = [range(0, n, size) for n in on_boundary.shape]
    along = np.logical_or.reduceat(on_boundary, starts[0], axis=0)
    return int(np.logical_or.reduceat(along, starts[1], axis=1).sum())
