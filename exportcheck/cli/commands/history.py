"""`exportcheck history`: what was measured on other toolchains, added to and shown."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exportcheck.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exportcheck.history.runs import History
    from exportcheck.history.tracks import Track

app = typer.Typer(help="Measured support, toolchain by toolchain.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Adds the commands."""
    parent.add_typer(app, name="history")


@app.command("add")
def add(
    results: Annotated[list[Path], typer.Argument(metavar="RESULTS.json...")],
    history: options.HistoryFile = options.HISTORY_FILE,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Even where the new run lacks cells of the older one, or has other versions.",
        ),
    ] = False,
) -> None:
    """Take the results of `exportcheck all` into the history, toolchain by toolchain.

    The run of a toolchain takes the place of its older one; no other is touched.
    """
    from exportcheck.cli.delivery import prepare, write
    from exportcheck.cli.measured import history_in
    from exportcheck.history.adding import added, counted, runs_of
    from exportcheck.history.runs import History
    from exportcheck.history.storing import to_text
    from exportcheck.reading import read

    found = history_in(history) if history.exists() else History()
    for path in results:
        found, said = added(found, runs_of(read(path), str(path)), replace=replace)
        for line in said:
            typer.echo(line)
    prepare(history.parent, "--history")
    write(history, to_text(found))
    typer.echo(f"{counted(len(found.runs), 'toolchain')} in {history}")


@app.command("show")
def show(
    family: options.Family = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", help="Only tracks of this target (fnmatch, repeatable)."),
    ] = None,
    form: options.TextFormat = None,
    output: options.TextOutput = None,
    history: options.HistoryFile = options.HISTORY_FILE,
    cost: options.CostFile = options.COST_FILE,
    no_color: options.NoColor = False,
) -> None:
    """Show since when functions survive export: families by version, with --family form by form."""
    from exportcheck.catalog import activations
    from exportcheck.cli.console import console
    from exportcheck.cli.measured import costs_in, history_in, show_text
    from exportcheck.explain import html
    from exportcheck.history import markdown, terminal
    from exportcheck.history.overview import overviews
    from exportcheck.history.strips import strips
    from exportcheck.selection import family_named

    known = list(dict.fromkeys(a.family for a in activations().values()))
    families = [family_named(name) for name in family or known]
    found = history_in(history)
    keep = _keep(found, target or ())
    forms = [a.name for a in activations().values() if a.family in families]
    shown = strips(found, forms, keep) if family else ()
    above = () if family else overviews(found, known, keep)
    matrix = output.with_name("matrix.html") if output else None
    link = matrix.name if matrix and matrix.exists() else ""
    show_text(
        form,
        output,
        console(no_color=no_color),
        {
            "terminal": lambda width: terminal.compose(above, shown, width),
            "markdown": lambda _: markdown.render(found, above, shown),
            "html": lambda _: html.render(found, costs_in(cost), families, link),
        },
    )


def _keep(history: History, patterns: Sequence[str]) -> Callable[[Track], bool]:
    """Whether a track is asked for: its name, or a target of it, matches.

    Raises:
        UsageError: a pattern matches nothing that was measured.
    """
    from exportcheck.errors import UsageError
    from exportcheck.history.tracks import track_of
    from exportcheck.selection import nearest

    targets = {column.target for run in history.runs for column in run.columns}
    names = {target: {target, track_of(target).name} for target in targets}
    known = sorted(set().union(*names.values()))
    all_tracks = sorted({track_of(target).name for target in targets})
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            near = nearest(pattern, known) or f"; tracks: {', '.join(all_tracks)}"
            raise UsageError(f"no target {pattern!r} in the history{near}")
    wanted = {
        track_of(target)
        for target, both in names.items()
        if any(fnmatchcase(name, pattern) for name in both for pattern in patterns)
    }
    return lambda track: not patterns or track in wanted
