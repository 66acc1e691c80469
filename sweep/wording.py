"""How numbers and names are written for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def short(value: Any) -> str:
    """Write a value of a parameter in four significant digits at most."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def steps_text(value: Any) -> str:
    """Write a number of steps; a dash where there is none."""
    missing = value is None or str(value) == "<NA>" or value != value or value == float("inf")
    return "-" if missing else f"{value:,.0f}"


def rate_text(row: Mapping[Any, Any], unit: str = "") -> str:
    """Write a convergence rate in percent, with its interval."""
    rate, low, high = (100 * row[f"convergence_rate{end}"] for end in ("", "_low", "_high"))
    return f"{rate:.1f}{unit} [{low:.1f}, {high:.1f}]"


def chance_text(p_value: float) -> str:
    """Write a p-value in two significant digits; a dash where there is none."""
    if p_value != p_value:
        return "-"
    return f"{p_value:.2g}" if p_value >= 1e-4 else "< 0.0001"


def list_text(words: list[str]) -> str:
    """Write words as one says them: a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def name_text(values: Mapping[Any, Any], parameters: list[str]) -> str:
    """Write the values of some parameters."""
    return ", ".join(f"{name} {short(values[name])}" for name in parameters)
