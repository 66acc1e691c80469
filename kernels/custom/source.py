"""The source of a custom component: one text that defines the component completely.

Its functions use their arguments, numbers, and the functions of :mod:`sweep.lanes`. So the text, which holds
them and the declaration, is all that decides what the component computes. Other processes make the
component from it, and its SHA-256 distinguishes components.
"""

from __future__ import annotations

import ast
import inspect
import math
import re
import textwrap
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, NamedTuple, NoReturn

from kernels.elementary.lane_functions import ELEMENTARY
from kernels.lanes.arithmetic import absolute, constant, select, sqrt

# The functions in formulas, by name.
LANE_FUNCTIONS = {each.__name__: each for each in (select, absolute, sqrt, constant, *ELEMENTARY)}

_HEAD = "from __future__ import annotations\n"
# Where users import these functions from. It is part of the hash of each component, so it names no inner module.
_IMPORTED = "from sweep.lanes"
_DECLARED = "DECLARED = "
# Expressions in the assignments and the return of a function.
_STATEMENTS = (ast.Assign, ast.AnnAssign, ast.Return)
_EXPRESSIONS = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Name, ast.Constant, ast.Tuple)
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.BitAnd, ast.BitOr, ast.USub, ast.UAdd, ast.Invert)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)

# What to write for functions that people try first.
_FUNCTIONS_INSTEAD = {
    "sign": "select(x > 0.0, 1.0, select(x < 0.0, -1.0, 0.0)) for the sign of x",
    **dict.fromkeys(("max", "maximum"), "select(x > y, x, y) for the larger of x and y"),
    **dict.fromkeys(("min", "minimum"), "select(x < y, x, y) for the smaller of x and y"),
    **{"abs": "absolute(x)", "where": "select(condition, x, y)"},
}

# The remedy for what people try first.
_INSTEAD: dict[type, str] = {
    ast.Pow: "write x * x instead of x ** 2",
    ast.AugAssign: "write x = x + y instead of x += y",
    ast.If: "write select(condition, a, b) instead",
    ast.IfExp: "write select(condition, a, b) instead",
    ast.And: "write (a > b) & (b > c)",
    ast.Or: "write (a > b) | (b > c)",
    ast.Compare: "write (a < b) & (b < c) instead of a < b < c",
}

_ALLOWED = (
    "use assignments, a return, + - * /, comparisons of two numbers, & | ~ of comparisons, and functions of sweep.lanes"
)

# What a RecursionError of Python means for a formula.
TOO_LONG = "too long for Python to read at once; split it into several assignments"

# As in: typing of call at components.py (3).
_PLACE_IN_MESSAGE = re.compile(r" at (.+) \((\d+)\)$", re.MULTILINE)


class ComponentError(ValueError):
    """A custom component cannot be used; the message says why in one sentence."""


class Place(NamedTuple):
    """Where a function stands in the user's files: the file, and its first line there."""

    file: str
    line: int

    def at(self, node: ast.expr | ast.stmt) -> Place:
        """Return the place of a part of the function."""
        return self._replace(line=self.line + node.lineno - 1)


class Function(NamedTuple):
    """A function of a component: name, source from ``def`` on, place, and the functions and numbers that it uses."""

    name: str
    n_arguments: int
    source: str
    place: Place
    used: Mapping[str, Any]


def read_function(what: str, function: Any) -> Function:
    """Return the source of a function of a component, or raise ComponentError if it depends on anything else."""
    if not isinstance(function, FunctionType) or function.__name__ == "<lambda>":
        raise ComponentError(f"{what}: must be a function defined with def, got {_short(function)}")
    place = Place(function.__code__.co_filename, function.__code__.co_firstlineno)
    if function.__closure__:
        names = ", ".join(function.__code__.co_freevars)
        refuse(
            what, place, f"it must not use {names} of the enclosing function; use a number of the module or a setting"
        )
    signature = list(inspect.signature(function).parameters.values())
    if any(each.kind is not each.POSITIONAL_OR_KEYWORD or each.default is not each.empty for each in signature):
        refuse(what, place, "its arguments must be plain names; put defaults into settings=(Setting(..),)")
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        refuse(what, place, "its source cannot be read; write it in a file or a notebook, not at a prompt")
    tree = ast.parse(textwrap.dedent("".join(lines))).body
    if len(tree) != 1 or not isinstance(tree[0], ast.FunctionDef):
        refuse(what, place, "it must be a function defined with def")
    begin = tree[0].lineno - 1  # behind decorators
    source = textwrap.dedent("".join(lines[begin : tree[0].end_lineno])).rstrip() + "\n"
    place = Place(place.file, first + begin)
    used = _used(what, function, ast.parse(source).body[0], place)
    return Function(function.__name__, len(signature), source, place, used)


def write_source(what: str, read: list[Function], declared: Mapping[str, Any]) -> str:
    """Write the source of a component from its functions and the plain values of its declaration."""
    if len({function.name for function in read}) < len(read):
        refuse(what, read[0].place, "its functions must have different names; rename some")
    used = {name: value for function in read for name, value in function.used.items()}
    for function in read:
        for name, value in function.used.items():
            if used[name] is not value or name in [each.name for each in read]:
                refuse(
                    what,
                    function.place,
                    f"it uses {name!r}, which means something else elsewhere in the component; rename it",
                )
    functions = {name: value.__name__ for name, value in used.items() if callable(value)}
    imports = [f"{own} as {name}" if own != name else own for name, own in sorted(functions.items())]
    head = [f"{_IMPORTED} import {', '.join(imports)}\n"] if imports else []
    head += [f"{name} = {value!r}\n" for name, value in sorted(used.items()) if not callable(value)]
    return "\n".join([_HEAD, *head, *(function.source for function in read), f"{_DECLARED}{dict(declared)!r}\n"])


def read_source(source: str, places: Mapping[str, Place]) -> tuple[dict[str, Callable[..., Any]], dict[str, Any]]:
    """Return the functions in the source of a component by name, and its declaration; ``places`` are for errors."""
    found: dict[str, Any] = {"__name__": "__main__"}  # each process that loads a kernel must be able to import it
    *code, declared = ast.parse(source).body
    for statement in code:
        if isinstance(statement, ast.ImportFrom):
            names = {alias.asname or alias.name: alias.name for alias in statement.names}
            found |= {own: LANE_FUNCTIONS[name] for own, name in names.items() if name in LANE_FUNCTIONS}
            continue
        place = places.get(getattr(statement, "name", ""))
        if place:
            ast.increment_lineno(statement, place.line - statement.lineno)
        file = place.file if place else "<component>"
        future = [*code[:1], statement] if place else [statement]  # annotations are no code
        exec(compile(ast.Module(future, []), file, "exec"), found)
    assert isinstance(declared, ast.Assign)
    return {name: each for name, each in found.items() if isinstance(each, FunctionType)}, ast.literal_eval(
        declared.value
    )


def line_of(error: BaseException, places: Mapping[str, Place]) -> Place | None:
    """Return the user's line in which an error arose, according to Python or Numba; None if there is none."""
    files = {place.file for place in places.values()}
    for file, line in _PLACE_IN_MESSAGE.findall(str(error)):
        if file in files:
            return Place(file, int(line))
    found = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in files:
            found = Place(trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
    return found


def returned(what: str, function: Function) -> int | None:
    """Return how many values all returns of a function have; None if it returns a single value, not a tuple."""
    values = [node.value for node in ast.walk(ast.parse(function.source)) if isinstance(node, ast.Return)]
    counts = {len(value.elts) if isinstance(value, ast.Tuple) else None for value in values}
    if len(counts) != 1:
        refuse(what, function.place, "each return must have the same number of values")
    return counts.pop()


def facts_of(source: str, functions: Mapping[str, str]) -> dict[str, Any]:
    """Return facts about the source of a component, for its cost and its kernels; functions are named by their role.

    ``operations``: approximate number of operations of lanes in the function; ``elementary``: whether it uses an
    elementary one, which is a long chain of them; ``n_factors``: how many values ``factors`` returns, or 1.
    """
    code = ast.parse(source).body
    imported = [alias for node in code if isinstance(node, ast.ImportFrom) for alias in node.names]
    means = {alias.asname or alias.name: alias.name for alias in imported}
    definitions = {node.name: node for node in code if isinstance(node, ast.FunctionDef)}
    nodes = list(ast.walk(definitions[functions["function"]]))
    calls = [node.func for node in nodes if isinstance(node, ast.Call)]
    called = [means.get(name.id, "") for name in calls if isinstance(name, ast.Name)]
    n_long = sum(LANE_FUNCTIONS.get(name) in ELEMENTARY for name in called)
    n_slow = called.count("sqrt") + sum(isinstance(node, ast.Div) for node in nodes)
    n_all = sum(isinstance(node, ast.BinOp | ast.Compare | ast.Call) for node in nodes)
    factors = list(ast.walk(definitions[functions["factors"]])) if "factors" in functions else []
    counts = [
        len(node.value.elts) for node in factors if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple)
    ]
    return {"operations": n_all + 7 * n_slow + 99 * n_long, "elementary": n_long > 0, "n_factors": (counts or [1])[0]}


def _used(what: str, function: FunctionType, definition: ast.stmt, place: Place) -> dict[str, Any]:
    """Return the functions and numbers of its module that a function uses, by name."""
    assert isinstance(definition, ast.FunctionDef)
    body = definition.body[ast.get_docstring(definition) is not None :]  # without the text that explains it
    used = dict[str, Any]()
    own = set(function.__code__.co_varnames)
    for statement in body:
        if not isinstance(statement, _STATEMENTS):
            _refuse_node(what, place, statement)
        values = statement.targets if isinstance(statement, ast.Assign) else []
        for expression in [*values, *([statement.value] if statement.value else [])]:
            for node in ast.walk(expression):
                _check_node(what, place, node)
                if isinstance(node, ast.Name) and node.id not in own:
                    used[node.id] = _value_of(what, function, place.at(node), node.id)
    return used


def _check_node(what: str, place: Place, node: ast.AST) -> None:
    """Refuse what is not allowed in a formula over lanes."""
    if isinstance(node, ast.expr):
        several = isinstance(node, ast.Compare) and len(node.ops) > 1
        named = isinstance(node, ast.Call) and (bool(node.keywords) or not isinstance(node.func, ast.Name))
        is_text = isinstance(node, ast.Constant) and type(node.value) not in (int, float)
        operator = getattr(node, "op", None)
        if not isinstance(node, _EXPRESSIONS) or several or named or is_text:
            _refuse_node(what, place, node)
        if operator is not None and not isinstance(operator, _OPERATORS):
            _refuse_node(what, place, node)
        if isinstance(node, ast.Compare) and not isinstance(node.ops[0], _COMPARISONS):
            _refuse_node(what, place, node)


def _value_of(what: str, function: FunctionType, place: Place, name: str) -> Any:
    """Return the number or the function of lanes that a name of the module stands for."""
    if name not in function.__globals__:
        instead = _of_function(name)
        refuse(what, place, f"{_may_use()}, got {name!r}{f'; {instead}' if instead else ''}")
    value = function.__globals__[name]
    is_number = type(value) in (int, float) and math.isfinite(value)
    if not is_number and not any(value is known for known in LANE_FUNCTIONS.values()):
        refuse(what, place, f"{_may_use()}, got {name!r}, which is {_short(value)}")
    return value


def _refuse_node(what: str, place: Place, node: ast.expr | ast.stmt) -> NoReturn:
    operator = getattr(node, "op", None)
    instead = _INSTEAD.get(type(node)) or _INSTEAD.get(type(operator), "")
    if isinstance(node, ast.Call):
        instead = _of_function(ast.unparse(node.func).rpartition(".")[2])
    refuse(
        what,
        place.at(node),
        f"{ast.unparse(node).splitlines()[0]!r} is not allowed in a formula; {instead or _ALLOWED}",
    )


def _of_function(name: str) -> str:
    """Return what to write instead of a function that people try first; empty for others."""
    return f"write {_FUNCTIONS_INSTEAD[name]}" if name in _FUNCTIONS_INSTEAD else ""


def _may_use() -> str:
    return f"names must be its arguments, finite numbers, or of sweep.lanes one of {', '.join(LANE_FUNCTIONS)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def refuse(what: str, place: Place, why: str) -> NoReturn:
    """Raise ComponentError with the place in the user's file."""
    raise ComponentError(f"{what}, line {place.line} of {place.file}: {why}")


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
