"""A proof from the source of a custom optimizer that its parameters or states never become finite again.

A sum, a difference or a product with an infinity or a NaN is not finite, nor is a fraction with one as numerator. What
an update computes from an earlier value by only these operations is not finite either.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

# Functions of lanes whose value is not finite if their argument is not.
_KEEPING = ("absolute", "sqrt")


def keeps_infinity(source: str, name: str, n_states: int) -> bool:
    """Return whether a parameter or state never becomes finite again after a gradient that is not finite.

    ``name`` is the function that updates a parameter. It takes ``n_states`` states after the gradient, and returns them
    after the parameter. False if there is no proof.
    """
    code = ast.parse(source).body
    imported = [alias for node in code if isinstance(node, ast.ImportFrom) for alias in node.names]
    means = {alias.asname or alias.name: alias.name for alias in imported}
    (function,) = (node for node in code if isinstance(node, ast.FunctionDef) and node.name == name)
    p, gradient, *others = (argument.arg for argument in function.args.args)
    held = (p, *others[:n_states])

    def after(kept_before: set[str]) -> set[str]:
        kept = _returned_kept(function, kept_before, means)
        return {each for each, is_kept in zip(held, kept, strict=True) if is_kept}

    kept = after({gradient})
    still = after(kept)
    while not kept <= still:
        kept &= still
        still = after(kept)
    return bool(kept)


def _returned_kept(function: ast.FunctionDef, kept_before: set[str], means: Mapping[str, str]) -> list[bool]:
    """Return which of a function's values cannot be finite where the arguments in ``kept`` are not."""
    kept = set(kept_before)
    for statement in function.body:
        if isinstance(statement, ast.Return) and statement.value:
            return _kept(statement.value, kept, means)
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value:
            values = _kept(statement.value, kept, means)
            for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
                kept -= {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
                targets = target.elts if isinstance(target, ast.Tuple) else [target]
                pairs = zip(targets, values, strict=False)  # a pair that a function returns is one value here
                kept |= {each.id for each, is_kept in pairs if is_kept and isinstance(each, ast.Name)}
    raise AssertionError("a function of a component returns")


def _kept(value: ast.expr, kept: set[str], means: Mapping[str, str]) -> list[bool]:
    """Return which of some values cannot be finite where the variables in ``kept`` are not."""
    values = value.elts if isinstance(value, ast.Tuple) else [value]
    return [_is_kept(each, kept, means) for each in values]


def _is_kept(value: ast.expr, kept: set[str], means: Mapping[str, str]) -> bool:
    """Return whether a value cannot be finite where the variables in ``kept`` are not."""
    match value:
        case ast.Name(name):
            return name in kept
        case ast.UnaryOp(ast.USub() | ast.UAdd(), operand):
            return _is_kept(operand, kept, means)
        case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mult(), right):
            return _is_kept(left, kept, means) or _is_kept(right, kept, means)
        case ast.BinOp(left, ast.Div()):
            return _is_kept(left, kept, means)
        case ast.Call(ast.Name(name), [_, chosen, otherwise]) if means.get(name) == "select":
            return _is_kept(chosen, kept, means) and _is_kept(otherwise, kept, means)
        case ast.Call(ast.Name(name), [argument]) if means.get(name) in _KEEPING:
            return _is_kept(argument, kept, means)
    return False
