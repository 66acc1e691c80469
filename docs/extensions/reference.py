"""Writes the pages of the reference from the declarations of the program, before Sphinx reads its sources."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any

import typer
from sphinx.application import Sphinx

import sweep
from sweep import figures, lanes
from sweep.cli.app import make_app
from sweep.columns import STATUSES, Column
from sweep.errors import EXIT_CODES
from sweep.measures import MEASURES, RECORDED
from sweep.results.run_measures import RunMeasures
from sweep.schemas.cell_columns import cells_columns
from sweep.schemas.run_columns import curves_columns, runs_columns
from sweep.statistics.definitions import definitions, explain_statistic
from sweep.statistics.outcomes import Measured
from sweep.store.contents import FILES
from sweep.store.run_facts import FACTS, FORMAT
from sweep.study.data.tasks import TASKS
from sweep.study.explanations.component_texts import component_texts
from sweep.study.explanations.glossary import LISTS, SWEPT, entries, note_on_task
from sweep.study.explanations.terms import TERMS

# Classes that users get from results and do not import.
OF_MEASURES = (RunMeasures, Measured)
PLURALS = {"loss": "losses", "criterion": "criteria"}
Lines = Iterator[str]


def options() -> Lines:
    """Yield the page of options: meaning, values, default, use and an example of each, by section."""
    yield "# Options of a study\n"
    yield "`sweep explain NAME` prints the same.\n"
    yield f"`[parameters]`: {_plain(SWEPT)}.\n"
    for section, found in groupby(entries(), lambda entry: entry.section):
        yield f"## `[{section}]`\n"
        for entry in found:
            yield f"### `{entry.key}`\n"
            yield f"{_sentence(entry.meaning)}\n"
            facts = {
                "Values": entry.allowed,
                "Default": entry.default.removeprefix("default "),
                "Used with": entry.used_with,
                "Swept": "yes" if entry.is_swept else "no",
            }
            yield from (f"- {name}: {_plain(text)}" for name, text in facts.items() if text)
            yield f"\n```toml\n[{section}]\n{entry.example}\n```\n"
    yield "## Lists of tables\n"
    for name, text in LISTS.items():
        yield f"### `[[{name}]]`\n\n{_sentence(text)}\n"


def components() -> Lines:
    """Yield the page of components: formula, settings and source of each, by kind, and the tasks."""
    yield "# Components\n"
    yield "Formulas are the code that runs, over lanes: a number for each network that trains side by side."
    yield "`select(condition, a, b)` is a where the condition holds and b elsewhere; other functions are those of"
    yield "[`sweep.lanes`](api.md). `sweep explain NAME` prints the same.\n"
    for kind, found in groupby(component_texts(), lambda text: text.kind):
        yield f"## {PLURALS.get(kind, f'{kind}s').replace('_', ' ').capitalize()}\n"
        for each in found:
            yield f'### `{kind} = "{each.name}"`\n'
            yield f"{_sentence(each.meaning)}\n"
            formula = each.formula.replace("\ndef ", "\n\ndef ")
            yield f"```python\n{formula}\n```\n" if formula else ""
            settings = ", ".join(f"[`{name}`](options.md#{name})" for name in each.settings)
            facts = {"Settings": settings, "Source": each.source}
            yield from (f"- {name}: {text}" for name, text in facts.items() if text)
            yield ""
    yield "## Tasks\n"
    for name in TASKS:
        first, *rest = note_on_task(name)
        yield f'### `task = "{name}"`\n\n{_sentence(first.partition(": ")[2])}\n'
        yield "```text\n" + "\n".join(line.strip() for line in rest) + "\n```\n" if rest else ""


def columns() -> Lines:
    """Yield the page of columns of rows, curves and cells, of a study that has all of them."""
    yield "# Columns\n"
    yield "Columns that are not in every study say when they exist. Swept options are columns after `seed` or `cell`."
    yield "Units and meanings also stand in the metadata of the Parquet files.\n"
    study = _study_with_everything(RECORDED)
    yield from _columns_of("Runs (`result.runs()`, `parts/*.parquet`)", runs_columns(study))
    typical = ("train_accuracy", "margin")
    cells = cells_columns(_study_with_everything(typical))
    yield from _columns_of("Cells (`result.cells`, `cells.parquet`)", cells)
    yield "Each recorded [measure](measures.md) has the columns of a mean, as `train_accuracy`, or of quartiles, as"
    yield "`margin`.\n"
    yield from _columns_of("Learning curves (`result.learning_curves()`, `curves.parquet`)", curves_columns(study))


def _columns_of(title: str, columns: list[Column]) -> Lines:
    """Yield the section of a table."""
    yield f"## {title}\n"
    yield "| column | meaning | unit | type |\n|---|---|---|---|"
    yield from (f"| `{c.name}` | {_plain(c.doc)} | {_plain(c.unit)} | {_plain(c.type)} |" for c in columns)
    yield ""


def _study_with_everything(measures: Sequence[str]) -> sweep.Study:
    """Return a study in which every column exists, those of these measures."""
    return sweep.Study(
        data={"task": "xor", "train_count": 2, "validation_count": 1},
        network={"hidden": 2},
        training={"learning_rate": 0.1, "batch": "online"},
        convergence={"criterion": "none", "patience": 9},
        restarts={"max_restarts": 2},
        record={
            "loss_thresholds": 0.3,
            "weights": "all",
            "measures": list(measures),
            "curves": {"seeds": 2},
        },
    )


def terms() -> Lines:
    """Yield the page of terms, as answers and this manual use them."""
    yield "# Terms\n"
    yield from (f"**{name}**\n: {_sentence(text)}\n" for name, text in TERMS.items())


def measures() -> Lines:
    """Yield the page of measures: meaning, unit and use of each."""
    yield "# Measures\n"
    yield "A measure is a number per run. Recorded ones are listed under `measures` of `[record]`; the others are"
    yield "columns of every study to which they apply. [Your own](../how-to/own-measures.md) work alike.\n"
    for name, measure in MEASURES.items():
        yield f"## `{name}`\n\n{_sentence(measure.meaning)}\n"
        yield from [f"- Unit: {measure.unit}"] * bool(measure.unit)
        recorded = "with `[record] measures`" if measure.is_recorded else "always, where it applies"
        always = "always in studies with held-out patterns, and " if measure.is_recorded and measure.is_filled else ""
        yield f"- Recorded: {always}{recorded}\n"


def statistics() -> Lines:
    """Yield the page of statistics: definition, formula, interval and reference of each."""
    yield "# Statistics\n"
    yield "A cell has n runs, of which s converged. Run i takes t_i updates, at most the limit L. All statistics are"
    yield "of all runs. Intervals are of 95 % and stand in columns that end in `_low` and `_high`. `Q` stands for 25, "
    yield "50 or 75, `MEASURE` for a loss, an error or a recorded measure. `sweep explain NAME` prints the same.\n"
    for name, definition in definitions().items():
        (_, sentence), *facts = explain_statistic(definition)
        yield f"## `{name}`\n\n{_sentence(sentence)}\n"
        for kind, text in facts:
            yield f"- {kind.capitalize()}: " + (f"`{text}`" if kind == "formula" else _plain(text))
        yield ""


def command_line() -> Lines:
    """Yield the page of commands, arguments and options, and of exit codes."""
    yield "# Commands and exit codes\n"
    yield "`STUDY` is the name of a built-in study or the path of a file, `DIR` a results folder or `s3://BUCKET/PREFIX`.\n"
    group: Any = typer.main.get_command(make_app())
    for name, command in sorted(group.commands.items()):
        context = typer.Context(command)
        usage = " ".join(command.collect_usage_pieces(context)).replace("{", "").replace("}", "")
        yield f"## `sweep {name}`\n"
        yield f"{_plain(inspect.cleandoc(command.help))}\n"
        yield f"```text\nsweep {name} {usage}\n```\n"
        for each in command.params:
            written, text = each.get_help_record(context)
            yield f"- `{written.removesuffix(' <str>')}`: {_plain(' '.join(text.split()))}"
        yield ""
        if name == "figure":
            yield "Kinds, each with an [example](../figures/index.rst):\n"
            yield from (f"- `{kind}`: {_plain(record.meaning)}" for kind, record in figures.KINDS.items())
            yield ""
    yield "## Exit codes\n"
    yield "| code | meaning |\n|---|---|"
    yield from (f"| {code} | {_plain(meaning)} |" for code, meaning in EXIT_CODES.items())


def api() -> Lines:
    """Yield the page of the Python interface."""
    yield "# Python\n"
    sections = {
        "Studies and results": (sweep, [name for name in sweep.__all__ if name not in ("lanes", "__version__")]),
        "Figures": (figures, [name for name in figures.__all__ if name != "KINDS"]),
        "Functions over lanes": (lanes, lanes.__all__),
    }
    for title, (module, names) in sections.items():
        yield f"## {title}\n"
        yield from _summaries(module.__name__, names)
    yield "## Measures of runs\n"
    yield "`result.measures` is a `RunMeasures`, and `result.measures.of(NAME)` returns a `Measured`.\n"
    for each in OF_MEASURES:
        yield from _summaries(each.__module__, [each.__name__])


def _summaries(module: str, names: Sequence[str]) -> Lines:
    """Yield the table of some names of a module, each with a page."""
    yield f"```{{eval-rst}}\n.. currentmodule:: {module}\n\n.. autosummary::\n   :toctree: api\n   :nosignatures:\n"
    yield from (f"   {name}" for name in names)
    yield "```\n"


def _inner_page(name: str) -> Lines:
    """Yield the page of an inner function or class, which docstrings link to but no list contains."""
    module, _, short = name.rpartition(".")
    is_class = isinstance(getattr(import_module(module), short), type)
    yield f":orphan:\n\n{short}\n{'=' * len(short)}\n\n.. currentmodule:: {module}\n"
    yield f".. {'autoclass' if is_class else 'autofunction'}:: {short}\n   :no-index-entry:"
    yield "   :members:" if is_class else ""


def _named_in_docstrings() -> list[str]:
    """Return the functions and classes of inner modules that docstrings of public ones send their readers to."""
    public = [getattr(module, name) for module in (sweep, figures) for name in module.__all__]
    members = [member for each in public if isinstance(each, type) for _, member in inspect.getmembers(each)]
    texts = [inspect.getdoc(each) or "" for each in [*public, *members]]
    named = {name for text in texts for name in re.findall(r":(?:func|class):`~?(sweep\.\w+\.[\w.]+)`", text)}
    shown = {*sweep.__all__, *figures.__all__, *(each.__name__ for each in OF_MEASURES)}
    return sorted(name for name in named if name.rpartition(".")[2] not in shown)


def sections() -> Lines:
    """Yield the sections and lists of a study file."""
    names = dict.fromkeys(entry.section for entry in entries())
    yield "TOML with the sections " + ", ".join(f"`[{name}]`" for name in [*names, "parameters"])
    yield "and the lists " + ", ".join(f"`[[{name}]]`" for name in LISTS) + "."


def files() -> Lines:
    """Yield the files of a results folder."""
    yield "| file | content |\n|---|---|"
    yield from (f"| `{name}` | {_plain(content)} |" for name, content in FILES.items())


def facts() -> Lines:
    """Yield the number of the format, and the keys of run.json."""
    yield f"The format has number {FORMAT}. A folder with a higher number than a version knows is refused.\n"
    yield "| key | meaning | present |\n|---|---|---|"
    yield from (f"| `{name}` | {_plain(meaning)} | {present} |" for name, (present, meaning) in FACTS.items())


def statuses() -> Lines:
    """Yield the codes of statuses."""
    codes = ", ".join(f"{code} {status}" for code, status in enumerate(STATUSES))
    yield f"Status is a dictionary of texts with the codes {codes}; codes are only ever appended."


PAGES = {
    "options": options,
    "components": components,
    "columns": columns,
    "terms": terms,
    "measures": measures,
    "statistics": statistics,
    "commands": command_line,
    "api": api,
    **{f"formats/{part.__name__}": part for part in (sections, files, facts, statuses)},  # of file-formats.md
}


def _plain(text: str) -> str:
    """Return text that Markdown shows as it is."""
    for character in "\\`*_|<>[]{}$":
        text = text.replace(character, f"\\{character}")
    return text


def _sentence(text: str) -> str:
    """Return text that begins with a capital and ends with a period."""
    return _plain(f"{text[:1].upper()}{text[1:]}".rstrip(".")) + "."


def write_pages(app: Sphinx, config: Any) -> None:
    """Write the pages, those that changed alone, so that Sphinx reads no others again."""
    folder = Path(app.srcdir) / "reference"
    pages = {f"{name}.md": lines() for name, lines in PAGES.items()}
    pages |= {f"api/{name}.rst": _inner_page(name) for name in _named_in_docstrings()}
    for path in (folder / "api").glob("*.rst"):  # of functions that are no longer there
        if f"api/{path.name}" not in pages and path.read_text("utf-8").startswith(":orphan:"):
            path.unlink()
    for name, lines in pages.items():
        text = "\n".join(lines) + "\n"
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def escape_stars(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Have arguments such as ``*settings`` in the types of docstrings shown as they are."""
    lines[:] = [re.sub(r"(?<![\w*])\*(?=\w)", r"\\*", line) if " : (" in line else line for line in lines]


def skip_fields(app: Sphinx, what: str, name: str, value: Any, skip: bool, options: Any) -> bool | None:
    """Leave out fields of named tuples, which the docstrings of their classes explain."""
    return True if str(getattr(value, "__doc__", "")).startswith("Alias for field number") else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("config-inited", write_pages)  # before Sphinx and autosummary look for sources
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("autodoc-process-docstring", escape_stars, priority=1)  # before numpydoc
    return {"parallel_read_safe": True}
