"""Brings a report to whoever asked for it: files in a folder, the terminal, GitHub's step."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from exportcheck.errors import EnvironmentBroken, UsageError
from exportcheck.render import formats, github, terminal
from exportcheck.selection import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from exportcheck.results import Report


def checked(names: Sequence[str]) -> list[str]:
    """The names of formats, each once.

    Raises:
        UsageError: there is no such format.
    """
    for name in names:
        if name not in formats():
            raise UsageError(f"no format {name!r}{nearest(name, list(formats()))}")
    return list(dict.fromkeys(names))


def chosen_by_itself() -> list[str]:
    """`github` where GitHub runs us."""
    return ["github"] if os.environ.get("GITHUB_ACTIONS") == "true" else []


def prepare(folder: Path, option: str = "--output", names: Sequence[str] = ()) -> None:
    """Makes sure, before any case runs, that `folder` can be written to.

    Args:
        folder: made if need be.
        option: that named it.
        names: of the formats that will be written there.

    Raises:
        UsageError: it is a file, or a folder lies where a format's file would.
        EnvironmentBroken: it cannot be made or written to.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{option} {folder} is a file; a folder was expected")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise EnvironmentBroken(
            f"cannot write to {folder} ({error.strerror}); choose another folder with {option}"
        ) from error
    for name in names:
        if (path := folder / formats()[name].FILE_NAME) != folder and path.is_dir():
            raise UsageError(f"{path} is a folder, where {name} would be written; move it away")


def write(path: Path, text: str) -> None:
    """Writes `text` to `path` whole or not at all.

    Raises:
        EnvironmentBroken: the disk is full or the folder is gone.
    """
    data = text.encode()
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise EnvironmentBroken(f"cannot write {path}: {error.strerror}") from error


def deliver(report: Report, names: Sequence[str], folder: Path) -> None:
    """Writes `report` to `folder` in every named format, and speaks those that are spoken."""
    for name in names:
        form = formats()[name]
        if form.FILE_NAME:
            write(folder / form.FILE_NAME, form.render(report))
        else:
            typer.echo(form.render(report), nl=False)
    if "github" in names:
        _add_to_summary(report)


def show(report: Report, names: Sequence[str], output: Path | None, screen: Console) -> None:
    """What a command that runs nothing does with its report: print it, or write it to `output`.

    Raises:
        UsageError: several formats, and nowhere to write them.
    """
    if output is None:
        if len([name for name in names if formats()[name].FILE_NAME]) > 1:
            raise UsageError("several formats at once need --output FOLDER")
        for name in names or ("terminal",):
            if name == "terminal":
                screen.print(terminal.compose(report, screen.width))
            else:
                typer.echo(formats()[name].render(report), nl=False)
        if "github" in names:
            _add_to_summary(report)
    elif len(names) == 1 and output.suffix and not output.is_dir():
        prepare(output.parent)
        write(output, formats()[names[0]].render(report))
    else:
        prepare(output)
        deliver(report, names or ("json",), output)


def _add_to_summary(report: Report) -> None:
    """Appends to the step summary, beside what the step has already said in it.

    Raises:
        EnvironmentBroken: the file that GitHub names cannot be written.
    """
    if not (named := os.environ.get("GITHUB_STEP_SUMMARY")):
        return
    path = Path(named)
    try:
        said = path.stat().st_size if path.exists() else 0
        with path.open("a", encoding="utf-8") as summary:
            summary.write(github.summary(report, github.SUMMARY_BYTES - said))
    except OSError as error:
        raise EnvironmentBroken(f"cannot write {path}: {error.strerror}") from error


@contextlib.contextmanager
def unheard(names: Sequence[str]) -> Iterator[None]:
    """While others' words are printed: GitHub must not take one of them for a command.

    Source: docs.github.com, workflow commands, stopping and starting workflow commands.
    """
    if "github" not in names:
        yield
        return
    token = f"exportcheck-{secrets.token_hex(16)}"
    typer.echo(f"::stop-commands::{token}")
    try:
        yield
    finally:
        typer.echo(f"::{token}::")
