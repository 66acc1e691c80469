"""A worked example of a textbook that stops by the running error of an epoch."""

from __future__ import annotations

import numpy as np
import pytest

import sweep


@pytest.mark.wide
@pytest.mark.compiled
def test_example_of_a_textbook() -> None:
    """It ends after as many epochs as a loop in plain Python takes, with the weights of the book to two digits."""
    trace = sweep.trace("negnevitsky")
    assert (trace.status, trace.epochs) == ("converged", 56_351)
    book = {
        "w": [[4.7621, 6.3917], [4.7618, 6.3917]],
        "v": [[-10.3788], [9.7691]],
        "b": [-7.3061, -2.8441],
        "c": [-4.5589],
    }
    for name, values in book.items():
        np.testing.assert_allclose(trace.weights[name], values, rtol=0.005)
