"""The kinds of change to the source of a `forward`: every file here ends in `EDITS`."""

from __future__ import annotations

from functools import lru_cache

from exportcheck.discover import modules
from exportcheck.rewrites.sources import Edit

__all__ = ["edits"]


@lru_cache(maxsize=None)
def edits() -> tuple[type[Edit], ...]:
    """Every edit there is."""
    return tuple(edit for module in modules(__name__) for edit in module.EDITS)
