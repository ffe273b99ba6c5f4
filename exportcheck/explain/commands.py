"""The command that measures again what a sentence says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exportcheck.history.runs import Column, Run

TEMPLATE = "exportcheck all --toolchain {toolchain} --select '{form}/bare/{column}/*' --output out"
"""For one cell of a history; the page fills it in too."""


def reproduce(run: Run, form: str, column: Column, network: str = "bare") -> str:
    """`exportcheck all` for one cell of a history."""
    command = TEMPLATE.format(toolchain=toolchain_options(run), form=form, column=column.name)
    return command.replace("/bare/", f"/{network}/")


def reproduce_all(run: Run, form: str) -> str:
    """`exportcheck all` for every column of a form, bare."""
    options = toolchain_options(run)
    return f"exportcheck all --toolchain {options} --select '{form}/bare/*' --output out"


def toolchain_options(run: Run) -> str:
    """What follows `--toolchain`, with the option for coremltools where the run has its own."""
    toolchain, _, package = run.toolchain.partition("+")
    more = f" --coremltools {package.removeprefix('coremltools-')}" if package else ""
    return f"{toolchain}{more}"


def time_again(family: str) -> str:
    """`exportcheck cost` for a family."""
    return f"exportcheck cost {family}"
