"""Arguments and options that commands share."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape, glob
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from sweep.errors import EXIT_INTERRUPTED, StudyError
from sweep.system.escaping import one_line
from sweep.system.signals import raise_on_interrupt
from sweep.system.wrapping import is_terminal, print_text

if TYPE_CHECKING:
    from sweep.results.result import Result
    from sweep.study.model import Study


class StudyCommand(TyperCommand):
    """A command that takes a study and changes its keys with --set."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse a key of a study that is used as an option, and say how to change the key."""
        options = {option for parameter in self.get_params(ctx) for option in parameter.opts}
        for arg in args:
            option, _, value = arg.partition("=")
            if option.startswith("--") and option not in options:
                _refuse_key(option, value)
        return super().parse_args(ctx, args)


def _refuse_key(option: str, value: str) -> None:
    """Raise StudyError if an option has the name of a key of a study, or of a feature that is not supported."""
    from sweep.study.options.key_hints import meant_key
    from sweep.study.options.option_tables import known_tables
    from sweep.study.reading.hints import not_supported

    section_of = known_tables().section_of
    name = option[2:].replace("-", "_")
    key, wish = meant_key(name, section_of), not_supported(name)
    if key:
        key = f"seeds.{key}" if section_of[key] == "seeds" else key
        raise StudyError(f"{option} is a key of the study; change it with --set {key}={value or 'VALUE'}")
    if wish:
        raise StudyError(f"{option}: {wish}; 'sweep explain' lists all keys of a study")


class FigureCommand(TyperCommand):
    """A command whose help ends with the kinds of figures."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        from sweep.cli.figure_kinds import kind_texts

        options = {kind: [f"--{each.replace('_', '-')}" for each in kind.options] for kind in kind_texts()}
        texts = [f"{kind.name}: {kind.meaning}; {' '.join(names)}" for kind, names in options.items()]
        self.epilog = "\n\n".join(["Kinds of figures:", *texts])
        super().format_help(ctx, formatter)


def complete_study(incomplete: str) -> list[str]:
    """Return the built-in studies and study files that begin with a text."""
    from sweep.study.load import built_in_studies

    names = [name for name in built_in_studies() if name.startswith(incomplete)]
    return names + sorted(glob(f"{escape(incomplete)}*.toml") + glob(f"{escape(incomplete)}*/"))


def complete_change(incomplete: str) -> list[str]:
    """Return the keys of a study that begin with a text, or the values of a key."""
    from sweep.study.explanations.glossary import entries

    key, is_complete, value = incomplete.partition("=")
    if not is_complete:
        return [f"{entry.change}=" for entry in entries() if entry.change.startswith(key)]
    return [
        f"{key}={known}"
        for entry in entries()
        if key in (entry.key, f"{entry.section}.{entry.key}")
        for known in entry.values
        if known.startswith(value)
    ]


StudyArgument = Annotated[
    str,
    typer.Argument(metavar="STUDY", help="Built-in study, or path of a study file.", autocompletion=complete_study),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a key of the study: seeds.count=40, hidden=2, learning_rate=0.1,0.3.",
        autocompletion=complete_change,
    ),
]


PluginOption = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin",
        metavar="FILE",
        help="Python file that declares custom activations, losses, optimizers, schedules, measures or statistics.",
        callback=lambda files: _run_plugins(files),
        is_eager=True,
    ),
]


def load(source: str, changes: list[str] | None) -> Study:
    """Return a study with the changes of --set, and print the keys that were left out."""
    from sweep.study.load import changed_study, parse_changes

    study, left_out = changed_study(source, parse_changes(changes or []))
    for key in left_out:
        print_text(f"left out: {one_line(key)}; no cell uses it any more", file=sys.stderr)
    return study


def _run_plugins(files: list[str] | None) -> list[str]:
    """Run the files of custom components before anything needs one."""
    if files:
        from sweep.study.plugins import load_plugin

        for file in files:
            load_plugin(file)
    return files or []  # typer 0.19 takes its length


ThreadsOption = Annotated[int | None, typer.Option(help="Number of threads. Default: one per processor.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Delete earlier results in the folder first.")]

DirectoryArgument = Annotated[
    str, typer.Argument(metavar="DIR", help="Results folder, complete or partial, or s3://BUCKET/PREFIX.")
]
TopOption = Annotated[
    int | None, typer.Option(metavar="N", help="Print at most N rows. Default: as many as fit on the screen.")
]

AtOption = Annotated[
    list[str] | None, typer.Option(metavar="NAME=V,V", help="Use only cells with these values of a parameter.")
]


def open_with_warning(directory: str) -> Result:
    """Open a result, complete or partial, and warn of a partial one."""
    from sweep.results.result import open_result
    from sweep.results.sentences import coverage

    result = open_result(directory, partial=True)
    warn(coverage(result))
    return result


def warn(sentence: str) -> None:
    """Print a sentence on standard error, unless it is empty."""
    if sentence:
        print_text(sentence, file=sys.stderr)


@contextmanager
def interruptible(kept: str) -> Iterator[None]:
    """Within this context, an interrupt ends the command with a sentence on what is kept."""
    try:
        with raise_on_interrupt():
            yield
    except KeyboardInterrupt:
        below_the_key = [""] * is_terminal(sys.stderr)  # which the terminal shows as ^C
        print_text(*below_the_key, f"interrupted; {kept}", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)


def split_names(text: str) -> list[str]:
    """Return the names in a comma-separated list. A comma within brackets, as in w[0,1], separates nothing."""
    return [name.strip().replace(", ", ",") for name in re.split(r",(?![^\[]*\])", text)]


def local_path(directory: str, out: Path | None) -> Path:
    """Return the local path for a figure or a report; SweepError if there is none."""
    from sweep.errors import SweepError, shown
    from sweep.system.user_files import address_of, local_folder

    if out is None and address_of(directory):
        raise SweepError(f"a figure or report of {shown(directory)} is a local file; name it with --out FILE")
    return local_folder(out or directory)
