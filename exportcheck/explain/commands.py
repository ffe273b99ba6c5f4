"""The command that measures again what a sentence says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exportcheck.history.runs import Column, Run


def reproduce(run: Run, form: str, column: Column, network: str = "bare") -> str:
    """`exportcheck all` for one cell of a history."""
    toolchain, _, package = run.toolchain.partition("+")
    more = f" --coremltools {package.removeprefix('coremltools-')}" if package else ""
    case = f"{form}/{network}/{column.target}/{column.runtime}/*"
    return f"exportcheck all --toolchain {toolchain}{more} --select '{case}' --output out"


def time_again(family: str) -> str:
    """`exportcheck cost` for a family."""
    return f"exportcheck cost {family}"
