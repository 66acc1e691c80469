"""Random explicit initial weights: arrays, single weights or all, for all seeds or for each, and swept ones."""

from __future__ import annotations

from math import prod
from typing import Any

from hypothesis import strategies as st

from tests.sweep.compositions.axes import Lists
from tests.sweep.compositions.data import File
from tests.sweep.compositions.values import WEIGHT

Shapes = dict[str, tuple[int, ...]]


@st.composite
def explicit_weights(draw: st.DrawFn, shapes: list[Shapes], n_seeds: int) -> tuple[Any, Lists]:
    """Draw explicit initial weights, mostly none: the key `values`, or None, and the values of swept weights."""
    several = st.lists(st.sampled_from(["array", "element", "swept", "all"]), max_size=3, unique=True)
    kinds = draw(several | st.just(["all"]))  # all alone may be an .npy file
    if draw(st.booleans()):
        return None, {}
    common = sorted(set.intersection(*map(set, shapes)))
    found: dict[str, Any] = {}
    swept: Lists = {}
    for kind in kinds:
        name = draw(st.sampled_from(common))
        element = (
            f"{name}[{','.join(str(min(each[name][k] for each in shapes) - 1) for k in range(_rank(shapes, name)))}]"
        )
        if kind == "array":
            found[name] = draw(_numbers({each[name] for each in shapes}, n_seeds))
        elif kind == "element" and element not in swept:
            found[element] = draw(_numbers({()}, n_seeds))
        elif kind == "swept" and element not in found:
            swept[element] = draw(st.lists(WEIGHT, unique=True, min_size=1, max_size=2))
        elif kind == "all":
            found["parameters"] = draw(_numbers({(sum(map(prod, each.values())),) for each in shapes}, n_seeds))
    return draw(_form(found, n_seeds)), swept


def _rank(shapes: list[Shapes], name: str) -> int:
    return len(shapes[0][name])


@st.composite
def _numbers(draw: st.DrawFn, shapes: set[tuple[int, ...]], n_seeds: int) -> Any:
    """Draw one number, or an array where all networks have the same shape, or one array for each seed."""
    shape = next(iter(shapes)) if len(shapes) == 1 else ()
    forms = [(), shape, *([(n_seeds, *shape)] if len(shapes) == 1 else [])]
    return draw(_array(draw(st.sampled_from(forms))))


@st.composite
def _array(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """Draw an array of numbers as lists."""
    return [draw(_array(shape[1:])) for _ in range(shape[0])] if shape else draw(WEIGHT)


@st.composite
def _form(draw: st.DrawFn, found: dict[str, Any], n_seeds: int) -> Any:
    """Draw a table or a file of explicit weights."""
    if not found:
        return None
    by_seed = all(isinstance(each, list) and len(each) == n_seeds and _is_flat(each) for each in found.values())
    forms = [found, found, File(".npz", found)]
    forms += (
        [File(".npy", found)] * 3 if list(found) == ["parameters"] and isinstance(found["parameters"], list) else []
    )
    forms += [File(".csv", found), File(".parquet", found)] if by_seed else []
    return draw(st.sampled_from(forms))


def _is_flat(numbers: list[Any]) -> bool:
    return not any(isinstance(each, list) for each in numbers)
