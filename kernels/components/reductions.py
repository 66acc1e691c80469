"""Reductions of a loss: the sum of its terms, their mean, or the mean over patterns of sums over outputs."""

REDUCTIONS = ("sum", "mean", "pattern_mean")


def count(reduction: str, n_patterns: int, n_outputs: int) -> float:
    """Return the divisor of a sum over terms of patterns and outputs; 1 for ``"sum"``, since division by 1 is exact."""
    return float({"sum": 1, "mean": n_patterns * n_outputs, "pattern_mean": n_patterns}[reduction])
