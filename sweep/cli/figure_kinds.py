"""The kinds of figures, read from the source of their modules, whose import takes a second."""

from __future__ import annotations

import ast
from importlib.resources import files
from typing import NamedTuple


class KindText(NamedTuple):
    """What the help says of a kind of figure."""

    name: str
    place: int  # where it stands in lists, by ascending numbers
    meaning: str
    options: tuple[str, ...]


def kind_names() -> list[str]:
    """Return the kinds of figures in alphabetic order, from the names of their modules."""
    folder = files("sweep") / "figures" / "kinds"
    return sorted(path.name.removesuffix("_figure.py") for path in folder.iterdir() if path.name.endswith("_figure.py"))


def kind_texts() -> list[KindText]:
    """Return what the help says of each kind of figure, in the order of lists."""
    return sorted(map(_read, kind_names()), key=lambda kind: kind.place)


def _read(name: str) -> KindText:
    """Return what a module declares: ``KIND = FigureKind(draw, place, meaning, ..)``, and the arguments of draw."""
    source = (files("sweep") / "figures" / "kinds" / f"{name}_figure.py").read_text("utf-8")
    functions, declared = {}, None
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            functions[node.name] = [each.arg for each in (*node.args.args, *node.args.kwonlyargs)]
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "KIND":
            declared = node.value
    assert isinstance(declared, ast.Call)
    draw, place, meaning = declared.args[:3]
    options = (each for each in functions[ast.unparse(draw)] if each not in ("result", "ax"))
    return KindText(name, ast.literal_eval(place), ast.literal_eval(meaning), tuple(options))
