"""Arguments and options of commands that take a study, and the commands that list studies and keys."""

from __future__ import annotations

import shutil
import sys
from glob import escape, glob
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from sweep.cli.completions import complete_option
from sweep.errors import EXIT_INTERRUPTED, StudyError
from sweep.system.escaping import one_line

if TYPE_CHECKING:
    from sweep.study.model import Study

app = typer.Typer()


class StudyCommand(TyperCommand):
    """A command that takes a study and changes its keys with --set."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse a key of a study that is used as an option, and say how to change the key."""
        options = {option for parameter in self.params for option in parameter.opts}
        for arg in args:
            option, _, value = arg.partition("=")
            if option.startswith("--") and option not in options:
                _refuse_key(option, value)
        return super().parse_args(ctx, args)


def _refuse_key(option: str, value: str) -> None:
    """Raise StudyError if an option has the name of a key of a study, or of a feature that is not supported."""
    if option == "--words":
        raise StudyError(["'--words' is called '--plugin' since 0.1"])
    from sweep.study.options.option_tables import known_tables
    from sweep.study.reading.hints import meant_key, not_supported

    homes = known_tables().homes
    name = option[2:].replace("-", "_")
    key, wish = meant_key(name, homes), not_supported(name)
    if key:
        key = f"seeds.{key}" if homes[key] == "seeds" else key
        raise StudyError([f"{option} is a key of the study; change it with --set {key}={value or 'VALUE'}"])
    if wish:
        raise StudyError([f"{option}: {wish}; 'sweep explain' lists all keys of a study"])


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
        help="Python file that declares custom activations, losses or optimizers.",
        callback=lambda files: _run_plugins(files),
        is_eager=True,
    ),
]


def load(source: str, changes: list[str] | None) -> Study:
    """Return a study with the changes of --set, and print the keys that were left out."""
    from sweep.study.load import changed_study, parse_changes

    study, left_out = changed_study(source, parse_changes(changes or []))
    for key in left_out:
        print(f"left out: {one_line(key)}; no cell uses it any more", file=sys.stderr)
    return study


def _run_plugins(files: list[str] | None) -> list[str]:
    """Run the files of custom components before anything needs one."""
    if files:
        from sweep.study.plugins import load_plugin

        for file in files:
            load_plugin(file)
    return files or []  # typer 0.19 takes its length


@app.command()
def studies() -> None:
    """List the built-in studies."""
    from sweep.study.load import built_in_studies, load_study

    for name in built_in_studies():
        print(f"{name:12}  {load_study(name).description}")


@app.command("compile", cls=StudyCommand)
def compile_kernels(
    study: StudyArgument,
    changes: SetOption = None,
    plugin: PluginOption = None,
    processes: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Number of processes. Default: one per processor.")
    ] = None,
) -> None:
    """Compile the kernels of a study into the cache, so that training starts at once."""
    from sweep.system.host import available_threads
    from sweep.system.signals import raise_on_interrupt
    from sweep.training.compiling.compile_ahead import compile_study

    def print_progress(n_done: int, n_items: int) -> None:
        print(f"compiled {n_done} of {n_items}", file=sys.stderr)

    loaded = load(study, changes)
    try:
        with raise_on_interrupt():
            n_items = compile_study(loaded, processes or available_threads(), print_progress)
    except KeyboardInterrupt:
        print("interrupted; compiled kernels are kept; run the same command again to resume", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    print(f"{n_items} compiled" if n_items else "nothing to compile: the cache has all kernels of this study")


@app.command()
def schema(plugin: PluginOption = None) -> None:
    """Print the JSON Schema of study files. Editors use it to complete keys and mark errors."""
    import json

    from sweep.study.schema import study_schema

    print(json.dumps(study_schema(), indent=1))


@app.command()
def explain(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Option, value, section or statistic, such as adam. Default: all options.",
            autocompletion=complete_option,
        ),
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Explain an option, a component, a task or a statistic: meaning, values, default, formula, source."""
    from sweep.cli.explain import explanation

    print(explanation(name, min(shutil.get_terminal_size().columns, 120)))
