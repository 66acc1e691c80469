"""``sweep explain`` for words of answers: terms, statuses, measures and abbreviations of statistics."""

from __future__ import annotations

import pytest

from sweep.cli.explanation import explanation
from sweep.measures import MEASURES
from sweep.statistics.definitions import definition_of
from sweep.study.explanations.terms import TERMS, term_of
from sweep.study.options.other_sections import FAILURES
from tests.sweep.support import assert_refused, command


@pytest.mark.parametrize("status", ["converged", "diverged", "stalled", "exhausted", "plateau"])
def test_statuses_are_explained(status: str) -> None:
    """Each status that answers name has an explanation, and names the option that lists it."""
    out = command("explain", status).out
    assert out.startswith(f"{status}: ")
    assert out.endswith("see also: option restarts.on\n") == (status in FAILURES)


@pytest.mark.parametrize("name", ["w", "b", "v", "c", "k", "array"])
def test_arrays_are_explained(name: str) -> None:
    """The names of the arrays of weights have an explanation."""
    assert command("explain", name).out == command("explain", "arrays").out


@pytest.mark.parametrize("measure", MEASURES)
def test_measures_are_explained(measure: str) -> None:
    """A measure is explained by its meaning."""
    assert explanation(measure, 10_000).startswith(f"{measure}: {MEASURES[measure].meaning}")


def test_a_measure_names_the_option_that_records_it() -> None:
    """It does not repeat the list of all measures."""
    lines = command("explain", "sharpness").out.splitlines()
    assert lines[0].startswith("sharpness: ")
    assert lines[-1].strip() == "see also: option record.measures"
    assert len(lines) < 6


def test_similar_names_of_any_kind_are_suggested() -> None:
    """Of options, sections, terms, tasks and measures."""
    for wrong, right in (
        ("convrgence", "convergence"),
        ("statled", "stalled"),
        ("paritty", "parity"),
        ("margn", "margin"),
    ):
        assert_refused(command("explain", wrong), (f"unknown name {wrong!r}; did you mean {right!r}?",))


@pytest.mark.parametrize("name", ["configuration", "right-censored", "ert", "may be the best", "p-value", "held_out"])
def test_synonyms_lead_to_an_explanation(name: str) -> None:
    """Other words for a term or a statistic have its explanation."""
    meant = term_of(name)
    assert meant in TERMS or definition_of(meant)
    assert explanation(name, 80) == explanation(meant, 80)


def test_all_options_end_with_what_else_there_is() -> None:
    """The list of all options names other kinds of names, and each example there is explained."""
    *_, last = explanation(None, 80).split("sweep explain NAME also explains")
    examples = last.split(": ")[1].replace("\n", " ").split(", ")
    assert len(examples) == 5
    for name in examples:
        assert explanation(name, 80)
