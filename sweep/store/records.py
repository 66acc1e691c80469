"""Records: small JSON files that contain their own hash, so that any changed bit is detected."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from kernels.floating_point import default_floating_point
from sweep.errors import DamageError

_NAMES: dict[type, str] = {
    str: "text",
    int: "an integer of at least 0",
    float: "a finite number",
    bool: "true or false",
    type(None): "null",
    list: "a list",
}


def encode_record(facts: Mapping[str, Any]) -> bytes:
    """Encode facts together with their own hash."""
    return (json.dumps({**facts, "check": _check(facts)}, indent=2) + "\n").encode()


@default_floating_point  # Python's parser of floats depends on it
def decode_record(content: bytes, where: str) -> dict[str, Any]:
    """Return the facts of a record, after checking its hash."""
    try:
        facts = json.loads(content)
        check = facts.pop("check")
        expected = _check(facts)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise DamageError(where, "it is not the JSON file that was written") from None
    if check != expected:
        raise DamageError(where, "its content does not match its 'check'")
    return dict(facts)


def check_kinds(where: str, facts: Mapping[str, Any], kinds: Mapping[str, tuple[type, ...]]) -> None:
    """Check that required keys have values of the right types. A float may be written as an integer."""
    for key, allowed in kinds.items():
        if key not in facts:
            raise DamageError(where, f"it has no key {key!r}")
        if not any(_is_a(facts[key], kind) for kind in allowed):
            names = " or ".join(_NAMES[kind] for kind in allowed)
            raise DamageError(where, f"{key!r} must be {names}, got {facts[key]!r:.50}")


def _is_a(value: Any, kind: type) -> bool:
    if kind in (int, float) and type(value) is int:
        return bool(0 <= value < 2**63)
    return type(value) is kind and not (isinstance(value, float) and not math.isfinite(value))


def _check(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
