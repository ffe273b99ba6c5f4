"""Which cells a benchmark takes: all of the matrix, or every n-th activation in its network."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from exportcheck.selection import all_cases, current_toolchain, runnable

if TYPE_CHECKING:
    from exportcheck.results import Case


def cells(share: int = 1) -> list[Case]:
    """The cases of every `share`-th activation and network; runtimes that are not here left out.

    A share has the same mix of targets and nearly that of activations as the whole.
    """
    here = set(runnable(()))
    cases = [c for c in all_cases(current_toolchain()) if (c.target, c.runtime) in here]
    batches = [list(batch) for _, batch in groupby(cases, lambda c: (c.activation, c.network))]
    return [case for batch in batches[::share] for case in batch]


def selects(cases: list[Case]) -> list[str]:
    """The options of `exportcheck all` for these cases."""
    names = dict.fromkeys(f"{case.activation}/{case.network}/*" for case in cases)
    runtimes = dict.fromkeys(f"*/{case.target}/{case.runtime}/*" for case in cases)
    skipped = [f"*/{t}/{r}/*" for t, r in _columns() if f"*/{t}/{r}/*" not in runtimes]
    options = [word for name in names for word in ("--select", name)]
    return options + [word for name in skipped for word in ("--skip", name)]


def _columns() -> list[tuple[str, str]]:
    from exportcheck.targets import targets

    return [(t.name, r.name) for t in targets().values() for r in t.runtimes]
