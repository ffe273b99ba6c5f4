"""`exportcheck report`: results in another format, without running anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exportcheck.cli import options


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("report")(report)


def report(
    results: Annotated[
        list[Path], typer.Argument(metavar="RESULTS.json...", help="Several are merged.")
    ],
    formats: options.Format = None,
    output: options.Output = None,
    no_color: options.NoColor = False,
) -> None:
    """Show the results of earlier runs, in any format.

    Nothing runs, and what was known then is known now.
    """
    from exportcheck.cli.console import console
    from exportcheck.cli.delivery import checked, show
    from exportcheck.merging import merge
    from exportcheck.reading import read

    names = checked(formats or ())
    joined = merge({str(path): read(path) for path in results})
    show(joined, names, output, console(no_color=no_color))
