"""`exportcheck list`: what there is, from declarations alone; nothing heavy is imported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from exportcheck.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exportcheck.targets.interface import Runtime

app = typer.Typer(help="List activations, networks, targets or cases.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Adds the commands."""
    parent.add_typer(app, name="list")


@app.command("activations")
def list_activations(
    family: options.Family = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """The catalogue: every form of every family."""
    from exportcheck.catalog import activations

    rows = [
        {
            "name": a.name,
            "family": a.family,
            "form": a.form,
            "formula": a.formula,
            "module": a.module,
            "kwargs": a.kwargs,
            "networks": list(a.networks),
            "source": a.source,
        }
        for a in activations().values()
        if not family or a.family in family
    ]
    _show(rows, ("name", "family", "form", "formula", "source"), as_json, no_color)


@app.command("networks")
def list_networks(as_json: options.AsJson = False, no_color: options.NoColor = False) -> None:
    """The networks that activations are wrapped in."""
    from exportcheck.networks import EXAMPLE_SHAPES, NETWORKS

    rows = [
        {
            "name": name,
            "input": list(EXAMPLE_SHAPES[name]),
            "what": (wrap.__doc__ or "").partition("\n")[0],
        }
        for name, wrap in NETWORKS.items()
    ]
    _show(rows, ("name", "input", "what"), as_json, no_color)


@app.command("targets")
def list_targets(as_json: options.AsJson = False, no_color: options.NoColor = False) -> None:
    """The targets and what runs them here."""
    from exportcheck.targets import targets

    rows = [
        {
            "name": target.name,
            "precision": target.precision,
            "runtimes": [_runtime(r) for r in target.runtimes],
            "missing": {r.name: r.missing() for r in target.runtimes if r.missing()},
            "distributions": list(target.distributions),
        }
        for target in targets().values()
    ]
    _show(rows, ("name", "precision", "runtimes", "distributions"), as_json, no_color)


def _runtime(runtime: Runtime) -> str:
    """Its name and, of one that is not real, why not."""
    broken = getattr(runtime, "broken", "")
    return runtime.name + (" (simulated)" if runtime.simulated else f": {broken}" * bool(broken))


@app.command("cases")
def list_cases(
    select: options.Select = None,
    skip: options.Skip = None,
    family: options.Family = None,
    target: options.Target = None,
    network: options.Network = None,
    quick: options.Quick = False,
    toolchain: options.Toolchain = None,
    coremltools: options.Coremltools = None,
    as_json: options.AsJson = False,
) -> None:
    """The ids of the cases that `all` would check with the same options.

    From declarations alone: a toolchain that is named need not be installed.
    """
    from exportcheck.cli.environments import asked_names
    from exportcheck.selection import Selection, all_cases, choose

    chosen = choose(
        Selection(select or (), skip or (), family or (), target or (), network or (), quick),
        [
            case
            for name in asked_names(toolchain or (), coremltools or ())
            for case in all_cases(name)
        ],
    )
    ids = [case.id for case in chosen]
    typer.echo(json.dumps(ids, indent=1) if as_json else "\n".join(ids))


def _show(
    rows: Sequence[dict[str, Any]], columns: Sequence[str], as_json: bool, no_color: bool
) -> None:
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    from rich.table import Table

    from exportcheck.cli.console import console

    table = Table(box=None, pad_edge=False, header_style="bold")
    # A name is there to be copied: whatever the width, it stays whole.
    width = max((len(row[columns[0]]) for row in rows), default=0)
    table.add_column(columns[0], min_width=width, no_wrap=True)
    for column in columns[1:]:
        table.add_column(column)
    for row in rows:
        table.add_row(*(_text(row[column]) for column in columns))
    console(no_color=no_color).print(table, markup=False)


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
