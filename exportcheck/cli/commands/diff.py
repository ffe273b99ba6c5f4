"""`exportcheck diff`: what changed between two runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exportcheck.cli import options
from exportcheck.errors import EXIT_FAILED, EXIT_OK


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("diff")(diff)


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD.json")],
    new: Annotated[Path, typer.Argument(metavar="NEW.json")],
    formats: options.Format = None,
    output: options.Output = None,
    no_color: options.NoColor = False,
) -> None:
    """Show what changed between two runs.

    New failures, fixed cells, changed numbers, operators and environment. Ends with 1 where there
    are new failures: cases that fail in NEW and did not in OLD.
    """
    from exportcheck.cli.console import console
    from exportcheck.cli.delivery import checked, show
    from exportcheck.differences import difference
    from exportcheck.reading import read

    names = checked(formats or ())
    changed = difference(read(old), read(new))
    if not changed.changes:
        typer.echo("exportcheck: nothing has changed", err=True)
    show(changed, names, output, console(no_color=no_color))
    raise typer.Exit(EXIT_FAILED if changed.new else EXIT_OK)
