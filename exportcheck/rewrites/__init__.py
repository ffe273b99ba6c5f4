"""Other ways to write a module that does not export, each proved to be the same before it is shown.

One file a kind of rewrite: in `rules/` those that put another module in a module's place, in
`edits/` those that change the source of a `forward`.
"""

from __future__ import annotations

from exportcheck.rewrites.finding import find
from exportcheck.rewrites.interface import Proof, Refuted, Rewrite
from exportcheck.rewrites.pasting import joined
from exportcheck.rewrites.reference import same, same_as

__all__ = ["Proof", "Refuted", "Rewrite", "find", "joined", "same", "same_as"]
