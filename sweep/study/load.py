"""Study files: find, read and change them."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from kernels.floating_point import default_floating_point
from sweep.errors import StudyError, closest, cut, shown
from sweep.study.axes.samples import KEYS
from sweep.study.axes.study_axes import TOGETHER
from sweep.study.data.data_table import HELD_OUT, HELD_OUT_ARGUMENTS, are_columns
from sweep.study.idle_options import leave_out
from sweep.study.model import Study
from sweep.study.options.explicit_weights import element_of, split_values
from sweep.study.options.key_hints import unknown_key
from sweep.study.options.option_tables import SECTIONS, OptionTables, known_tables
from sweep.study.options.option_values import names_arrays
from sweep.study.options.other_sections import Record
from sweep.study.plugins import BUILT_IN, load_built_in_plugin
from sweep.study.reading.faults import Faults
from sweep.system.formatting import list_text
from sweep.system.plain_values import plain
from sweep.system.user_files import read_text

_TABLES = ("data", *SECTIONS, "parameters", *TOGETHER, "restarts", "seeds", "record", "components")
_TEXTS = ("name", "description", "method")
_TOP = (*_TEXTS, *_TABLES)

# Keys of [[samples]] that can be changed if there is one table of it.
_OF_SAMPLES = tuple(f"samples.{name}" for name in KEYS)


@cache
def built_in_studies() -> dict[str, dict[str, Any]]:
    """Return the tables of every built-in study by name; do not change them."""
    return {name: {"name": name, **tables} for name, tables in built_in_tables("toml").items()}


def built_in_tables(ending: str, parse_float: Callable[[str], Any] = float) -> dict[str, dict[str, Any]]:
    """Return the tables of built-in files with an ending by name.

    The table ``members`` of a file holds similar studies by name, each by the keys that differ from those of the file.
    """
    found: dict[str, dict[str, Any]] = {}
    for file in BUILT_IN.iterdir():
        name, _, rest = file.name.partition(".")
        if rest == ending:
            shared = tomllib.loads(file.read_text("utf-8"), parse_float=parse_float)
            members = shared.pop("members", {name: {}})
            found |= {member: _with_own(shared, own) for member, own in members.items()}
    return dict(sorted(found.items()))


def _with_own(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return shared tables in which keys have their own values."""
    tables = {**shared, **own}
    for key in shared.keys() & own.keys():
        if isinstance(shared[key], dict) and isinstance(own[key], dict):
            tables[key] = _with_own(shared[key], own[key])
    return tables


def load_study(source: str | Path, changes: Mapping[str, Any] | None = None) -> Study:
    """Read a study.

    Parameters
    ----------
    source
        Name of a built-in study, or path of a study file. A relative path of a pattern file
        starts at the folder of the study file.
    changes
        Values to set, by dotted key (``"seeds.count"``) or by the key alone (``"learning_rate"``). A list, an array or
        a dict such as ``{"geomspace": [1e-3, 1.0, 13]}`` sweeps the option; one value fixes it, or becomes the only
        value of a swept one. Options that lose their effect, such as ``from_step`` with ``criterion="none"``, are
        removed. The names of the changed keys replace the description. With a task or a file of patterns, its name
        becomes that of the study.

    Returns
    -------
    Study
        The valid study.

    Raises
    ------
    StudyError
        If the file cannot be read or the study is not valid, with a sentence for each fault.

    Examples
    --------
    >>> load_study("xor", {"hidden": range(2, 5), "learning_rate": 0.1, "seeds.count": 40}).n_runs
    120
    """
    return changed_study(source, {} if changes is None else changes)[0]


@default_floating_point
def changed_study(source: str | Path, changes: Mapping[str, Any]) -> tuple[Study, list[str]]:
    """Return a study as :func:`load_study` does, and the keys that it removed because they lost their effect."""
    raw, folder = read_source(source)
    return study_of_tables(raw, folder, changes)


def study_of_tables(raw: dict[str, Any], folder: Path, changes: Mapping[str, Any]) -> tuple[Study, list[str]]:
    """Return the study of the tables of :func:`read_source`, as :func:`changed_study` does; ``raw`` is changed."""
    apply_changes(raw, changes)
    of_values = [key for key in changes if key not in _TEXTS]
    if of_values and raw.get("description") and "description" not in changes:  # of the study before the changes
        raw["description"] = f"{raw.get('name', 'a study')} with other values of {list_text(of_values)}"
    if "name" not in changes:
        raw["name"] = _name_of_patterns(changes) or raw.get("name", "study")
    _place_files(raw, folder)
    try:
        return _study(raw), []
    except StudyError as error:
        left_out = leave_out(raw, error.faults, changes)
        if not left_out:
            raise
        return _study(raw), left_out


def _place_files(raw: dict[str, Any], folder: Path) -> None:
    """Let relative paths of files of patterns and weights start at a folder."""
    data = raw.setdefault("data", {})
    held_out = [data.get(name) if isinstance(data, dict) else None for name in HELD_OUT]
    for table, key in ((data, "file"), *((each, "file") for each in held_out), (raw.get("initial_weights"), "values")):
        if isinstance(table, dict) and isinstance(table.get(key), (str, os.PathLike)):
            table[key] = folder / table[key]


def _name_of_patterns(changes: Mapping[str, Any]) -> str:
    """Return the name of the patterns that changes set, of a task or a file; empty if they set none."""
    for key in ("task", "file", "data.task", "data.file"):
        if isinstance(changes.get(key), (str, os.PathLike)):
            return re.sub(r"[^\w.-]", "-", Path(changes[key]).stem, flags=re.ASCII)
    return ""


@default_floating_point
def parse_study(text: str, where: str) -> Study:
    """Return the study in the text of a file that also holds its patterns and weights; ``where`` names the file."""
    raw = read_tables(text, shown(where, 200))
    data = raw.get("data")
    start = raw.get("initial_weights")
    tables = [data, *map(data.get, HELD_OUT)] if isinstance(data, dict) else []
    if any(isinstance(table, dict) and "file" in table for table in tables):
        raise StudyError(f"study {where!r} must hold its patterns, but names a file of them")
    if isinstance(start, dict) and isinstance(start.get("values"), str):
        raise StudyError(f"study {where!r} must hold its initial weights, but names a file of them")
    return _study(raw)


def _study(raw: dict[str, Any]) -> Study:
    faults = Faults()
    faults.add(*(unknown_key("key", key, _TOP, known_tables().section_of) for key in raw if key not in _TOP))
    raw.setdefault("data", {})
    with faults.of("study"):
        study = Study(**{key: value for key, value in raw.items() if key in _TOP})
    faults.check()
    return study


def parse_changes(assignments: Iterable[str]) -> dict[str, Any]:
    """Return the changes in ``key=value`` texts of the command line; ``a,b,c`` is a list, as is ``[a, b, c]``."""
    changes: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, text = (part.strip() for part in assignment.partition("="))
        if not equals or not key:
            raise StudyError(f"--set: must be key=value, as in --set seeds.count=40, got {shown(assignment)}")
        weight = key.replace(" ", "")
        key = weight if _is_weight(weight) else key
        fault = _key_fault(key)
        if fault:
            raise StudyError(f"--set: {fault}")
        changes[key] = text if key in _TEXTS else _value(text)
    return changes


def read_source(source: str | Path) -> tuple[dict[str, Any], Path]:
    """Return the tables of a study file or of a built-in study, and the folder at which its paths start."""
    if not isinstance(source, (str, os.PathLike)):
        raise StudyError(f"study: must be a Study, the name of a built-in one or the path of one, got {shown(source)}")
    studies = built_in_studies()
    named = shown(str(source), 200)
    if str(source) in studies:
        load_built_in_plugin(str(source))
        raw = deepcopy(studies[str(source)])
        _place_files(raw, Path(str(BUILT_IN)))
        return raw, Path()
    path = Path(source)
    if isinstance(source, str) and not path.suffix and path.parent == Path() and not os.path.exists(path):
        close = closest(source, studies)
        hint = f"did you mean {close!r}? " if close else ""
        raise StudyError(
            f"unknown study {named}; {hint}'sweep studies' lists the built-in ones; name a study file by its path, "
            "such as mine.toml"
        )
    try:
        return _tables_of(path, named), path.parent
    except StudyError as error:
        if path.suffix.lower() in (".csv", ".parquet") and path.is_file():
            raise StudyError(f"{error}; if it holds patterns, set file to {named} in a study such as xor") from None
        if os.path.exists(path / "study.toml"):
            raise StudyError(f"{error}; open results with sweep.open_result({named})") from None
        raise


def _tables_of(path: Path, named: str) -> dict[str, Any]:
    """Return the tables of a study file."""
    try:
        text = read_text(path)
    except ValueError as error:
        raise StudyError(f"study file {named} cannot be read: {error}") from None
    return read_tables(text, named)


def _value(text: str) -> Any:
    """Return the value of an assignment: a list or table of TOML, values with commas, or one value."""
    if text[:1] in ("[", "{"):
        listed = read_value(text)
        if listed is None and text[-1] in ("]", "}"):
            raise StudyError(
                f"--set: lists and tables must be TOML, as in '[0.1, 0.5]' with quotes for the shell and 0 before a "
                f"point, got {shown(text)}"
            )
        if listed is not None:
            return listed
    values = [_scalar(part.strip()) for part in split_values(text)]
    return values if len(values) > 1 else values[0]


def _scalar(text: str) -> bool | int | float | str:
    """Return one value as TOML reads it, also a number such as .5; anything else is text."""
    value = read_value(text)
    if isinstance(value, (bool, int, float, str)):
        return value
    return float(text) if re.fullmatch(r"[+-]?\.\d+([eE][+-]?\d+)?", text, re.ASCII) else text


def _key_fault(key: Any) -> str | None:
    tables = known_tables()
    changeable = _changeable(tables)
    if key in _TEXTS or key in changeable or (isinstance(key, str) and _is_weight(key)):
        return None
    if key in _TABLES:
        examples = {"data": "data.task", "seeds": "seeds.count", "parameters": "learning_rate"}
        keys = [f"{key}.{name}" for name, section in tables.section_of.items() if section == key]
        example = examples.get(key, next(iter(keys), ""))
        return f"{key!r} is a table; {f'change its keys, such as {example!r}' if example else '--set cannot change it'}"
    return unknown_key("key", key, [*tables.section_of, *_TEXTS, *changeable], tables.section_of)


def _is_weight(key: str) -> bool:
    section, _, name = key.rpartition(".")
    return element_of(name) is not None and section in ("", "parameters", "initial_weights", "initial_weights.values")


@lru_cache(2)
def _changeable(tables: OptionTables) -> frozenset[str]:
    dotted = [f"{section}.{name}" for name, section in tables.section_of.items()]
    dotted += [f"record.{name}" for name in Record.model_fields]
    swept = (f"parameters.{name}" for name in tables.sweepable)
    return frozenset([*TOGETHER, *_OF_SAMPLES, *tables.section_of, *dotted, *swept])


def apply_changes(raw: dict[str, Any], changes: Any) -> None:
    """Apply changes as of :func:`load_study` to the tables of a study file."""
    if not isinstance(changes, Mapping):
        raise StudyError(f"changes must be a dict such as {{'seeds.count': 40}}, got {shown(changes)}")
    changes = plain(changes)
    faults = [f"changes: {fault}" for fault in map(_key_fault, changes) if fault]
    if faults:
        raise StudyError(*faults)
    if {"task", "file"} <= {key.rpartition(".")[2] for key in changes}:
        raise StudyError("changes: task and file are both set; remove one")
    # A task or a file is set before arguments of the task, since it replaces the table [data].
    for key, value in sorted(changes.items(), key=lambda change: change[0].rpartition(".")[2] not in ("task", "file")):
        if key in _TEXTS or key in TOGETHER:
            raw[key] = value
        elif key in _OF_SAMPLES:
            _set_sample(raw, key, value)
        else:
            section, _, name = key.rpartition(".")
            _set(raw, section, name, value)


def _set(raw: dict[str, Any], section: str, name: str, value: Any) -> None:
    """Apply one change to the tables of a study file; the section may be left out where it is clear."""
    tables = known_tables()
    is_weight = element_of(name) is not None
    section = "initial_weights" if is_weight else section if section == "record" else tables.section_of[name]
    table = raw.setdefault(section, {})
    parameters = raw.setdefault("parameters", {})
    if not isinstance(table, dict) or not isinstance(parameters, dict):
        return  # validation of the study reports it
    if name in tables.sweepable and _set_together(raw, name, value):
        return
    key = name
    if name in HELD_OUT_ARGUMENTS:
        use, key = HELD_OUT_ARGUMENTS[name]
        table = table.get(use)
        if not isinstance(table, dict):
            raise StudyError(f"changes: {name} needs a table data.{use}, which the study does not have")
    swept = [known for known in parameters if known.rpartition(".")[2] == name]
    if swept or (isinstance(value, (list, dict)) and not names_arrays(value) and name in tables.sweepable):
        parameters[swept[0] if swept else name] = value
        table.pop(key, None)
        return
    if is_weight and isinstance(table.get("values"), (str, os.PathLike)):  # beside the arrays of a file
        parameters[name] = value
        return
    if is_weight:
        table["values"] = {**(table.get("values") or {}), name: value}
        return
    if name == "task" or (name == "file" and "file" not in table):  # columns of another file have the same names
        table.clear()
    if name in ("inputs", "targets", "one_hot") and isinstance(value, str) and "file" in table:
        value = [value]  # one column, as in --set targets=y
    if section == "data" and name in ("inputs", "targets") and not are_columns(value):
        for other in ("task", "file", "target", "target_one_hot", "one_hot", "split"):
            table.pop(other, None)
    table[key] = value


def _set_sample(raw: dict[str, Any], key: str, value: Any) -> None:
    """Apply a change of a key of [[samples]], which must have exactly one table."""
    tables = _tables(raw, "samples")
    if len(tables) != 1:
        raise StudyError(f"changes: {key!r} needs exactly one table [[samples]], got {len(tables)}")
    tables[0][key.rpartition(".")[2]] = value


def _set_together(raw: dict[str, Any], name: str, value: Any) -> bool:
    """Apply a change of an option that varies with others: a single value removes it there, others replace its values.

    Return whether that completes the change. A removed option is then set as any other.
    """
    for kind in ("zip", "samples"):
        for table in _tables(raw, kind):
            known = next((key for key in table if key.rpartition(".")[2] == name), None)
            if known is None:
                continue
            if isinstance(value, (list, dict)):
                table[known] = value
                return True
            del table[known]
            if not table.keys() - set(KEYS):
                raw[kind] = [other for other in _tables(raw, kind) if other is not table]
            return False
    return False


def _tables(raw: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the tables in a list; validation of the study reports other values."""
    tables = raw.get(kind)
    return [each for each in (tables if isinstance(tables, list) else [tables]) if isinstance(each, dict)]


def read_tables(text: str, named: str) -> dict[str, Any]:
    """Return the tables of a study file by name; ``named`` is the file, for errors."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"study {named} is not valid TOML: {cut(str(error), 120)}") from None
    except RecursionError:
        raise StudyError(f"study {named} is nested too deeply; rows of numbers are the deepest level") from None
    except ValueError:
        raise StudyError(f"study {named} has an integer of too many digits; write it as a float, as 1e300") from None


def read_value(text: str) -> Any:
    """Return the value of a text in TOML; None if it is not one value."""
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # an integer may have too many digits, a list be too deep
        return None
    return table["value"] if len(table) == 1 else None
