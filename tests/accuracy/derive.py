"""Derive the constants in ``kernels/elementary``.

Not part of the test run: it needs mpmath, and is kept so that every constant in
the kernels can be traced to a formula.

    pip install mpmath
    python tests/accuracy/derive.py
"""

from __future__ import annotations

from collections.abc import Callable

from mpmath import (
    atanh,
    cos,
    cosh,
    erfc,
    exp,
    expm1,
    floor,
    log,
    lu_solve,
    matrix,
    mp,
    mpf,
    nstr,
    pi,
    polyval,
    sin,
    sqrt,
    tanh,
)

mp.dps = 60

# Keeps weights above zero where the errors of a polynomial do not matter.
TINY = mpf("1e-9")

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
    """(e^r - 1 - r) / r^2, the part of exp that a polynomial approximates."""
    if abs(r) < mpf(10) ** -12:
        return mpf(1) / 2 + r / 6
    return (expm1(r) - r) / r**2


def tanh_tail(z: mpf) -> mpf:
    """(tanh(x)/x - 1) / x^2 as a function of z = x^2."""
    if z < mpf(10) ** -20:
        return mpf(-1) / 3 + 2 * z / 15
    x = sqrt(z)
    return (tanh(x) / x - 1) / z


def log1p_tail(z: mpf) -> mpf:
    """(log(1 + t) / s - 2) / s^2 as a function of z = s^2, where s = t / (2 + t)."""
    if z < mpf(10) ** -20:
        return mpf(2) / 3 + 2 * z / 5
    s = sqrt(z)
    return (2 * atanh(s) / s - 2) / z


def softplus_curve(z: mpf) -> mpf:
    """(softplus(x) - x/2 - ln 2) / x^2 = log(cosh(x/2)) / x^2 as a function of z = x^2."""
    if z < mpf(10) ** -20:
        return mpf(1) / 8 - z / 192
    return log(cosh(sqrt(z) / 2)) / z


def sin_tail(z: mpf) -> mpf:
    """(sin(r)/r - 1) / r^2 as a function of z = r^2."""
    if z < mpf(10) ** -20:
        return mpf(-1) / 6 + z / 120
    r = sqrt(z)
    return (sin(r) / r - 1) / z


def cos_tail(z: mpf) -> mpf:
    """(cos(r) - 1) / r^2 as a function of z = r^2."""
    return mpf(-1) / 2 + z / 24 if z < mpf(10) ** -20 else (cos(sqrt(z)) - 1) / z


def normal_cdf(x: mpf) -> mpf:
    """Phi(x), the probability that a standard normal number is at most x."""
    return erfc(-x / sqrt(2)) / 2


def normal_curve(z: mpf) -> mpf:
    """1/2 - (Phi(x) - 1/2) / x as a function of z = x^2."""
    if z < mpf(10) ** -20:
        return mpf(1) / 2 - (1 - z / 6) / sqrt(2 * pi)
    x = sqrt(z)
    return mpf(1) / 2 - (normal_cdf(x) - mpf(1) / 2) / x


def normal_tail(t: mpf) -> mpf:
    """Phi(-t) t / e^(-t^2/2), which rises from 0.26 at t = 1 to 1/sqrt(2 pi)."""
    return t * normal_cdf(-t) * exp(t**2 / 2)


def split(value: mpf, places: list[int]) -> list[mpf]:
    """Split a number into parts of some binary places each; the rest comes last."""
    parts = []
    for count in places:
        parts.append(floor(value * 2**count) / mpf(2) ** count)
        value -= parts[-1]
    return [*parts, value]


def report(name: str, coefficients: list[mpf], error: mpf | None = None) -> None:
    """Print ascending coefficients, each to 20 digits."""
    print(name, "" if error is None else f"(relative error {nstr(error, 3)})")
    for value in coefficients:
        print("   ", nstr(value, 20))


def exponential() -> None:
    """Print the constants of exp and tanh."""
    for name, places in (("ln2 float64", 41), ("ln2 float32", 15)):
        report(name, split(log(2), [places]))
    half = log(2) / 2 * mpf("1.0001")
    for name, degree in (("exp_tail float64", 9), ("exp_tail float32", 4)):
        report(name, *remez(exp_tail, lambda r: (r**2 + TINY) / exp(r), -half, half, degree))
    top = mpf("0.625") ** 2
    for name, degrees in (("float64", (2, 3)), ("float32", (2, 1))):
        p, q = fit_rational(tanh_tail, mpf(0), top, degrees)
        error = max(
            abs((polyval(p[::-1], z) / polyval(q[::-1], z) - tanh_tail(z)) * z / (1 + z * tanh_tail(z)))
            for z in grid(mpf(0), top)
        )
        report(f"tanh_numerator {name}", p, error)
        report(f"tanh_denominator {name}", q)


def softplus() -> None:
    """Print the constants of softplus; errors are relative to the smallest value, softplus(-|x|)."""
    for name, bits in (("ln2 float64", 53), ("ln2 float32", 24)):
        report(name, split(log(2), [bits]))
    for name, degree in (("curve float64", 8), ("curve float32", 3)):
        report(name, *remez(softplus_curve, lambda z: (z + TINY) / log(1 + exp(-sqrt(z))), mpf(0), mpf(1), degree))
    top = (1 / (2 * exp(1) + 1)) ** 2
    for name, degree in (("log1p_tail float64", 6), ("log1p_tail float32", 2)):
        report(name, *remez(log1p_tail, lambda z: (z + TINY) / 2, mpf(0), top, degree))


def trigonometric() -> None:
    """Print the constants of sin and cos."""
    report("pi/2 float64", split(pi / 2, [36, 53, 87]))
    report("pi/2 for float32", split(pi / 2, [30]))
    top = (pi / 4 * mpf("1.001")) ** 2
    for name, tail, degree in (
        ("sin_tail float64", sin_tail, 5),
        ("sin_tail float32", sin_tail, 2),
        ("cos_tail float64", cos_tail, 6),
        ("cos_tail float32", cos_tail, 3),
    ):
        report(name, *remez(tail, lambda z: z + TINY, mpf(0), top, degree))


def normal() -> None:
    """Print the constants of the normal distribution; errors are relative to Phi(-|x|)."""
    report("1/sqrt(2 pi)", [1 / sqrt(2 * pi)])
    for name, degree in (("curve float64", 9), ("curve float32", 5)):
        report(name, *remez(normal_curve, lambda z: (sqrt(z) + TINY) / normal_cdf(-sqrt(z)), mpf(0), mpf(1), degree))
    for name, pole, center, high, degree in (
        ("tail float64", mpf("1.5"), mpf("0.5"), mpf(39), 21),
        ("tail float32", mpf(1), mpf("0.25"), mpf("14.5"), 8),
    ):
        # y = (t - 1) / (t/2 + pole) - center rises from -center at t = 1

        def of_y(y: mpf, pole: mpf = pole, center: mpf = center) -> mpf:
            return normal_tail((1 + (y + center) * pole) / (1 - (y + center) / 2))

        last = (high - 1) / (high / 2 + pole) - center
        report(name, *remez(of_y, lambda y, of_y=of_y: 1 / of_y(y), -center, last, degree))


def main() -> None:
    """Print every constant."""
    exponential()
    softplus()
    trigonometric()
    normal()


if __name__ == "__main__":
    main()
