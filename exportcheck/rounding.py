"""How far a module's numbers may be off: as a multiple of what eager's own roundings come to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exportcheck.compare import Tolerance, tolerance_for
from exportcheck.subject import Expected, Subject

MARGIN = 8.0
"""Another order of additions may well be off by some times as much as eager's own."""

CEILINGS: dict[str, float] = {"float32": 1e-3, "float16": 5e-2}
"""Beyond these a difference is one, however badly conditioned the module is."""


def tolerance_of(what: Subject, precision: str) -> Tolerance:
    """The tolerance for a program of `precision`.

    A module of any depth is judged by its own float32 error against float64 on ordinary inputs,
    which is measured; never more strictly than the small networks.
    """
    if not what.is_module or what.network != "bare":
        return tolerance_for(precision, what.network)
    first = what.inputs(precision)[0]
    narrow = [a.dtype for a in first.arrays if a.dtype == np.float16]
    kind = "float16" if narrow else precision
    if what.elementwise:
        return tolerance_for(kind, "bare")
    base = tolerance_for(kind, "network")
    ratio = float(np.finfo(kind).eps / np.finfo(np.float32).eps)
    measured = _error(what.expected(precision)[first.name]) * ratio * MARGIN
    if not measured > base.atol:
        return base
    reason = f"{MARGIN:g} times eager's own rounding error, against float64, on {first.name} inputs"
    atol = min(measured, CEILINGS[kind])
    return replace(base, rtol=max(base.rtol, atol), atol=atol, reason=reason)


def _error(expected: Expected) -> float:
    """The largest |eager - float64| over the largest output, no less than 1; 0 if unknown."""
    errors = [0.0]
    for eager, truth in zip(expected.outputs, expected.truth):
        if truth is None or eager.dtype.kind != "f" or not eager.size:
            continue
        with np.errstate(all="ignore"):
            error = np.abs(eager - truth)
        known = np.isfinite(error)
        scale = max(1.0, float(np.abs(truth).max(initial=0.0, where=known)))
        errors.append(float(error.max(initial=0.0, where=known)) / scale)
    return max(errors)
