"""`exportcheck doctor`: what this machine can do, and what to install."""

from __future__ import annotations

import json

import typer

from exportcheck.cli import options
from exportcheck.errors import EXIT_BROKEN, EXIT_OK

# Without these nothing can be checked at all.
_REQUIRED = ("torch", "numpy")
_STYLES = {"real": "green", "simulated": "yellow", "missing": "red"}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("doctor")(doctor)


def doctor(as_json: options.AsJson = False, no_color: options.NoColor = False) -> None:
    """Show versions and which runtimes are real, simulated or missing here."""
    from exportcheck.environment import describe, runtime_states

    environment, states = describe(), runtime_states()
    versions: dict[str, str] = environment["versions"]  # type: ignore[assignment]  # as described
    absent = [name for name in _REQUIRED if versions[name] == "missing"]
    if as_json:
        shown = {**environment, "runtimes": [vars(state) for state in states]}
        typer.echo(json.dumps(shown, indent=1))
        raise typer.Exit(EXIT_BROKEN if absent else EXIT_OK)
    from rich.table import Table
    from rich.text import Text

    from exportcheck.cli.console import console

    screen = console(no_color=no_color)
    platform = f"{environment['platform']} {environment['machine']}, Python {environment['python']}"
    screen.print(f"exportcheck {environment['exportcheck']} on {platform}\n", markup=False)
    table = Table("package", "version", box=None, pad_edge=False, header_style="bold")
    for name, found in versions.items():
        table.add_row(name, Text(found, style="red" if found == "missing" else ""))
    screen.print(table)
    screen.print()
    table = Table("runtime", "state", "for", "to do", box=None, pad_edge=False, header_style="bold")
    for state in states:
        style = _STYLES[state.state]
        table.add_row(state.name, Text(state.state, style), ", ".join(state.targets), state.advice)
    screen.print(table)
    if absent:
        screen.print(f"\nnothing can be checked: pip install {' '.join(absent)}", markup=False)
    raise typer.Exit(EXIT_BROKEN if absent else EXIT_OK)
