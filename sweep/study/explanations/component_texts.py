"""The text about a component: a sentence, its formula as the code that runs, settings and source."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

from kernels import vocabulary
from kernels.components import declarations

# The functions that are a component's formula, by kind, in the order in which they are computed.
_FORMULAS = {
    "activation": ("value", "value_and_slope", "chain"),
    "output": (),
    "loss": ("term", "slope"),
    "optimizer": ("tick", "factors", "decay", "update"),
    "schedule": ("advance",),
    "criterion": ("of_loss", "of_output", "of_wrong"),
    "stopping_rule": ("update", "ends"),
}

_OF_SCORES = (
    "# score: the monitored value, times -1 where higher is better; loss: of the patterns to train on;\n"
    "# is_new: 1 with a new score, 0 without"
)

COMPONENTS: dict[str, dict[str, Any]] = {
    "activation": vocabulary.ACTIVATIONS,
    "output": vocabulary.OVER_OUTPUTS,
    "loss": vocabulary.LOSSES,
    "optimizer": vocabulary.OPTIMIZERS,
    "schedule": vocabulary.SCHEDULES,
    "criterion": vocabulary.CRITERIA,
    "stopping_rule": vocabulary.STOPPING_RULES,
}


class ComponentText(NamedTuple):
    """The text about a component."""

    # The option whose value it is, and its name
    kind: str
    name: str
    meaning: str
    formula: str  # its functions over lanes as Python, without types; may be empty
    settings: tuple[str, ...]  # the options that it takes
    source: str  # of the formula; may be empty

    def lines(self, width: int) -> list[str]:
        """Return the text as lines of at most ``width`` characters, formulas whole."""
        lines = textwrap.wrap(f"{self.kind} {self.name}: {self.meaning}", width, subsequent_indent="    ")
        lines += textwrap.indent(self.formula, "    ").splitlines()
        return lines + ([f"    source: {self.source}"] if self.source else [])


def component_texts() -> list[ComponentText]:
    """Return the texts of all built-in components, kind by kind."""
    return [_text(kind, name) for kind, found in COMPONENTS.items() for name in found]


def components_named(name: str) -> list[ComponentText]:
    """Return the texts of the components of a name."""
    return [_text(kind, name) for kind, found in COMPONENTS.items() if name in dict.keys(found)]


def _text(kind: str, name: str) -> ComponentText:
    record = COMPONENTS[kind][name]
    module = sys.modules[f"kernels.components.{_FOLDERS[kind]}.{name}"]
    functions = [getattr(record, role) for role in _FORMULAS[kind]]
    formula = [_code(each) for each in functions if each is not None and each.__module__ != declarations.__name__]
    if kind == "stopping_rule":
        formula.insert(0, _OF_SCORES)
    if kind == "loss" and record.factor != 1:
        formula.append(f"# the loss is {record.factor:g} times the sum of its terms")
    settings = tuple(each.name for each in getattr(record, "settings", ()))
    meaning = " ".join(str(module.__doc__).replace("``", "`").split())
    return ComponentText(kind, name, meaning, "\n".join(formula), settings, getattr(record, "source", ""))


_FOLDERS = {
    **{kind: f"{kind}s" for kind in ("activation", "output", "optimizer", "schedule", "stopping_rule")},
    "loss": "losses",
    "criterion": "criteria",
}


def _code(function: Callable[..., Any]) -> str:
    """Return the source of a function without types and docstring."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(tree, ast.FunctionDef)
    tree.returns = None
    tree.decorator_list = []
    for argument in tree.args.args:
        argument.annotation = None
    if ast.get_docstring(tree):
        tree.body = tree.body[1:]
    return ast.unparse(tree)
