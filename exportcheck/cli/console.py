"""Consoles that agree on colour and on what an output without a terminal gets."""

from __future__ import annotations

import os
import sys
from functools import lru_cache

from rich.console import Console

PIPED_WIDTH = 160
"""Columns of a table that nobody sees on a terminal: wide enough for the whole matrix."""


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


@lru_cache(maxsize=None)
def plain_errors() -> Console:
    """The console for one-line remarks beside the result."""
    return console(err=True)
