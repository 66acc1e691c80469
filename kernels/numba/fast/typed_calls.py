"""Functions for which a kernel calls the part that belongs to the type of their argument."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numba import types
from numba.core.typing.templates import AbstractTemplate, infer, infer_global

# Finds the parts for a type of Numba, by name.
_Parts = Callable[[Any], dict[str, Any]]

_known: list[_Parts] = []


def call_by_type(functions: Sequence[Callable[..., Any]], parts_for: _Parts) -> None:
    """Teach Numba to call a part in place of each function: the one of that name for the type of the argument."""
    _known.append(parts_for)
    for function in functions:
        template = type(f"{function.__name__}_by_type", (_ByType,), {"key": function})
        infer_global(function, types.Function(infer(template)))


def parts_by_type(arguments: tuple[Any, ...]) -> dict[str, Any]:
    """Return the parts, by name, that such functions stand for with an argument of this type."""
    if len(arguments) != 1:
        return {}
    return {name: part for parts_for in _known for name, part in parts_for(arguments[0]).items()}


class _ByType(AbstractTemplate):
    """A call of such a function."""

    key: Callable[..., Any]

    def generic(self, args: tuple[types.Type, ...], kws: dict[str, types.Type]) -> Any:
        """Return the signature of the call, or None where no part belongs to the type."""
        part = parts_by_type(args).get(self.key.__name__)
        return types.Dispatcher(part).get_call_type(self.context, args, kws) if part else None

    def get_impl_key(self, signature: Any) -> Any:
        """Return the function that is called."""
        part = parts_by_type(signature.args)[self.key.__name__]
        return types.Dispatcher(part).get_impl_key(signature)
