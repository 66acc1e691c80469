"""The command that describes study files for editors."""

from __future__ import annotations

from sweep.cli.arguments import PluginOption


def schema(plugin: PluginOption = None) -> None:
    """Print the JSON Schema of study files. Editors use it to complete keys and mark errors."""
    import json

    from sweep.study.schema import study_schema

    print(json.dumps(study_schema(), indent=1))
