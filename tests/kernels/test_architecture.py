"""Where each parameter of a network lies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kernels.architecture import Architecture

COUNT = st.integers(1, 40)
ARCHITECTURES = st.builds(Architecture, COUNT, COUNT, st.just("tanh"), st.just("identity"), st.booleans())


@given(architecture=ARCHITECTURES, hidden=st.integers(1, 10_000))
def test_hidden_inverts_n_parameters(architecture: Architecture, hidden: int) -> None:
    """The number of parameters tells the hidden size."""
    assert architecture.hidden(architecture.n_parameters(hidden)) == hidden


@given(architecture=ARCHITECTURES, n_parameters=st.integers(-5, 2000))
def test_other_numbers_of_parameters_are_refused(architecture: Architecture, n_parameters: int) -> None:
    """A number that no hidden size gives is named in the error."""
    assume(n_parameters not in {architecture.n_parameters(hidden) for hidden in range(1, 2001)})
    with pytest.raises(ValueError, match=f"{n_parameters} parameters"):
        architecture.hidden(n_parameters)


@given(architecture=ARCHITECTURES, hidden=st.integers(1, 40))
def test_split_partitions_the_row(architecture: Architecture, hidden: int) -> None:
    """The parts have the shapes of w, v, b and c, and in drawing order make the row, as views of it."""
    row = np.arange(float(architecture.n_parameters(hidden)))
    parts = [part for part in architecture.split(row) if part is not None]
    shapes = [(architecture.inputs, hidden), (hidden, architecture.outputs), (hidden,), (architecture.outputs,)]
    assert [part.shape for part in parts] == shapes[: 4 if architecture.bias else 2]
    assert np.concatenate([part.ravel() for part in parts]).tolist() == row.tolist()
    assert all(np.shares_memory(part, row) for part in parts)


def test_parameters_lie_in_drawing_order() -> None:
    """The numbering is that of the documentation, written out for one case."""
    w, v, b, c = Architecture(2, 2, "relu", "identity", True).split(np.arange(17))
    assert w.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert v.tolist() == [[6, 7], [8, 9], [10, 11]]
    assert b is not None
    assert b.tolist() == [12, 13, 14]
    assert c is not None
    assert c.tolist() == [15, 16]
