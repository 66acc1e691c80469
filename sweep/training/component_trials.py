"""Custom components before they are used: this process must have their code, and it is tried on lanes.

What a component gives with the JIT is compared with what it gives without, in another process, since one process has
one way. An activation and a loss are compared with differences. A component that passes is not tried again on this
machine.
"""

from __future__ import annotations

import io
import json
import linecache
import os
import pickle
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from numba.core.registry import cpu_target
from numpy.typing import NDArray

from kernels.custom import on_lanes
from kernels.custom.registry import CustomComponent, add_source, component_of, declared_components
from kernels.custom.source import line_of
from kernels.simd import entries, jit
from kernels.simd.entries import Entry
from sweep.errors import StudyError, SweepError
from sweep.study.content import StudyContent
from sweep.system.python_process import start_python

# Source and places of each component, as processes are sent them.
Sent = tuple[tuple[str, tuple[tuple[str, tuple[str, int]], ...]], ...]

_PROGRAM = "from sweep.training.component_trials import answer; answer(answers)"
# The name of what fails among the arrays that another process sends.
_FAULT = "fault"
# Places where a slope may differ from differences, since a function may have a corner near some; and by how much.
_MOST_DIFFERING, _TOLERANCE = 0.02, 1e-4


def check_custom_components(study: StudyContent) -> None:
    """Make sure that this process can train custom components of a study.

    Raises
    ------
    StudyError
        If it has not their code, or that fails on lanes, with a sentence for each component.
    """
    faults = [fault for key, told in _keys(study).items() if (fault := _fault(key, told, study.network.dtype))]
    if faults:
        raise StudyError(faults)


def sent_components(study: StudyContent) -> Sent:
    """Return the sources of custom components of a study, for other processes that train for this one."""
    components = [component for key in _keys(study) if (component := component_of(key))]
    return tuple(map(_sent, components))


def take_components(sent: Any) -> None:
    """Make components known that the process sent for which this one trains."""
    for source, places in sent:
        add_source(source, dict(places))


def answer(answers: Any) -> None:
    """Tell another process what a component gives on lanes: read its source from standard input, and send arrays."""
    (source, places), dtype = json.load(sys.stdin)
    found, arrays = _here(add_source(source, dict(places)), dtype), io.BytesIO()
    np.savez(arrays, allow_pickle=False, **({_FAULT: np.array(found)} if isinstance(found, str) else found))
    answers.send_bytes(arrays.getvalue())


def _sent(component: CustomComponent) -> tuple[str, tuple[tuple[str, tuple[str, int]], ...]]:
    return component.source, tuple((name, (place.file, place.line)) for name, place in component.places.items())


def _keys(study: StudyContent) -> dict[str, str]:
    """Return the keys of custom components of a study, and how errors name these components."""
    return {component.key: f"{component.kind} {component.name!r}" for component in study.tables.own.values()}


@lru_cache(256)
def _passed(key: str, dtype: str) -> Entry:
    """Return the entry of the cache that says that a component has passed."""
    return Entry(entries.conditions(cpu_target.target_context), f"tried {key} {dtype}", "own-word", "tried")


def _fault(key: str, told: str, dtype: str) -> str | None:
    """Return why a component cannot be used, or None."""
    component = component_of(key)
    if component is None:
        name, _, sha256 = key.partition(" ")
        other = declared_components().get(name)
        known = f"the one known here has SHA-256 {other.declaration.sha256}" if other else "none is known here"
        return (
            f"{told} needs code whose source has SHA-256 {sha256}, and {known}; declare it in this process, or give "
            "its file with --plugin FILE"
        )
    passed = _passed(key, dtype)
    if not entries.is_there(passed):
        for each in dict.fromkeys((dtype, "float64")):
            fault = _tried(component, each)
            if fault:
                return f"{told}: {fault}"
        entries.write({passed: pickle.dumps(True)})
    return None


def _tried(component: CustomComponent, dtype: str) -> str | None:
    """Return why a component fails on lanes of a dtype, or None."""
    interpreted, compiled = (_elsewhere, _here) if jit.ENABLED else (_here, _elsewhere)
    found = interpreted(component, dtype)
    if isinstance(found, str):
        return f"interpreted, it fails {found}"
    beside = compiled(component, dtype)
    if isinstance(beside, str):
        return f"compiled, it fails {beside}"
    for name, values in found.items():
        fault = _difference(name, beside[name], values)
        if fault:
            return f"its bits differ with the JIT and without it in {dtype}: {fault}"
    return _wrong_slope(found) or _forgets(found)


def _here(component: CustomComponent, dtype: str) -> on_lanes.Results | str:
    """Return what a component gives on lanes in this process, or why it fails."""
    try:
        return on_lanes.results(component, dtype)
    except Exception as error:
        return _error_text(error, component.places)


def _difference(name: str, one: NDArray[Any], other: NDArray[Any]) -> str | None:
    """Return where two results differ, or None; every NaN is the same, and so are both zeros."""
    role, number = name.partition(" ")[::2]
    if one.dtype != other.dtype:
        return f"value {number} of {role} is {one.dtype} or {other.dtype}; write numbers as constant(x, z)"
    same = (one == other) | ((one != one) & (other != other))
    where = np.argwhere(~same)
    if not len(where):
        return None
    place = tuple(where[0])
    return f"value {number or 0} of {role} is {one[place]!r} or {other[place]!r}"


def _wrong_slope(found: Mapping[str, NDArray[Any]]) -> str | None:
    """Return that the slope of an activation or a loss is not its derivative, or None."""
    if "differences" not in found:
        return None
    slope, below, above = found["differences"].T
    scale = _TOLERANCE * np.maximum(1, np.abs(slope))
    wrong = (
        np.isfinite(slope)
        & np.isfinite(below + above)
        & (np.abs(slope - below) > scale)
        & (np.abs(slope - above) > scale)
    )
    if wrong.mean() <= _MOST_DIFFERING:
        return None
    first = int(np.argmax(wrong))
    return (
        f"its slope is {slope[first]:.6g} where differences give {above[first]:.6g}; correct it, or declare it with "
        "surrogate=True"
    )


def _forgets(found: Mapping[str, NDArray[Any]]) -> str | None:
    """Return that an optimizer forgets gradients that are not finite, although it is declared not to, or None."""
    if "kept" not in found or found["kept"].all():
        return None
    return "it is declared with keeps_infinity=True, but parameters are finite again after a gradient that was not"


def _elsewhere(component: CustomComponent, dtype: str) -> dict[str, NDArray[Any]] | str:
    """Return what a component gives on lanes in a process with the JIT if this one has none, or how it fails there."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1" if jit.ENABLED else "0"}
    request, told = json.dumps([_sent(component), dtype]).encode(), b""
    with TemporaryFile() as errors:
        try:
            process, answers = start_python(_PROGRAM, errors, environment)
        except OSError as error:
            raise SweepError(
                f"custom components are tried once in another Python process, and none can be started ({error}); "
                f"allow it, or "
                "have sys.executable name a Python that has xor-sweep"
            ) from None
        assert process.stdin is not None
        with process, answers, suppress(OSError, EOFError):
            try:
                process.stdin.write(request)
                process.stdin.close()
                told = answers.recv_bytes()
            finally:
                process.kill()
        errors.seek(0)
        last = errors.read().decode(errors="replace").strip().splitlines()[-1:] or ["it says nothing"]
    if not told:
        raise SweepError(f"the process that tries custom components has ended early: {last[0]}")
    with np.load(io.BytesIO(told), allow_pickle=False) as found:
        return str(found[_FAULT]) if _FAULT in found else dict(found)


def _error_text(error: BaseException, places: Any) -> str:
    """Return the user's line in which an error arose, and what it says, on one line."""
    place = line_of(error, places)
    where = f"at line {place.line} of {place.file}" if place else "beyond its own lines"
    code = linecache.getline(place.file, place.line).strip() if place else ""
    text = re.split(r"There are \d+ candidate|During: |File \"", str(error))[0]  # Numba goes on for a page
    said = " ".join(text.replace(">>>", "").split())
    told = f"{type(error).__name__}: {said}"
    return f"{where}{f' ({code})' if code else ''}: {told if len(told) <= 200 else told[:197] + '...'}"
