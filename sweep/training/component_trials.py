"""Try custom components before they are used: this process must have their code, and it must work on lanes."""

from __future__ import annotations

import io
import json
import linecache
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from itertools import product
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.custom import on_lanes
from kernels.custom.registry import CustomComponent, add_source, component_of, declared_components
from kernels.custom.source import line_of
from kernels.numba import entries, jit
from kernels.numba.entries import Entry
from sweep.errors import StudyError, SweepError, cut
from sweep.study.content import StudyContent
from sweep.study.plugins import load_built_in_plugin
from sweep.system.python_process import start_python

# Source and places of each component, in the form in which they are sent to processes.
Sent = tuple[tuple[str, tuple[tuple[str, tuple[str, int]], ...]], ...]

_PROGRAM = "from sweep.training.component_trials import answer; answer(answers)"
# Name of the failure among the arrays that another process sends.
_FAULT = "fault"
# Share of places where a slope may differ from finite differences, since a function may have a kink; and the tolerance.
_MOST_DIFFERING, _TOLERANCE = 0.02, 1e-4


def check_custom_components(study: StudyContent) -> None:
    """Refuse custom components whose code is unknown to this process or fails on lanes, with a sentence for each."""
    if not all(map(component_of, _keys(study))):
        load_built_in_plugin(study.name)
    tried = product(_keys(study).items(), study.values_of("dtype"))
    faults = [fault for (key, name), dtype in tried if (fault := _fault(key, name, dtype))]
    if faults:
        raise StudyError(*faults)


def sent_components(study: StudyContent) -> Sent:
    """Return the sources of custom components of a study, for other processes that train for this one."""
    components = [component for key in _keys(study) if (component := component_of(key))]
    return tuple(map(_sent, components))


def take_components(sent: Any) -> None:
    """Register the components that were sent by the process for which this one trains."""
    for source, places in sent:
        add_source(source, dict(places))


def answer(answers: Any) -> None:
    """Compute results of a component on lanes for another process: read its source from standard input, send arrays."""
    (source, places), dtype = json.load(sys.stdin)
    found, arrays = _here(add_source(source, dict(places)), dtype), io.BytesIO()
    named: dict[str, Any] = {_FAULT: np.array(found)} if isinstance(found, str) else found
    np.savez(arrays, **named)
    answers.send_bytes(arrays.getvalue())


def _sent(component: CustomComponent) -> tuple[str, tuple[tuple[str, tuple[str, int]], ...]]:
    return component.source, tuple((name, (place.file, place.line)) for name, place in component.places.items())


def _keys(study: StudyContent) -> dict[str, str]:
    """Return the keys of custom components of a study, and their names in errors."""
    return {component.key: f"{component.kind} {component.name!r}" for component in study.tables.custom.values()}


@lru_cache(256)
def _passed(key: str, dtype: str) -> Entry:
    """Return the cache entry that marks a component as passed."""
    return Entry(entries.conditions(), f"tried {key} {dtype}", "custom-component", "tried")


def _fault(key: str, named: str, dtype: str) -> str | None:
    """Return why a component cannot be used, or None."""
    component = component_of(key)
    if component is None:
        name, _, sha256 = key.partition(" ")
        other = declared_components().get(name)
        known = f"the declared one has SHA-256 {other.declaration.sha256}" if other else "none is declared"
        return (
            f"{named}: source must have SHA-256 {sha256}, but {known}; declare it in this process, or load its file "
            "with --plugin FILE"
        )
    passed = _passed(key, dtype)
    if not entries.is_there(passed):
        for each in dict.fromkeys((dtype, "float64")):
            fault = _tried(component, each)
            if fault:
                return f"{named}: {fault}"
        entries.keep(passed, True)
    return None


def _tried(component: CustomComponent, dtype: str) -> str | None:
    """Return why a component fails on lanes of a dtype, or None."""
    interpreted, compiled = (_elsewhere, _here) if jit.ENABLED else (_here, _elsewhere)
    found = interpreted(component, dtype)
    if isinstance(found, str):
        return f"it fails when interpreted, {found}"
    beside = compiled(component, dtype)
    if isinstance(beside, str):
        return f"it fails when compiled, {beside}"
    for name, values in found.items():
        fault = _difference(name, beside[name], values)
        if fault:
            return f"its bits with and without the JIT differ in {dtype}: {fault}"
    return _wrong_slope(found) or _forgets(found)


def _here(component: CustomComponent, dtype: str) -> on_lanes.Results | str:
    """Return the results of a component on lanes in this process, or why it fails."""
    try:
        return on_lanes.results(component, dtype)
    except Exception as error:
        return _error_text(error, component.places)


def _difference(name: str, one: NDArray[Any], other: NDArray[Any]) -> str | None:
    """Return where two results differ, or None; all NaN are equal, and so are both zeros."""
    role, number = name.partition(" ")[::2]
    if one.dtype != other.dtype:
        return f"value {number} of {role} is {one.dtype} and {other.dtype}; write numbers as constant(x, z)"
    same = (one == other) | ((one != one) & (other != other))
    where = np.argwhere(~same)
    if not len(where):
        return None
    place = tuple(where[0])
    return f"value {number or 0} of {role} is {one[place]!r} and {other[place]!r}"


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
        f"its slope must be about {above[first]:.6g} by finite differences, got {slope[first]:.6g}; correct it, or "
        "declare it with surrogate=True"
    )


def _forgets(found: Mapping[str, NDArray[Any]]) -> str | None:
    """Return a fault if an optimizer forgets infinite gradients, although declared not to; None otherwise."""
    if "kept" not in found or found["kept"].all():
        return None
    return "it is declared with keeps_infinity=True, but parameters become finite after a gradient that is not"


def _elsewhere(component: CustomComponent, dtype: str) -> dict[str, NDArray[Any]] | str:
    """Return the results of a component in a process of the other mode (JIT or none), or why it fails there."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1" if jit.ENABLED else "0"}  # a process has one mode
    request, content = json.dumps([_sent(component), dtype]).encode(), b""
    with TemporaryFile() as errors:
        try:
            process, answers = start_python(_PROGRAM, errors, environment)
        except OSError as error:
            raise SweepError(
                f"custom components are tried in another Python process, which cannot be started ({error}); "
                "allow it, or set sys.executable to a Python with xor-sweep"
            ) from None
        assert process.stdin is not None
        with process, answers, suppress(OSError, EOFError):
            try:
                process.stdin.write(request)
                process.stdin.close()
                content = answers.recv_bytes()
            finally:
                process.kill()
        errors.seek(0)
        last = errors.read().decode(errors="replace").strip().splitlines()[-1:] or ["without a message"]
    if not content:
        raise SweepError(f"the process that tries custom components ended early: {last[0]}")
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        return str(found[_FAULT]) if _FAULT in found else dict(found)


def _error_text(error: BaseException, places: Any) -> str:
    """Return the user's line that raised an error, and its message, on one line."""
    place = line_of(error, places)
    where = f"at line {place.line} of {place.file}" if place else "outside its own lines"
    code = linecache.getline(place.file, place.line).strip() if place else ""
    text = re.split(r"There are \d+ candidate|During: |File \"", str(error))[0]  # Numba continues for a page
    text = " ".join(text.replace(">>>", "").split())
    message = cut(f"{type(error).__name__}: {text}", 200)
    return f"{where}{f' ({code})' if code else ''}: {message}"
