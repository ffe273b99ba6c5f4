"""Support as it was measured, toolchain by toolchain: which form works where, and since when.

`History` holds what the runs said, `statements` reads it as people ask: the state of a form in a
track, the ranges of versions in which it works, the first of them. Nothing is inferred: a cell that
was not run has no statement.
"""

from __future__ import annotations
