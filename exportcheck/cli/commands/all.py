"""`exportcheck all`: the whole matrix."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exportcheck.cli import options
from exportcheck.cli.console import console
from exportcheck.cli.progress import Progress
from exportcheck.environment import describe
from exportcheck.errors import (
    EXIT_BROKEN,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EnvironmentBroken,
    UsageError,
)
from exportcheck.render import json, terminal
from exportcheck.results import Report
from exportcheck.runner import DEFAULT_TIMEOUT_S, default_jobs, run
from exportcheck.selection import Selection, all_cases, choose, current_toolchain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exportcheck.results import Case, Result


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("all")(check_all)


def check_all(
    select: options.Select = None,
    skip: options.Skip = None,
    family: options.Family = None,
    target: options.Target = None,
    network: options.Network = None,
    quick: options.Quick = False,
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
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder that matrix.json is written to.")
    ] = Path("reports"),
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="A line for every case as it ends.")
    ] = False,
    no_color: options.NoColor = False,
) -> None:
    """Check every activation in every network on every target, and show the matrix."""
    chosen = choose(
        Selection(select or (), skip or (), family or (), target or (), network or (), quick),
        all_cases(current_toolchain()),
    )
    _prepare(output)
    begun = time.monotonic()
    screen = console(no_color=no_color)
    with Progress(len(chosen), console(no_color=no_color, err=True), verbose=verbose) as progress:
        trouble = _run(chosen, progress, jobs, timeout, strict)
    report = Report(_ordered(progress.results, chosen), describe())
    path = output / "matrix.json"
    if progress.results:
        write(path, json.render(report))
        screen.print(terminal.compose(report, screen.width))
    seconds = time.monotonic() - begun
    workers = min(jobs or default_jobs(), len(chosen))
    screen.print(f"{seconds:.0f} s with {workers} workers; results in {path}", markup=False)
    raise typer.Exit(_exit_code(trouble, report, len(chosen)))


def _run(
    chosen: Sequence[Case],
    progress: Progress,
    jobs: int | None,
    timeout_s: float,
    strict: bool,
) -> BaseException | None:
    """Runs the cases; returns what ended the run early, so that finished results are kept."""
    try:
        run(chosen, progress, jobs=jobs, timeout_s=timeout_s, strict=strict)
    except (KeyboardInterrupt, EnvironmentBroken) as trouble:
        return trouble
    return None


def _exit_code(trouble: BaseException | None, report: Report, asked: int) -> int:
    """The exit code, after saying on stderr what ended the run early."""
    done = len(report.results)
    if trouble is None:
        return EXIT_FAILED if report.failures else EXIT_OK
    if isinstance(trouble, KeyboardInterrupt):
        cause, code = "interrupted", EXIT_INTERRUPTED
    else:
        cause, code = str(trouble), EXIT_BROKEN
    typer.echo(f"exportcheck: {cause}; {done} of {asked} cases are finished and kept", err=True)
    return code


def _ordered(results: Sequence[Result], chosen: Sequence[Case]) -> tuple[Result, ...]:
    """The results in the order of the cases, however they finished."""
    place = {case: index for index, case in enumerate(chosen)}
    return tuple(sorted(results, key=lambda result: place[result.case]))


def _prepare(folder: Path) -> None:
    """Makes sure, before any case runs, that `folder` can be written to.

    Raises:
        UsageError: it is a file.
        EnvironmentBroken: it cannot be made or written to.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--output {folder} is a file; a folder was expected")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise EnvironmentBroken(
            f"cannot write to {folder} ({error.strerror}); choose another folder with --output"
        ) from error


def write(path: Path, text: str) -> None:
    """Writes `text` to `path` whole or not at all.

    Raises:
        EnvironmentBroken: the disk is full or the folder is gone.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text, "utf-8")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise EnvironmentBroken(f"cannot write {path}: {error.strerror}") from error
