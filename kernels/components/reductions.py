"""Reductions of a loss: the sum of its terms, their mean, or the mean over patterns of sums over outputs."""

REDUCTIONS = ("sum", "mean", "pattern_mean")


def count(reduction: str, n_patterns: int, n_outputs: int) -> float:
    """Return the divisor of the sum of all terms.

    Parameters
    ----------
    reduction
        One of REDUCTIONS.
    n_patterns, n_outputs
        Patterns and outputs that the sum runs over.

    Returns
    -------
    float
        1 for ``"sum"``; division by 1 is exact.
    """
    return float({"sum": 1, "mean": n_patterns * n_outputs, "pattern_mean": n_patterns}[reduction])
