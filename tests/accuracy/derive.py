"""Derive the constants in ``kernels/elementary.py``.

Not part of the test run: it needs mpmath, and is kept so that every constant in
the kernels can be traced to a formula.

    pip install mpmath
    python tests/accuracy/derive.py
"""

from __future__ import annotations

from collections.abc import Callable

from mpmath import cos, exp, expm1, floor, log, lu_solve, matrix, mp, mpf, nstr, pi, polyval, sqrt, tanh

mp.dps = 60

Function = Callable[[mpf], mpf]


def chebyshev_nodes(low: mpf, high: mpf, count: int) -> list[mpf]:
    """Place ``count`` Chebyshev nodes of the first kind on ``[low, high]``, ascending."""
    middle, radius = (low + high) / 2, (high - low) / 2
    return [middle - radius * cos(pi * (2 * k + 1) / (2 * count)) for k in range(count)]


def grid(low: mpf, high: mpf, count: int = 4000) -> list[mpf]:
    """Place ``count`` equal steps on ``[low, high]``."""
    return [low + (high - low) * k / count for k in range(count + 1)]


def remez(function: Function, weight: Function, low: mpf, high: mpf, degree: int) -> tuple[list[mpf], mpf]:
    """Fit the polynomial of least weighted maximum error by Remez exchange.

    Returns ascending coefficients and the weighted error.
    """
    nodes = chebyshev_nodes(low, high, degree + 2)
    points = grid(low, high)
    values = [(x, function(x), weight(x)) for x in points]
    for _ in range(12):
        system, right = matrix(degree + 2, degree + 2), matrix(degree + 2, 1)
        for row, x in enumerate(nodes):
            for power in range(degree + 1):
                system[row, power] = x**power
            system[row, degree + 1] = (-1) ** row / weight(x)
            right[row] = function(x)
        coefficients = list(lu_solve(system, right))[: degree + 1]
        errors = [(polyval(coefficients[::-1], x) - y) * w for x, y, w in values]
        nodes = extrema(points, errors, degree + 2)
    return coefficients, max(abs(error) for error in errors)


def extrema(points: list[mpf], errors: list[mpf], count: int) -> list[mpf]:
    """Pick the largest error of each run of one sign, the ``count`` largest in order."""
    runs: list[tuple[mpf, mpf]] = []
    for x, error in zip(points, errors, strict=True):
        if runs and runs[-1][1] * error > 0:
            if abs(error) > abs(runs[-1][1]):
                runs[-1] = (x, error)
        else:
            runs.append((x, error))
    while len(runs) > count:
        runs.pop(0 if abs(runs[0][1]) < abs(runs[-1][1]) else -1)
    return [x for x, _ in runs]


def fit_rational(function: Function, low: mpf, high: mpf, degrees: tuple[int, int]) -> tuple[list[mpf], list[mpf]]:
    """Interpolate ``function`` by P/Q with Q(0) = 1 at Chebyshev nodes; ascending coefficients."""
    top, bottom = degrees
    count = top + bottom + 1
    system, right = matrix(count, count), matrix(count, 1)
    for row, x in enumerate(chebyshev_nodes(low, high, count)):
        y = function(x)
        for power in range(top + 1):
            system[row, power] = x**power
        for power in range(1, bottom + 1):
            system[row, top + power] = -y * x**power
        right[row] = y
    solution = list(lu_solve(system, right))
    return solution[: top + 1], [mpf(1), *solution[top + 1 :]]


def exp_tail(r: mpf) -> mpf:
    """(e^r - 1 - r) / r^2, the part of exp that a polynomial stands for."""
    if abs(r) < mpf(10) ** -12:
        return mpf(1) / 2 + r / 6
    return (expm1(r) - r) / r**2


def tanh_tail(z: mpf) -> mpf:
    """(tanh(x)/x - 1) / x^2 as a function of z = x^2."""
    if z < mpf(10) ** -20:
        return mpf(-1) / 3 + 2 * z / 15
    x = sqrt(z)
    return (tanh(x) / x - 1) / z


def report(name: str, coefficients: list[mpf], error: mpf | None = None) -> None:
    """Print ascending coefficients, each to 20 digits."""
    print(name, "" if error is None else f"(relative error {nstr(error, 3)})")
    for value in coefficients:
        print("   ", nstr(value, 20))


def main() -> None:
    """Print every constant."""
    for name, head_bits in (("ln2 float64", 41), ("ln2 float32", 15)):
        head = floor(log(2) * 2**head_bits) / mpf(2) ** head_bits
        report(name, [head, log(2) - head])
    half = log(2) / 2 * mpf("1.0001")
    for name, degree in (("exp_tail float64", 9), ("exp_tail float32", 4)):
        report(name, *remez(exp_tail, lambda r: (r**2 + mpf("1e-9")) / exp(r), -half, half, degree))
    top = mpf("0.625") ** 2
    for name, degrees in (("float64", (2, 3)), ("float32", (2, 1))):
        p, q = fit_rational(tanh_tail, mpf(0), top, degrees)
        error = max(
            abs((polyval(p[::-1], z) / polyval(q[::-1], z) - tanh_tail(z)) * z / (1 + z * tanh_tail(z)))
            for z in grid(mpf(0), top)
        )
        report(f"tanh_numerator {name}", p, error)
        report(f"tanh_denominator {name}", q)


if __name__ == "__main__":
    main()
