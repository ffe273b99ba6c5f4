"""A module that somebody wrote, its `forward` edited: each edit alone, then all that apply."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from exportcheck.rewrites.edits import edits
from exportcheck.rewrites.interface import Candidate
from exportcheck.rewrites.rewriting import edited
from exportcheck.rewrites.sources import forward_of

if TYPE_CHECKING:
    from torch import nn


class Edited:
    """The class with another `forward`."""

    def candidates(self, module: nn.Module) -> Iterator[Candidate]:
        """One candidate an edit, and one with all of them."""
        forward = forward_of(module)
        if forward is None:
            return
        applied = []
        for kind in edits():
            candidate = edited(forward, (kind,))
            if candidate is not None:
                applied.append(kind)
                yield candidate
        if len(applied) > 1:
            together = edited(forward, applied)
            if together is not None:
                yield together


RULES = (Edited(),)
