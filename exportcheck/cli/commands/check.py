"""`exportcheck check`: does this module ship, and if not, why and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exportcheck.cli import options
from exportcheck.runner import DEFAULT_TIMEOUT_S


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("check")(check)


def check(
    spec: Annotated[
        str,
        typer.Argument(
            metavar="SPEC",
            help="package.module:Name, path/to/file.py:Name, or a family or activation of the "
            "catalogue. Name is an nn.Module (class, instance, factory) or a function of tensors.",
        ),
    ],
    arg: Annotated[
        list[str] | None,
        typer.Option("--arg", metavar="NAME=VALUE", help="An argument of it, a Python literal."),
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="[NAME=]SHAPE[:DTYPE][:LOW..HIGH]",
            help="An input, as 1x8x32x32, 4x16:float16, 2x7:int64:0..99 (repeatable); else guessed",
        ),
    ] = None,
    network: options.Network = None,
    target: options.Target = None,
    dynamic: Annotated[
        str | None,
        typer.Option(
            "--dynamic", metavar="AXES", help="Axes of any size, as 0,2,3; run at other sizes too."
        ),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="FILE", help="Weights for it, loaded as weights only."),
    ] = None,
    train_check: Annotated[
        bool, typer.Option("--train-check", help="Hold its gradient against finite differences.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="What is only noted fails too: NaN, signed zeros, …")
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.1, help="Seconds after which a case is given up.")
    ] = DEFAULT_TIMEOUT_S,
    rewrite: Annotated[
        bool,
        typer.Option("--rewrite/--no-rewrite", help="Look for a form that works where one fails."),
    ] = True,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            metavar="NAME",
            help="Prove or refute that it computes what this does, as torch.nn.Hardswish.",
        ),
    ] = None,
    repro: Annotated[
        Path | None,
        typer.Option(
            "--repro", metavar="DIR", help="Write a folder for each failure that others can run."
        ),
    ] = None,
    exhaustive: Annotated[
        bool,
        typer.Option(
            "--exhaustive",
            help="Try all 4 294 967 296 float32 numbers; of an elementwise module. Can be stopped "
            "and goes on where it was.",
        ),
    ] = False,
    formats: options.Format = None,
    output: options.Output = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="A line for every case, and all notes.")
    ] = False,
    no_color: options.NoColor = False,
) -> None:
    """Check a module of yours: where it ships, where not, whose fault that is, and what to do.

    Your code runs in a process of its own. Ends with 1 where a target fails.
    """
    from exportcheck.cli.asked import parse_arg, parse_axes
    from exportcheck.cli.checking import CheckRequest, run_check
    from exportcheck.custom.module_spec import ModuleSpec, parse_input

    module = ModuleSpec(
        spec,
        tuple(map(parse_arg, arg or ())),
        tuple(map(parse_input, inputs or ())),
        state or "",
        parse_axes(dynamic) if dynamic is not None else (),
        train_check,
        settled=bool(reference),  # which has the weights of its own constructor
    )
    request = CheckRequest(
        module,
        network or (),
        target or (),
        strict,
        timeout,
        formats or (),
        output,
        rewrite,
        reference or "",
        repro,
        exhaustive,
        verbose,
        no_color,
    )
    raise typer.Exit(run_check(request))
