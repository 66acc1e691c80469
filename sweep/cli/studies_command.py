"""The command that lists the built-in studies."""

from __future__ import annotations

from sweep.system.wrapping import print_text


def studies() -> None:
    """List the built-in studies by the question that they answer.

    Studies with a star have published figures, with which 'sweep reproduce NAME' compares them.
    """
    from sweep.study.expectations import QUESTIONS, Expectations, built_in_expectations
    from sweep.study.load import built_in_studies

    described = {name: tables["description"] for name, tables in built_in_studies().items()}
    found = {name: Expectations() for name in described} | built_in_expectations()
    width = max(map(len, found))
    for question in (*QUESTIONS, None):
        names = [name for name, each in found.items() if each.question == question]
        if names:
            print_text(question or "Other")
        for name in names:
            print_text(f"{'*' if found[name].figures else ' '} {name:{width}}  {described[name]}")
