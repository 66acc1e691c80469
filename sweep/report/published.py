"""The page of published figures beside what comes out: Markdown, with a picture of each study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from PIL import Image

from sweep.errors import SweepError
from sweep.figures import draw, save_figure
from sweep.figures.canvas import shown_by
from sweep.report.figures import suitable_figures
from sweep.results.answers import column_of
from sweep.results.result import Result
from sweep.results.tables.expected_table import counts_text, expected_table
from sweep.statistics.of_cells import every
from sweep.study.expectations import QUESTIONS, Expectations
from sweep.system.atomic_files import replace_file
from sweep.system.formatting import count_text


class Reproduced(NamedTuple):
    """A study that was compared with published figures."""

    result: Result
    expectations: Expectations
    expected: pd.DataFrame  # of :func:`sweep.results.expected.expect`
    description: str  # of the study as it is now; that of a result is as old as the result


def write_published(studies: Sequence[Reproduced], path: Path) -> None:
    """Write the page of studies, and their pictures into the folder beside it that has its name without the suffix."""
    pictures = path.with_suffix("")
    try:
        pictures.mkdir(exist_ok=True)
        replace_file(path, "\n".join(_page(studies, pictures)).encode())
    except OSError as error:
        raise SweepError(f"page {str(path)!r} cannot be written: {error.strerror}") from None


def _page(studies: Sequence[Reproduced], pictures: Path) -> list[str]:
    lines = [
        "# Published results, reproduced",
        "",
        f"{count_text(len(studies), 'published experiment')}, trained again as built-in studies: "
        f"{counts_text(pd.concat([each.expected for each in studies]))}.",
        "",
        "- An exact figure agrees if all its printed digits do, or within the tolerance that its file states.",
        "- A statistical figure agrees unless the difference is significant, considering the errors of both sides. In "
        "each study the chance of any false alarm is at most 1 %.",
        "- A known difference has a note below its table: the cause, or what was tried if it is not known.",
        "- Where authors print no figure, it is that of an independent simulation of their program (see the source).",
        "",
        "`sweep reproduce NAME` repeats a study. A digest identifies all its rows.",
        "",
    ]
    lines += ["| study | figures that agree | source |", "|---|---|---|"]
    lines += [*map(_summary, studies), ""]
    for question in (*QUESTIONS, None):
        found = [each for each in studies if each.expectations.question == question]
        lines += [f"## {question or 'Other studies'}", ""] if found else []
        for each in found:
            lines += _section(each, pictures)
    return lines


def _summary(study: Reproduced) -> str:
    """Return the row of a study in the first table."""
    name = study.result.study.name
    counts = counts_text(study.expected).replace(" figures agree", "")
    return f"| [{name}](#{name}) | {counts} | {_cell(study.expectations.source)} |"


def _section(study: Reproduced, pictures: Path) -> list[str]:
    """Return the lines of a study, and draw its picture."""
    result, expectations, expected, description = study
    name = result.study.name
    several = suitable_figures(result) if result.facts["n_runs"] > 1 else []  # a single run is a dot
    options = dict(expectations.picture or {}) or {"kind": next((kind for _, kind in several), "")}
    picture, kind = [], options.pop("kind")
    if kind:
        if "value" in options:
            options["value"] = column_of(options["value"], every())
        file = pictures / f"{name}.png"
        figure = draw(result, kind, **options)
        save_figure(figure, file, kind)
        with Image.open(file) as drawn:  # 64 colors make small files
            drawn.convert("RGB").quantize(64).save(file, optimize=True)
        picture = [f"![{name}: {shown_by(figure)}]({pictures.name}/{name}.png)", ""]
    table = expected_table(expected, "")
    heads = [_cell(head) for head in table.heads]
    rows = ["| " + " | ".join(map(_cell, texts)) + " |" for texts in table.texts]
    return [
        f"### {name}",
        "",
        *([description, ""] if description else []),
        f"Source: {expectations.source}." + (f" Inferred: {expectations.inferred}." if expectations.inferred else ""),
        "",
        "| " + " | ".join(heads) + " |",
        "|---" * len(heads) + "|",
        *rows,
        "",
        *(f"- {note}." for note in table.notes),
        *([""] if table.notes else []),
        *picture,
        f"{counts_text(expected)}. {_runs(result)}, digest `{result.digest[:12]}`: `sweep reproduce {name}`",
        "",
    ]


def _runs(result: Result) -> str:
    """Return the number of runs, and of seeds if each has several runs."""
    runs, n_seeds = count_text(result.facts["n_runs"], "run"), result.study.seeds.count
    if n_seeds == 1:
        return runs
    seeds = count_text(n_seeds, "seed")
    return seeds if result.study.n_cells == 1 else f"{runs} of {seeds}"


def _cell(text: str) -> str:
    """Return the text of a cell of a table in Markdown."""
    return text.replace("|", "\\|").replace("_", "\\_").replace("[", "\\[")
