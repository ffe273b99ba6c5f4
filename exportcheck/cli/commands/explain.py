"""`exportcheck explain`: why a family's forms exist, and whether they are needed now."""

from __future__ import annotations

from typing import Annotated

import typer

from exportcheck.cli import options


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("explain")(explain)


def explain(
    family: Annotated[str, typer.Argument(metavar="FAMILY", help="Or the name of a form.")],
    form: options.TextFormat = None,
    output: options.TextOutput = None,
    history: options.HistoryFile = options.HISTORY_FILE,
    cost: options.CostFile = options.COST_FILE,
    no_color: options.NoColor = False,
) -> None:
    """Tell why a family's hand-written forms exist, what they cost, and if they are needed now.

    Every sentence comes from measurements in the history and the costs, with the command that
    repeats it; of what was not measured nothing is said.
    """
    from exportcheck.cli.console import console
    from exportcheck.cli.measured import costs_in, history_in, show_text
    from exportcheck.explain import explanation, html, markdown, terminal

    runs, costs = history_in(history), costs_in(cost)
    found = explanation.explain(family, runs, costs)
    screen = console(no_color=no_color)
    show_text(
        form,
        output,
        screen,
        {
            "terminal": lambda width: terminal.compose(found, width),
            "markdown": lambda _: markdown.render(found),
            "html": lambda _: html.render(runs, costs, [found.family]),
        },
    )
