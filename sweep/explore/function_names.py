"""Names of the functions that networks learn: their outputs in the order of the patterns, and names of gates."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweep.study.model import Study

# Functions with more outputs are numbers, as in rows.
_MOST_OUTPUTS = 8
# By the outputs for the inputs a, b = 00, 01, 10, 11, where 1 is the higher value of an input.
_GATES = {
    **{"0000": "always 0", "0001": "AND", "0010": "a AND NOT b", "0011": "a", "0100": "b AND NOT a", "0101": "b"},
    **{"0110": "XOR", "0111": "OR", "1000": "NOR", "1001": "XNOR", "1010": "NOT b", "1011": "a OR NOT b"},
    **{"1100": "NOT a", "1101": "b OR NOT a", "1110": "NAND", "1111": "always 1"},
}


def function_names(study: Study) -> dict[int, str]:
    """Return the names of all values of ``learned_function`` by value; none where functions have many outputs."""
    data = study.data
    n_outputs = (data.n_patterns + data.n_tests) * data.n_targets
    if n_outputs > _MOST_OUTPUTS:
        return {}
    rows = _rows_of_gates(study)
    names = {-1: "diverged"}
    for mask in range(2**n_outputs):
        outputs = "".join(str(mask >> bit & 1) for bit in range(n_outputs))
        names[mask] = f"{_GATES[''.join(outputs[row] for row in rows)]} ({outputs})" if rows else outputs
    return names


def _rows_of_gates(study: Study) -> list[int]:
    """Return the patterns of the inputs 00, 01, 10, 11; none if the patterns are others, or differ between cells."""
    data = study.data
    if len(data.sets) != 1 or (data.n_patterns, data.n_inputs, data.n_targets, data.n_tests) != (4, 2, 1, 0):
        return []
    inputs = [tuple(row) for row in data.sets[0].inputs]
    low, high = (tuple(map(of, zip(*inputs, strict=True))) for of in (min, max))
    corners = [(a, b) for a in (low[0], high[0]) for b in (low[1], high[1])]
    return [inputs.index(corner) for corner in corners] if set(corners) == set(inputs) else []
