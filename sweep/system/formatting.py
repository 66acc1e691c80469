"""Format numbers and names for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from sweep.system.escaping import one_line


def short(value: Any) -> str:
    """Write a value of a parameter on one line, with four significant digits, whole numbers below 1e6 with all.

    >>> [short(value) for value in (0.0017782794, 3.0, 12_345.0, 1e6, True)]
    ['0.001778', '3', '12345', '1e+06', 'True']
    """
    if not isinstance(value, float):
        return one_line(value)
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e6 else f"{value:.4g}"


def exact(value: Any) -> str:
    """Write a value with all its digits, a whole number without a decimal point.

    >>> [exact(value) for value in (0.0017782794, 3.0, 12_345_678.0, "tanh")]
    ['0.0017782794', '3', '12345678', 'tanh']
    """
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def plain_unit(unit: str) -> str:
    """Return a unit that labels name. Those in terms of weights, outputs and losses stand only in the documentation.

    >>> [plain_unit(unit) for unit in ("updates", "%", "weight^2/loss", "1/update")]
    ['updates', '%', '', '']
    """
    return "" if any(part in unit for part in ("weight", "output", "loss", "/")) else unit


def steps_text(value: Any) -> str:
    """Write a number of steps, rounded; a dash if it is missing or infinite."""
    missing = value is None or str(value) == "<NA>" or value != value or value == float("inf")
    return "-" if missing else f"{value:,.0f}"


def measure_text(value: Any) -> str:
    """Write a loss, an error or a mean with three significant digits; a dash if it is missing.

    >>> [measure_text(value) for value in (0.01234, 3.0, 1e-9, float("inf"), None)]
    ['0.0123', '3', '1e-09', 'inf', '-']
    """
    return "-" if value is None or value != value else f"{value:.3g}"


def difference_text(difference: float, low: float, high: float) -> str:
    """Write a difference of rates in percentage points, as ``"+1.2 [-0.3, +2.7]"``; NaN is no interval."""
    text, *ends = (f"{round(100 * value, 1) + 0.0:+.1f}" for value in (difference, low, high))  # never -0.0
    return f"{text} [{ends[0]}, {ends[1]}]" if low == low else text


def steps_difference_text(difference: float, low: float, high: float) -> str:
    """Write a difference of steps, as ``"-120 [-150, -90]"``; without the interval if it is NaN."""
    text, *ends = (f"{value:+,.0f}" if round(value) else "0" for value in (difference, low, high) if value == value)
    return f"{text} [{ends[0]}, {ends[1]}]" if ends else text


def steps_ratio_text(row: Mapping[Any, Any], names: tuple[str, str]) -> str:
    """Write a ratio of expected running times, as ``"1.2 [1.1, 1.3]"``, or ``"NAME never converges"``, or ``"-"``."""
    never = [name for name, side in zip(names, ("first", "second"), strict=True) if row[f"{side}_rate"] == 0]
    if never:
        return f"{never[0]} never converges" if len(never) == 1 else "neither converges"
    ratio, low, high = (row[f"expected_steps_ratio{end}"] for end in ("", "_low", "_high"))
    if ratio != ratio or ratio in (0.0, float("inf")):
        return "-"  # all runs of a side converge at step 0
    text, *ends = (f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" for value in (ratio, low, high))
    return f"{text} [{ends[0]}, {ends[1]}]" if low == low else text


def chance_text(p_value: float) -> str:
    """Write a p-value with two significant digits; a dash if it is missing."""
    if p_value != p_value:
        return "-"
    return f"{p_value:.2g}" if p_value >= 1e-4 else "< 0.0001"


def count_text(n: int, what: str) -> str:
    """Write a number with a noun, in the plural unless the number is 1.

    >>> count_text(1, "run"), count_text(2000, "run")
    ('1 run', '2,000 runs')
    """
    return f"{n:,} {what}" + ("s" if n != 1 else "")


def large_text(number: float) -> str:
    """Write a number of at least 0 with three significant digits, and thousand, million or billion.

    >>> [large_text(number) for number in (0.0, 617.4, 62_345.0, 999_999.0, 70_250_000.0, 2.4e12)]
    ['0', '617', '62.3 thousand', '1.00 million', '70.2 million', '2400 billion']
    """
    for size, name in ((1e9, " billion"), (1e6, " million"), (1e3, " thousand")):
        if number >= 0.9995 * size:
            shown = f"{number / size:#.3g}" if number < 999.5 * size else f"{number / size:.0f}"
            return shown.rstrip(".") + name
    return f"{number:.3g}"


def list_text(items: Sequence[str], word: str = "and") -> str:
    """Join items: a, b and c."""
    return f" {word} ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def size_text(n_bytes: float) -> str:
    """Write a number of bytes as kB, from 1 MB on as MB."""
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.0f} kB"


def name_text(values: Mapping[Any, Any], parameters: list[str]) -> str:
    """Write names and values of some parameters: hidden 2, bias True."""
    return ", ".join(f"{name} {short(values[name])}" for name in parameters)


def duration(seconds: float) -> str:
    """Write an estimated time in at most two units, rounded up.

    >>> [duration(seconds) for seconds in (0.2, 3.4, 200, 2000, 7500, 100_000)]
    ['1 s', '4 s', '3 min 20 s', '34 min', '2 h 05 min', '1 d 04 h']
    """
    whole = ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = ceil(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    hours = ceil(seconds / 3600)
    return f"{hours // 24} d {hours % 24:02d} h"
