"""``sweep explain`` says of options, components, tasks and statistics what the manual says."""

from __future__ import annotations

import pytest

from tests.sweep.support import command


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("threshold", ("[convergence]", "default 0.0001", "example: threshold = 0.01")),
        ("adam", ("optimizer adam: ", "m = beta1 * m", "source: torch.optim.Adam", "beta1: decay")),
        ("mish", ("activation mish: ", "tanh(softplus(z))")),
        ("parity", ("task parity: ", "1  1  1  ->  1")),
        (
            "expected_steps",
            ("expected_steps: ", "(expected running time, ERT).", "formula: (sum over i of t_i) / s (s: number of"),
        ),
        ("steps_q50_low", ("quantile of steps over all runs.",)),
        ("max_error", ("criterion max_error: ", "absolute(y - target) < threshold")),
    ],
)
def test_explain(name: str, parts: tuple[str, ...]) -> None:
    """A name brings all that is known of it."""
    finished = command("explain", name)
    assert finished.code == 0
    for part in parts:
        assert part in finished.out
