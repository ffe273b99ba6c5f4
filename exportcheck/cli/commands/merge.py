"""`exportcheck merge`: the runs of several machines as one report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("merge")(merge)


def merge(
    results: Annotated[list[Path], typer.Argument(metavar="RESULTS.json...")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")
    ],
) -> None:
    """Join the results of several machines into one file.

    Each cell says where it ran. Two files that say different things of one case are an error.
    """
    from exportcheck import merging
    from exportcheck.cli.delivery import prepare, write
    from exportcheck.errors import UsageError
    from exportcheck.reading import read
    from exportcheck.render import json

    if output.is_dir():
        raise UsageError(f"--output {output} is a folder; a file was expected")
    joined = merging.merge({str(path): read(path) for path in results})
    prepare(output.parent)
    write(output, json.render(joined))
    typer.echo(f"{len(joined.results)} results in {output}")
