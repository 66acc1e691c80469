"""Patterns from data frames and arrays: classes become targets, and categories become inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sweep.errors import StudyError, shown, shown_names
from sweep.study.data.pattern_files import MAX_CLASSES, Classes, ascending

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


class Frames(NamedTuple):
    """Inputs and targets of some patterns, a column for each input or category, and for each target or class."""

    inputs: pd.DataFrame
    targets: pd.DataFrame


class Encoding(NamedTuple):
    """How columns become numbers."""

    classes: Classes | None  # how a column of classes becomes targets; None if targets are numbers
    one_hot: Sequence[Any] = ()  # names of columns of inputs that hold categories, of which each becomes an input


def columns_of(frame: Any, where: str, targets: Sequence[Any], inputs: Sequence[Any] | None) -> Frames:
    """Return the columns of a frame that a study uses; without ``inputs`` all others than targets are inputs."""
    frame = frame.to_pandas() if hasattr(frame, "to_pandas") else frame  # polars, Arrow
    if not hasattr(frame, "columns"):
        raise StudyError(f"{where}: must be a data frame, got {shown(frame)}; use Study.from_arrays for arrays")
    names = list(frame.columns)
    inputs = [name for name in names if name not in targets] if inputs is None else inputs
    for name in [*inputs, *targets]:
        if names.count(name) != 1:
            has = "several columns named" if name in names else "no column"
            raise StudyError(f"{where}: has {has} {shown(name)}; there are {_listed(names)}")
    if not len(inputs):
        raise StudyError(f"{where}: must have columns of inputs beside targets, got {_listed(names)}")
    return Frames(frame[list(inputs)], frame[list(targets)])


def columns_of_arrays(inputs: Any, targets: Any, where: str) -> Frames:
    """Return arrays as columns."""
    import pandas as pd

    try:
        found = Frames(pd.DataFrame(inputs), pd.DataFrame(targets))
    except (ValueError, TypeError) as error:
        raise StudyError(f"{where}: inputs and targets must be arrays of at most two dimensions; {error}") from None
    if len(found.inputs) != len(found.targets):
        rows = f"{len(found.inputs):,} of inputs and {len(found.targets):,} of targets"
        raise StudyError(f"{where}: inputs and targets must have equally many rows, got {rows}")
    return found


def has_classes(targets: pd.DataFrame) -> bool:
    """Return whether the targets are one column of classes: of texts, bools, integers or categories, not of floats."""
    return targets.shape[1] == 1 and getattr(targets.iloc[:, 0].dtype, "kind", "O") != "f"


def table_of(parts: Mapping[str, Frames], encoding: Encoding) -> dict[str, Any]:
    """Return the table [data] of patterns by their keys: ``data``, ``data.validation``, ``data.test``.

    Categories and classes are those of ``data``. A StudyError names column and row of a value that cannot be used.
    """
    trained = parts["data"]
    categories = {name: _categories(trained.inputs, name) for name in encoding.one_hot}
    classes = encoding.classes
    if classes is not None:
        classes = classes._replace(names=_class_names(trained.targets.iloc[:, 0]))
    made = {}
    for where, frames in parts.items():
        inputs = [
            _one_hot(column, where, categories[name]) if name in categories else _numbers(column, where)
            for name, column in frames.inputs.items()
        ]
        targets = [_targets(column, where, classes) for _, column in frames.targets.items()]
        made[where.rpartition(".")[2]] = {"inputs": _rows(inputs), "targets": _rows(targets)}
    return made.pop("data") | made


def _rows(columns: list[NDArray[np.float64]]) -> list[list[float]]:
    import numpy as np

    return np.column_stack(columns).tolist() if columns else []


def _numbers(column: pd.Series[Any], where: str) -> NDArray[np.float64]:
    """Return a column of numbers, bools, or categories that are numbers."""
    import numpy as np
    import pandas as pd

    _refuse_missing(column, where)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.dtype.categories.dtype)
    column = column.infer_objects()
    if not pd.api.types.is_numeric_dtype(column) or getattr(column.dtype, "kind", "f") == "c":
        remedy = "add it to one_hot of Study.from_frame, or leave it out of inputs"
        value = shown(column.tolist()[0]) if len(column) else f"type {column.dtype}"
        raise StudyError(f"{where}: column {shown(column.name)} must hold numbers or bools, got {value}; {remedy}")
    numbers = column.to_numpy(dtype=float)
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise StudyError(f"{_place(column, where, row)}: must be a finite number, got {numbers[row]}")
    return numbers


def _targets(column: pd.Series[Any], where: str, classes: Classes | None) -> NDArray[np.float64]:
    """Return the targets of a column of numbers, or one or more for a column of classes."""
    import numpy as np

    if classes is None:
        return _numbers(column, where)
    _refuse_missing(column, where)
    rows = classes.rows()
    texts = [str(each) for each in column.tolist()]
    for row, text in enumerate(texts):
        if text not in rows:
            allowed = f"a class of the patterns to train on ({shown_names(list(rows))})"
            raise StudyError(f"{_place(column, where, row)}: must be {allowed}, got {shown(text)}")
    return np.array([rows[text] for text in texts]).reshape(len(texts), -1)


def _class_names(column: pd.Series[Any]) -> tuple[str, ...]:
    _refuse_missing(column, "data")
    names = ascending([str(each) for each in column.unique().tolist()])
    if not 2 <= len(names) <= MAX_CLASSES:
        what = f"column {shown(column.name)} must have 2 to {MAX_CLASSES} classes, got {len(names)}"
        raise StudyError(f"data: {what}; columns of numbers are targets, not target, and arrays of numbers are floats")
    return names


def _categories(inputs: pd.DataFrame, name: Any) -> list[Any]:
    """Return the categories of a column: those of its type, or its values in ascending order."""
    import pandas as pd

    if name not in inputs.columns:
        raise StudyError(
            f"one_hot: must name columns of inputs, got {shown(name)}; there are {_listed(inputs.columns)}"
        )
    column = inputs[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        return list(column.dtype.categories)
    return list(pd.Categorical(column).categories)


def _one_hot(column: pd.Series[Any], where: str, categories: list[Any]) -> NDArray[np.float64]:
    """Return one input for each category, 1 for that of the pattern."""
    import numpy as np
    import pandas as pd

    _refuse_missing(column, where)
    codes = pd.Index(categories).get_indexer_for(column)
    if (codes < 0).any():
        row = int(np.flatnonzero(codes < 0)[0])
        allowed = f"a category of the patterns to train on ({_listed(categories)})"
        raise StudyError(f"{_place(column, where, row)}: must be {allowed}, got {shown(column.tolist()[row])}")
    chosen: NDArray[np.float64] = np.eye(len(categories))[codes]
    return chosen


def _refuse_missing(column: pd.Series[Any], where: str) -> None:
    """Raise an error if a value is missing."""
    missing = column.isna().to_numpy()
    if missing.any():
        row = int(missing.argmax())
        value = shown(column.tolist()[row])
        raise StudyError(
            f"{_place(column, where, row)}: the value is missing, got {value}; fill it in, or remove the row"
        )


def _place(column: pd.Series[Any], where: str, row: int) -> str:
    return f"{where}: column {shown(column.name)}, row {shown(column.index.tolist()[row])}"


def _listed(names: Any) -> str:
    return shown_names(map(str, names))
