"""Files of published figures."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sweep.errors import StudyError
from sweep.study.expectations import QUESTIONS, built_in_expectations, load_expectations, parse
from sweep.study.load import built_in_studies
from tests.sweep.support import refused


def test_built_in_studies_have_a_question() -> None:
    """Each built-in study says what it asks, and each with figures says where they were published."""
    expected = built_in_expectations()
    assert expected.keys() == built_in_studies().keys()
    assert all(each.question in QUESTIONS for each in expected.values())
    assert all(each.source for each in expected.values() if each.figures)


def test_lists_are_figures() -> None:
    """Several published values are a figure each: at values of a parameter, at seeds, or at the first seeds."""
    read = parse(
        """
        [[figures]]
        where = { hidden = [2, 4], bias = true }
        measure = "steps"
        statistic = "mean"
        published = [324.50, 228]
        error = [3, 2.5]

        [[figures]]
        measure = "steps"
        seeds = [5, 9]
        published = [10, inf]

        [[figures]]
        measure = "final_loss"
        published = [".25", 1]
        """.replace('".25"', "0.25"),
        "mine",
    )
    two, four, *runs = read.figures
    assert (two.where, two.published, two.error, two.unit) == ({"hidden": 2, "bias": True}, 324.5, 3.0, Decimal("0.01"))
    assert (four.where, four.error, four.is_exact) == ({"hidden": 4, "bias": True}, 2.5, False)
    assert [(each.at(7).seed, each.entry, each.is_exact) for each in runs] == [
        (5, 2, True),
        (9, 2, True),
        (7, 3, True),
        (8, 3, True),
    ]
    assert two.published_text == "324.50 ± 3"


FIGURE = {"statistic": "convergence_rate", "published": 0.5}


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"figure": []}, "unknown key 'figure'; did you mean 'figures'?"),
        ({"question": "Why?"}, "question: must be one of 'Does it learn at all?'"),
        ({"picture": "lines"}, "picture: must be a table (in Python a dict), got 'lines'"),
        ({"figures": [{**FIGURE, "statistc": "mean"}]}, "figure 1: unknown key 'statistc'; did you mean 'statistic'?"),
        ({"figures": [FIGURE, {"published": 1}]}, "figure 2: must have measure, share or statistic"),
        ({"figures": [{"measure": "steps"}]}, "must have either published or successes"),
        ({"figures": [{"share": "steps > 3", "successes": 3}]}, "trials: must be at least successes, 3, got None"),
        ({"figures": [{**FIGURE, "sd": 2.0}]}, "trials: must be the number of published runs with sd"),
        ({"figures": [{**FIGURE, "published": "half"}]}, "published: must be a number, got 'half'"),
        ({"figures": [{**FIGURE, "published": float("inf")}]}, "number (finite for a statistic), got Infinity"),
        ({"figures": [{**FIGURE, "error": -1.0}]}, "error: must be above 0, got -1.0"),
        ({"figures": [{**FIGURE, "published": [1, 2]}]}, "2 values need as many values of a parameter"),
        (
            {"figures": [{**FIGURE, "kind": "exact", "trials": 9}]},
            "kind: must be statistical if the figure has an error",
        ),
        ({"figures": [{**FIGURE, "between": [1]}]}, "between[1]: is missing"),
        ({"picture": {"x": "hidden"}}, "picture.kind: is missing"),
        ({"figures": [{**FIGURE, "where": 8}]}, "where: must be a table such as { hidden = 8 }, got 8"),
        ({"figures": [{**FIGURE, "place": 1}]}, "unknown key 'place'"),
        ({"figures": [{**FIGURE, "between": [1, 2, 3]}]}, "between: must be a list of 2, got [1, 2, 3]"),
        ({"figures": [{**FIGURE, "between": [0.1, float("nan")]}]}, "between[1]: must be a finite number, got nan"),
        ({"figures": [{**FIGURE, "between": [0.6, 0.4]}]}, "between: must be the lower and the upper end around 0.5"),
        ({"figures": [{**FIGURE, "between": [0.6, 0.7]}]}, "between: must be the lower and the upper end around 0.5"),
        ({"figures": [{**FIGURE, "tolerance": -1}]}, "tolerance: must be at least 0, got -1"),
        (
            {"figures": [{**FIGURE, "tolerance": 1, "trials": 3}]},
            "tolerance: must be left out if the figure has an error",
        ),
        ({"figures": [{**FIGURE, "error": 10**400}]}, "error: must be a number, got <integer of 401"),
        ({"figures": [{**FIGURE, "published": "nan"}]}, "published: must be a number (finite for a statistic), got"),
        ({"figures": [{**FIGURE, "trials": 0}]}, "trials: must be at least 1, got 0"),
        ({"figures": [{**FIGURE, "first_seeds": 0}]}, "first_seeds: must be at least 1, got 0"),
        ({"figures": [{**FIGURE, "seeds": 1}]}, "seeds, steps: must be left out of figures of several runs; first"),
        ({"figures": [{"share": "steps > 3", "published": 76}]}, "published: must be a share from 0 to 1, got 76"),
        ({"figures": [{"statistic": "mean", "published": 1}]}, "statistic: must be one of mean, median, min, max with"),
        ({"figures": [{"measure": "steps", "published": [1], "trials": 3}]}, "kind: must be exact for a single run"),
    ],
)
def test_faults(raw: dict[str, Any], sentence: str) -> None:
    """A fault is a sentence that names the figure and the key."""
    with refused(sentence):
        load_expectations(raw)


def test_faults_show_numbers_as_written() -> None:
    """A sentence shows a number of a file as the file does."""
    with pytest.raises(StudyError, match=r"figure 1: trials: must be an integer, got 3\.5$"):
        parse("[[figures]]\nstatistic = 'rate'\npublished = 0.5\ntrials = 3.5", "mine")


def test_beside_a_study(tmp_path: Path) -> None:
    """The file of a study stands for the file of expectations beside it, if there is one."""
    (tmp_path / "mine.expect.toml").write_text('source = "a book"')
    assert load_expectations(tmp_path / "mine.toml").source == "a book"
    with pytest.raises(StudyError, match=r"other\.expect\.toml' cannot be read"):
        load_expectations(tmp_path / "other.toml")


def test_all_are_on_the_published_page() -> None:
    """The page that ``make published`` writes has a section for each built-in study with figures, and no other."""
    page = (Path(__file__).parents[3] / "docs" / "findings" / "published.md").read_text("utf-8")
    sections = [line.removeprefix("### ") for line in page.splitlines() if line.startswith("### ")]
    assert sorted(sections) == sorted(name for name, each in built_in_expectations().items() if each.figures)


def test_the_published_page_has_the_words_of_the_files() -> None:
    """Each section of the page has the source, what is inferred and the known differences, word for word."""
    page = (Path(__file__).parents[3] / "docs" / "findings" / "published.md").read_text("utf-8")
    sections = {text.partition("\n")[0]: text.splitlines() for text in page.split("\n### ")[1:]}
    for name, each in built_in_expectations().items():
        if not each.figures:
            continue
        source = f"Source: {each.source}." + (f" Inferred: {each.inferred}." if each.inferred else "")
        assert source in sections[name], name
        explained = {figure.known_difference for figure in each.figures} - {""}
        notes = [line for line in sections[name] if line.startswith("- ") and ": source: " not in line]
        assert len(notes) >= len(explained), name
        assert all(any(line.endswith(f": {text}.") for text in explained) for line in notes), name
        assert all(any(line.endswith(f": {text}.") for line in notes) for text in explained), name
