"""Consoles that agree on colour and on what an output without a terminal gets."""

from __future__ import annotations

import os
import sys

from rich import console as rich_console

PIPED_WIDTH = 160
"""Columns of a table that nobody sees on a terminal: wide enough for the whole matrix."""


class Console(rich_console.Console):
    """A console whose reader may leave (`| head`) without that changing the exit code."""

    def on_broken_pipe(self) -> None:
        """Says no more; rich would end the program with 1, which means a new failure here."""
        self.quiet = True
        silence()


def silence() -> None:
    """Sends what is still written to stdout nowhere, or Python would complain as it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def console(*, no_color: bool = False, err: bool = False) -> Console:
    """A console on stdout or stderr; `NO_COLOR` in the environment counts as `no_color`."""
    stream = sys.stderr if err else sys.stdout
    terminal = stream.isatty()
    width = None if terminal or "COLUMNS" in os.environ else PIPED_WIDTH
    return Console(
        stderr=err,
        no_color=no_color or "NO_COLOR" in os.environ,
        color_system=None if no_color or "NO_COLOR" in os.environ else "auto",
        highlight=False,
        width=width,
    )
