"""The catalogue: every file here ends in `ACTIVATIONS`; other packages add theirs."""

from __future__ import annotations

from functools import lru_cache

from exportcheck.catalog.interface import Activation
from exportcheck.discover import modules

__all__ = ["Activation", "activations"]


@lru_cache(maxsize=None)
def activations() -> dict[str, Activation]:
    """Every activation by name, families together, a family's reference first."""
    from exportcheck.plugins import plugged_activations

    found = [a for module in modules(__name__) for a in module.ACTIVATIONS]
    found += plugged_activations([a.name for a in found])
    first_seen: dict[str, int] = {}
    for index, activation in enumerate(found):
        first_seen.setdefault(activation.family, index)
    found.sort(key=lambda a: (first_seen[a.family], not a.reference))
    by_name = {a.name: a for a in found}
    if len(by_name) != len(found):
        raise ValueError("two activations of the catalogue have the same name")
    return by_name
