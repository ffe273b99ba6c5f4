"""`exportcheck all`: the whole matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exportcheck.cli import options
from exportcheck.runner import DEFAULT_TIMEOUT_S


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("all")(check_all)


def check_all(
    context: typer.Context,
    select: options.Select = None,
    skip: options.Skip = None,
    family: options.Family = None,
    target: options.Target = None,
    network: options.Network = None,
    quick: options.Quick = False,
    toolchain: options.Toolchain = None,
    coremltools: options.Coremltools = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Workers; one a core by default.")
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.1, help="Seconds after which a case is given up.")
    ] = DEFAULT_TIMEOUT_S,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="NaN, signed zeros, subnormals and huge inputs fail too."),
    ] = False,
    formats: options.Format = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for matrix.json and the formats.")
    ] = Path("reports"),
    limitations: Annotated[
        Path | None,
        typer.Option("--limitations", metavar="FILE", help="Known failures of your own, in TOML."),
    ] = None,
    no_limitations: Annotated[
        bool, typer.Option("--no-limitations", help="Take no failure for known.")
    ] = False,
    update_limitations: Annotated[
        bool,
        typer.Option(
            "--update-limitations",
            help="Write the failures to FILE, or to limitations.toml, for you to edit.",
        ),
    ] = False,
    stock_exporters: Annotated[
        bool, typer.Option("--stock-exporters", help="Export without the memo: the same, slower.")
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Check everything again, and keep nothing.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="A line for every case as it ends.")
    ] = False,
    no_color: options.NoColor = False,
) -> None:
    """Check every activation on every target, and show the matrix.

    Ends with 1 where a case fails that is not known to, or one passes that is known to fail.
    Defaults for every option: [tool.exportcheck] in pyproject.toml.
    """
    from exportcheck.cli.run import Request, run_request
    from exportcheck.selection import Selection

    request = Request(
        Selection(select or (), skip or (), family or (), target or (), network or (), quick),
        toolchain or (),
        coremltools or (),
        jobs,
        timeout,
        strict,
        output,
        formats or (),
        limitations,
        context.obj.limitations,
        no_limitations,
        update_limitations,
        stock_exporters,
        not no_cache,
        context.obj.modules,
        verbose,
        no_color,
    )
    raise typer.Exit(run_request(request))
