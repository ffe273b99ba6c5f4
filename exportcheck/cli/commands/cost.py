"""`exportcheck cost`: what the forms of a family cost, beside the native one."""

from __future__ import annotations

from typing import Annotated

import typer

from exportcheck.cli import options

TIMEOUT_S = 900.0


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("cost")(cost)


def cost(
    families: Annotated[
        list[str], typer.Argument(metavar="FAMILY...", help="Or a form's name, or `all`.")
    ],
    rounds: Annotated[
        int, typer.Option("--rounds", min=4, help="How often each form is timed.")
    ] = 200,
    file: options.CostFile = options.COST_FILE,
    no_color: options.NoColor = False,
) -> None:
    """Time a family's forms against its native one, in eager, libtorch and ONNX Runtime.

    Figures of the same family in the file are replaced. One thread, forms taking turns; nothing
    else should be running.
    """
    from exportcheck.catalog import activations
    from exportcheck.cli.console import console
    from exportcheck.cli.delivery import prepare, write
    from exportcheck.cli.measured import costs_in
    from exportcheck.explain.costs import machine, machine_text, to_text
    from exportcheck.explain.terminal import times_table
    from exportcheck.explain.times import lay_out
    from exportcheck.selection import family_named
    from exportcheck.worker_process import WorkerProcess

    known = list(dict.fromkeys(a.family for a in activations().values()))
    several = [f for f in known if sum(a.family == f for a in activations().values()) > 1]
    asked = several if families == ["all"] else list(dict.fromkeys(map(family_named, families)))
    costs = dict(costs_in(file) if file.exists() else {})
    prepare(file.parent, "--cost")
    screen = console(no_color=no_color)
    worker = WorkerProcess()
    try:
        for family in asked:
            costs[family] = {"machine": machine(), **worker.cost(family, rounds, TIMEOUT_S)}
            write(file, to_text(costs))
            screen.print(f"[bold]{family}[/bold]")
            times = lay_out(costs[family])
            screen.print(times_table(times))
            for form, runtime, shape, reason in times.refused:
                screen.print(f"{form}, {runtime}, {shape}: {reason}", markup=False, style="dim")
    finally:
        worker.close()
    screen.print(f"{machine_text(machine())}; in {file}", markup=False)
