"""The command that writes a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sweep.cli.arguments import DirectoryArgument, local_path, open_with_warning
from sweep.system.escaping import one_line
from sweep.system.wrapping import print_text


def report(
    directory: DirectoryArgument,
    out: Annotated[Path | None, typer.Option(help="File to write. Default: DIR/report.html.")] = None,
) -> None:
    """Write one HTML file with a summary, figures and tables."""
    from sweep.report import write_report

    written = local_path(directory, out)
    path = write_report(open_with_warning(directory), written if out else written / "report.html")
    print_text(f"report in {one_line(path)}")
