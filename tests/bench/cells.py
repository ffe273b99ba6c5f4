"""Which cells a benchmark takes: all of the matrix, or every n-th activation in its network."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from exportcheck.selection import all_cases, current_toolchain

if TYPE_CHECKING:
    from exportcheck.results import Case


def cells(share: int = 1) -> list[Case]:
    """The cases of every `share`-th activation and network.

    A share has the same mix of targets and nearly that of activations as the whole.
    """
    cases = all_cases(current_toolchain())
    batches = [list(batch) for _, batch in groupby(cases, lambda c: (c.activation, c.network))]
    return [case for batch in batches[::share] for case in batch]


def selects(cases: list[Case]) -> list[str]:
    """The options of `exportcheck all` for these cases; none for all there are."""
    if cases == all_cases(current_toolchain()):
        return []
    names = dict.fromkeys(f"{case.activation}/{case.network}/*" for case in cases)
    return [word for name in names for word in ("--select", name)]
