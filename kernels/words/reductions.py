"""What a loss is: the sum of its terms, their mean, or the mean over patterns of sums over outputs."""

REDUCTIONS = ("sum", "mean", "pattern_mean")


def count(reduction: str, n_patterns: int, n_outputs: int) -> float:
    """Return by what the sum over patterns and outputs is divided; division by the 1 of ``"sum"`` is exact."""
    return float({"sum": 1, "mean": n_patterns * n_outputs, "pattern_mean": n_patterns}[reduction])
