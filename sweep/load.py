"""Find, read and change study files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from sweep.errors import StudyError, unknown
from sweep.sections import SECTIONS, SWEEPABLE, Data, Seeds
from sweep.study import Study

_TABLES = ("data", *SECTIONS, "parameters", "seeds")
_TOP = ("name", "description", "method", *_TABLES)


def built_in_studies() -> dict[str, str]:
    """Return the text of every built-in study by name."""
    folder = resources.files("sweep") / "studies"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {file.name.removesuffix(".toml"): file.read_text("utf-8") for file in files if file.name.endswith(".toml")}


def load_study(source: str | Path, changes: Mapping[str, Any] | None = None) -> Study:
    """Read a study.

    Parameters
    ----------
    source
        Name of a built-in study, or path of a study file. A pattern file is looked
        for beside the study file.
    changes
        Values to set, by dotted key (``"seeds.count"``) or bare where that is clear
        (``"learning_rate"``). A list sweeps the parameter; one value fixes it, or
        leaves a swept one with that value alone.

    Raises
    ------
    StudyError
        With a sentence for every fault.
    """
    text, folder = _read(source)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError([f"study {str(source)!r} is not valid TOML: {error}"]) from None
    for key, value in (changes or {}).items():
        _set(raw, key, value)
    faults = [unknown("key", key, list(_TOP)) for key in raw if key not in _TOP]
    data = raw.get("data")
    if data is None:
        raw["data"] = {}
    elif isinstance(data, dict) and isinstance(data.get("file"), str):
        data["file"] = str(folder / data["file"])
    try:
        study = Study(**{key: value for key, value in raw.items() if key in _TOP})
    except StudyError as error:
        raise StudyError(faults + error.faults) from None
    if faults:
        raise StudyError(faults)
    return study


def parse_changes(assignments: Iterable[str]) -> dict[str, Any]:
    """Read ``key=value`` texts of the command line; ``a,b,c`` is a list.

    Raises
    ------
    StudyError
        If a text has no ``=``.
    """
    changes: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            raise StudyError([f"--set {assignment!r} given; must be key=value, as in --set seeds.count=40"])
        if key.strip() in ("name", "description", "method"):
            changes[key.strip()] = text.strip()
            continue
        values = [_scalar(part.strip()) for part in text.split(",")]
        changes[key.strip()] = values if len(values) > 1 else values[0]
    return changes


def _read(source: str | Path) -> tuple[str, Path]:
    """Return the text of a study and the folder it lies in."""
    studies = built_in_studies()
    if str(source) in studies:
        return studies[str(source)], Path()
    path = Path(source)
    try:
        return path.read_text("utf-8-sig"), path.parent
    except UnicodeDecodeError:
        raise StudyError([f"study file {str(source)!r} is not text"]) from None
    except OSError as error:
        if isinstance(source, str) and not path.suffix and path.parent == Path():
            raise StudyError([unknown("study", source, list(studies)) + "; or give the path of a study file"]) from None
        raise StudyError([f"study file {str(source)!r} cannot be read: {error.strerror}"]) from None


def _scalar(text: str) -> bool | int | float | str:
    """Read one value as TOML would, numbers such as .5 too, and anything else as text."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return float(text) if re.fullmatch(r"[+-]?\.\d+([eE][+-]?\d+)?", text) else text
    return value if isinstance(value, (bool, int, float, str)) else text


def _set(raw: dict[str, Any], key: str, value: Any) -> None:
    """Put one change into the tables of a study file."""
    sections = {**SWEEPABLE, "dtype": "network"}
    sections |= dict.fromkeys(Seeds.model_fields, "seeds")
    sections |= dict.fromkeys(("task", "file", *Data.model_fields), "data")
    section, _, name = key.rpartition(".")
    if key in ("name", "description", "method"):
        raw[key] = value
        return
    if section == "parameters":
        section = SWEEPABLE.get(name, section)
    if sections.get(name) is None or section not in ("", sections[name]):
        raise StudyError([f"--set {key}: {unknown('key', key, list(sections))}"])
    section = sections[name]
    table, parameters = raw.setdefault(section, {}), raw.setdefault("parameters", {})
    if not isinstance(table, dict) or not isinstance(parameters, dict):
        return  # the study is at fault, and will say so
    swept = [known for known in parameters if known.rpartition(".")[2] == name]
    if swept or (isinstance(value, list) and section in SECTIONS):
        values = value if isinstance(value, list) else [value]
        parameters[swept[0] if swept else name] = {"values": values}
        table.pop(name, None)
    else:
        if name in ("task", "file"):
            table.clear()
        table[name] = value
