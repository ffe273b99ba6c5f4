"""Where measurements lie: the history and the costs that commands read, add to and write."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from exportcheck.cli.delivery import prepare, write
from exportcheck.cli.options import COST_FILE, HISTORY_FILE
from exportcheck.errors import UsageError
from exportcheck.explain.costs import read_costs
from exportcheck.history.runs import History
from exportcheck.history.storing import read_history

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rich.console import RenderableType

FILE_WIDTH = 100

_ENDINGS = {".md": "markdown", ".html": "html"}


def history_in(path: Path) -> History:
    """The history at `path`; an empty one, which is said, where nothing lies at the usual place.

    Raises:
        UsageError: a file that was named is not there, or it holds no history.
    """
    if path == HISTORY_FILE and not path.exists():
        _say_absent(path, "--history")
        return History()
    return read_history(path)


def costs_in(path: Path) -> Mapping[str, Any]:
    """The costs at `path`, by family, with the same exception for the usual place.

    Raises:
        UsageError: a file that was named is not there, or it holds no costs.
    """
    if path == COST_FILE and not path.exists():
        _say_absent(path, "--cost")
        return {}
    return read_costs(path)


def _say_absent(path: Path, option: str) -> None:
    typer.echo(f"exportcheck: {path} does not exist here; {option} FILE names another", err=True)


def show_text(
    form: str | None,
    output: Path | None,
    screen: Console,
    forms: Mapping[str, Callable[[int], RenderableType]],
) -> None:
    """Prints one of several forms, or writes it to the file `output`.

    Args:
        form: the name of the wanted one; None for that which `output` ends in.
        output: a file; None for the standard output.
        screen: to print to.
        forms: name -> what makes it for a width; everything but `terminal` is text.

    Raises:
        UsageError: there is no such form, or `output` is a folder.
    """
    form = form or _ENDINGS.get(output.suffix if output else "", "terminal")
    if form not in forms:
        raise UsageError(f"no format {form!r}; there are: {', '.join(forms)}")
    make = forms[form]
    if output is None:
        made = make(screen.width)
        if isinstance(made, str):
            typer.echo(made, nl=False)
        else:
            screen.print(made)
        return
    if output.is_dir():
        raise UsageError(f"--output {output} is a folder; a file was expected")
    prepare(output.parent)
    write(output, _as_text(make(FILE_WIDTH)))
    typer.echo(f"{form} in {output}")


def _as_text(made: RenderableType) -> str:
    """What a console without colours prints of `made`."""
    if isinstance(made, str):
        return made
    stream = io.StringIO()
    Console(file=stream, width=FILE_WIDTH, no_color=True, highlight=False).print(made)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"
