"""Plugins: Python files of custom components.

They run only where the user names them, or a built-in study that has one, never because a study file does.
"""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from types import ModuleType

from kernels.custom.registry import declared_components
from kernels.custom.source import TOO_LONG, ComponentError, Place, line_of
from sweep.errors import StudyError, shown
from sweep.study.custom_statistics import DECLARED
from sweep.system.user_files import read_text

# Built-in studies, and plugins of those whose names begin with that of a plugin.
BUILT_IN = resources.files("sweep.study") / "builtin"


def load_built_in_plugin(study: str) -> None:
    """Declare the custom components of a built-in study, such as those of fahlman.py for fahlman-encoders."""
    for file in BUILT_IN.iterdir():
        if file.name.endswith(".py") and study.startswith(file.name.removesuffix(".py")):
            with resources.as_file(file) as path:
                load_plugin(path)


def load_plugin(path: str | Path) -> list[str]:
    """Run a Python file that declares custom components, measures or statistics, as by :func:`sweep.activation`.

    Parameters
    ----------
    path
        Path of the file.

    Returns
    -------
    list of str
        The names of its components.

    Raises
    ------
    StudyError
        If the file cannot be read, fails, or declares no component.
    """
    file = os.fspath(path)
    named = f"plugin {shown(os.fspath(path), 200)}"
    try:
        code = compile(read_text(Path(path)), file, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise StudyError(f"{named}: line {error.lineno}: {error.msg}") from None
    except ValueError as error:
        raise StudyError(f"{named} cannot be read: {error}") from None
    except (RecursionError, MemoryError):  # of Python's parser
        raise StudyError(f"{named} has a formula that is {TOO_LONG}") from None
    module = ModuleType(Path(path).stem)
    module.__file__ = file
    try:
        exec(code, vars(module))
    except ComponentError as error:
        raise StudyError(str(error)) from None
    except StudyError:
        raise
    except Exception as error:
        place = line_of(error, {"": Place(file, 0)})
        where = f"line {place.line}" if place else "somewhere"
        raise StudyError(f"{named}: {where}: {type(error).__name__}: {' '.join(str(error).split())}") from None
    names = [
        name
        for name, component in declared_components().items()
        if file in {place.file for place in component.places.values()}
    ]
    names += [name for name, function in DECLARED.items() if function.__code__.co_filename == file]
    if not names:
        raise StudyError(
            f"{named} declares no component; decorate a function in it with @sweep.activation, @sweep.loss, "
            "@sweep.optimizer, @sweep.learning_rate_schedule, @sweep.measure or @sweep.statistic"
        )
    return names
