"""The code of parts of kernels on disk, so that kernels share the parts that they have in common.

The code of a part depends on its function, on the values in its closure, and on the types of its arguments;
of the parts that it calls, it depends only on the types of their results. So it is stored under the former, with the
calls and their types, and is found by every kernel in which the parts called there give the same types, whatever they
compute. With another optimizer, only the parts that use it are compiled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.core.serialize import dumps

from kernels.numba import entries
from kernels.numba.entries import MADE_FOR, Entry
from kernels.numba.fast.typed_calls import parts_by_type

# The name of this package: other sources are not among the conditions of an entry.
_PACKAGE = __name__.partition(".")[0] + "."
_NUMBERS = int, float, bool, str, type(None), np.generic


class Call(NamedTuple):
    """A call of another part."""

    place: tuple[str, int | str]  # where the caller finds it; see :func:`place_of`
    # Numba's types
    arguments: tuple[Any, ...]
    result: Any


class Code(NamedTuple):
    """The code of a part."""

    # LLVM's text of the modules, in which the part and those that it calls have names of :func:`symbol`
    texts: tuple[str, ...]
    # Numba's types
    arguments: tuple[Any, ...]
    result: Any
    calls: tuple[Call, ...]  # the parts that it calls, in the order of their numbers in the texts


class _Session:
    """What is compiled for one kernel, to be stored when it is complete."""

    def __init__(self, conditions: str) -> None:
        self.conditions = conditions
        self.codes: dict[str, Code | None] = {}
        self.new: dict[Entry, bytes] = {}

    def entry(self, key: str) -> Entry:
        """Return the identity of the file of a part."""
        return Entry(self.conditions, key, key.partition("-")[0], "part")


_session: ContextVar[_Session] = ContextVar("session")


@contextmanager
def storing() -> Iterator[None]:
    """Take the parts of a kernel from the disk, and store there those that are compiled, even if others fail."""
    session = _Session(entries.conditions())
    token = _session.set(session)
    try:
        yield
    finally:
        _session.reset(token)
        entries.write(session.new)


def find(key: str) -> Code | None:
    """Return the code under a key, if it is stored."""
    session = _session.get()
    if key not in session.codes:
        found = entries.read(session.entry(key))
        session.codes[key] = found and Code(*found)
    return session.codes[key]


def add(key: str, code: Code) -> None:
    """Store code under a key."""
    session = _session.get()
    session.codes[key] = code
    session.new[session.entry(key)] = dumps(tuple(code))


def key_of(compiler: type, function: Any, arguments: tuple[Any, ...]) -> str | None:
    """Return the key of a part, by Numba's types of its arguments.

    None if it cannot be stored: it is not from this package, or its closure holds values of an unknown kind.
    """
    if not function.__module__.startswith(_PACKAGE):
        return None
    held = [_content(cell.cell_contents) for cell in function.__closure__ or ()]
    if None in held:
        return None
    parts = list(_parts_in(function))
    same = [parts.index(part) for part in parts]  # which of them are one and the same
    depends_on = compiler.__name__, _name(function), repr(function.__defaults__), *held, *same, *arguments
    return f"{function.__name__}-{_hash(*map(str, depends_on))}"


def place_of(called: Any, caller: Any, arguments: tuple[Any, ...]) -> tuple[str, int | str] | None:
    """Return where a function finds another function that it calls with arguments of these types of Numba.

    That is ``("held", number)`` among the parts in its closure, ``("global", name)``, or ``("typed", name)``; None if
    it finds it in several of these.
    """
    places = dict[str, int | str]()
    for kind, parts in _parts_known_to(caller, arguments).items():
        names = [name for name, part in parts.items() if getattr(part, "py_func", None) is called]
        places |= {kind: names[0]} if names else {}
    return next(iter(places.items())) if len(places) == 1 else None


def part_at(place: tuple[str, int | str], caller: Any, arguments: tuple[Any, ...]) -> Any:
    """Return the compiled function at a place that :func:`place_of` returned."""
    kind, name = place
    return _parts_known_to(caller, arguments)[kind][name]


def _parts_known_to(function: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
    """Return all parts that a function may call with these types of arguments, by kind and name."""
    names = set(function.__code__.co_names) & set(function.__globals__)
    return {
        "held": dict(enumerate(_parts_in(function))),
        "global": {name: function.__globals__[name] for name in names},
        "typed": parts_by_type(arguments),
    }


def _parts_in(function: Any) -> Iterator[Any]:
    """Yield the parts in a function's closure."""
    held: list[Any] = [cell.cell_contents for cell in reversed(function.__closure__ or ())]
    while held:
        value = held.pop()
        if isinstance(value, Dispatcher):
            yield value
        elif isinstance(value, tuple):
            held.extend(reversed(value))


def _content(value: Any) -> str | None:
    """Return a text that distinguishes values that lead to different code; None for a value of an unknown kind."""
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, Dispatcher):
        return f"{kind} {_name(value.py_func)}"
    if isinstance(value, FunctionType):
        if MADE_FOR in vars(value):
            return f"{_name(value)} {vars(value)[MADE_FOR]}"
        return _name(value) if "<locals>" not in value.__qualname__ and value.__module__.startswith(_PACKAGE) else None
    if isinstance(value, tuple):
        contents = list(map(_content, value))
        return None if None in contents else _hash(kind, *map(str, contents))
    if isinstance(value, np.ndarray):
        return _hash(kind, str(value.dtype), str(value.shape), value.tobytes().hex())
    return f"{kind} {value!r}" if isinstance(value, _NUMBERS) else None


def _name(function: Any) -> str:
    """Return a text that distinguishes a function from all others, but not from later ones of the same maker."""
    return f"{function.__module__}.{function.__qualname__}:{function.__code__.co_firstlineno}"


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
