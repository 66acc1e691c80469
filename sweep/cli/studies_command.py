"""The command that lists the built-in studies."""

from __future__ import annotations


def studies() -> None:
    """List the built-in studies."""
    from sweep.study.load import built_in_studies, load_study

    for name in built_in_studies():
        print(f"{name:17}  {load_study(name).description}")
