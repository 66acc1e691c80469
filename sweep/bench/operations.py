"""Floating-point operations of one training step, counted from the contract."""

from __future__ import annotations

from sweep.bench.case import Case


def step_operations(case: Case) -> int:
    """Count additions, multiplications, maxima and comparisons of a step of one network, as the contract has them.

    What vanishes is not counted: products with zeros and ones of the patterns, and
    additions of a first term or of a zero target. Neither is a tanh counted, whose
    cost :func:`kernels.simd.roof.tanh_rate` measures by itself.

    Notes
    -----
    With N patterns of which n_i have input i set, a hidden unit takes

    =========================  ============================================
    z = sum x w + b            an addition for each input that is set
    relu                       a maximum each
    u += a v                   2 N
    gradient of v              N products, N - 1 additions
    g v, times the derivative  N products, and N comparisons (3 N for tanh)
    gradients of w, b          sum of (n_i - 1), and N - 1 additions
    update of w, v, b          2 each
    =========================  ============================================

    and the output N additions of c, an error for each target that is not zero, N
    doublings, N - 1 additions and 2 for c; the first unit saves N additions of u.
    """
    inputs, targets = case.inputs, case.targets
    n_patterns = len(inputs)
    n_set = int((inputs != 0).sum())
    smooth = case.activation == "tanh"
    unit = n_set + (0 if smooth else n_patterns) + 2 * n_patterns
    unit += 2 * n_patterns - 1 + n_patterns + (3 if smooth else 1) * n_patterns
    unit += n_set - inputs.shape[1] + n_patterns - 1
    unit += 2 * (inputs.shape[1] + 2)
    output = n_patterns + int((targets != 0).sum()) + n_patterns + (n_patterns - 1) + 2
    return int(case.hidden * unit + output - n_patterns)
