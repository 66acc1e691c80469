"""The command that lists the built-in studies."""

from __future__ import annotations


def studies() -> None:
    """List the built-in studies by their questions. Those with a star have published figures: sweep reproduce NAME."""
    from sweep.study.expectations import QUESTIONS, Expectations, built_in_expectations
    from sweep.study.load import built_in_studies, load_study

    expected = built_in_expectations()
    found = {name: expected.get(name, Expectations(())) for name in built_in_studies()}
    width = max(map(len, found))
    for question in (*QUESTIONS, ""):
        names = [name for name, each in found.items() if each.question == question]
        if names:
            print(question or "Other")
        for name in names:
            print(f"{'*' if found[name].figures else ' '} {name:{width}}  {load_study(name).description}")
