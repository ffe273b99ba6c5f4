"""What changed between two reports, as a report of the changed cells."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from exportcheck.matrix import error_text
from exportcheck.results import Change, ChangeKind, Known, Report, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from exportcheck.results import Comparison, Result

FACTOR = 2.0
"""An error that grew or shrank by less is the same error."""


def difference(old: Report, new: Report) -> Report:
    """The cells of `new` that differ from `old`, with every change in words.

    A failure that was one in `old` counts as known and no other does, so that whoever renders or
    judges this report takes for new what is new.
    """
    before = {result.id: result for result in old.results}
    results: list[Result] = []
    changes: list[Change] = []
    for result in new.results:
        earlier = before.pop(result.id, None)
        found = list(_of_case(earlier, result))
        if found:
            changes += found
            results.append(replace(result, known=_known(earlier, result)))
    changes += (
        Change(ChangeKind.GONE, result.id, f"was {_state(result)}") for result in before.values()
    )
    changes += _of_environment(old.environment, new.environment)
    order = list(ChangeKind)
    changes.sort(key=lambda change: order.index(change.kind))
    return Report(tuple(results), new.environment, changes=tuple(changes))


def _known(earlier: Result | None, result: Result) -> Known | None:
    if not (result.status.failed and earlier and earlier.status.failed):
        return None
    return result.known or Known(result.id, f"it failed before: {_state(earlier)}")


def _of_case(earlier: Result | None, result: Result) -> Iterator[Change]:
    if earlier is None:
        kind = ChangeKind.NEW_FAILURE if result.status.failed else ChangeKind.ADDED
        yield Change(kind, result.id, f"{_state(result)}; there was no such case")
        return
    if change := _kind(earlier, result):
        yield Change(change, result.id, f"{_state(result)}; was {_state(earlier)}")
    yield from changes_of_figures(earlier, result)


def _kind(earlier: Result, result: Result) -> ChangeKind | None:
    """What a change of state is; None where the state is the same."""
    if (earlier.status, earlier.stage) == (result.status, result.stage):
        return None
    if result.status.failed:
        return ChangeKind.OTHER_FAILURE if earlier.status.failed else ChangeKind.NEW_FAILURE
    if result.status is Status.UNAVAILABLE:
        return ChangeKind.GONE
    return ChangeKind.FIXED if earlier.status.failed else ChangeKind.ADDED


def _state(result: Result) -> str:
    """`pass`, `error at export: its cause`."""
    if result.status is Status.PASS:
        return result.status.value
    cause = f": {result.first_line}" if result.first_line else ""
    return f"{result.status.value} at {result.stage.value}{cause}"


def conflicts(one: Result, other: Result) -> bool:
    """Whether two results of one case cannot both be right."""
    same = (one.status, one.stage) == (other.status, other.stage)
    return not same or any(changes_of_figures(one, other))


def changes_of_figures(earlier: Result, result: Result) -> Iterator[Change]:
    """Numbers beyond noise, and operators."""
    noise = float(result.tolerance.get("atol", 0.0))
    numbers = [
        f"{name}: {change}"
        for name, comparison in result.comparisons.items()
        if name in earlier.comparisons
        and (change := _of_numbers(earlier.comparisons[name], comparison, noise))
    ]
    if numbers:
        yield Change(ChangeKind.NUMBERS, result.id, "; ".join(numbers))
    operators = [
        f"{name}: {change}"
        for name, counts in result.graph_ops.items()
        if name in earlier.graph_ops and (change := _of_counts(earlier.graph_ops[name], counts))
    ]
    if operators:
        yield Change(ChangeKind.OPERATORS, result.id, "; ".join(operators))


def _of_numbers(earlier: Comparison, comparison: Comparison, noise: float) -> str:
    """`1e-07 -> 3e-03`; empty for a change within noise.

    Args:
        earlier: the older figures.
        comparison: the newer ones.
        noise: the absolute part of the tolerance, which is a few roundings of the precision: what
            differs by no more differs by the order of additions.
    """
    parts = []
    if _far_apart(earlier.max_error, comparison.max_error, noise):
        parts.append(f"{error_text(earlier.max_error)} -> {error_text(comparison.max_error)}")
    parts += (f"{kind} no more" for kind in sorted(set(earlier.kinds) - set(comparison.kinds)))
    parts += (f"{kind} now" for kind in sorted(set(comparison.kinds) - set(earlier.kinds)))
    return ", ".join(parts)


def _far_apart(one: float, other: float, noise: float) -> bool:
    """Whether two errors differ by more than `noise` explains; NaN differs from every number."""
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) != math.isnan(other)
    small, large = sorted((one, other))
    return large > noise and large > FACTOR * small


def _of_counts(earlier: Mapping[str, int], counts: Mapping[str, int]) -> str:
    """`Softplus 1 -> 0, Where 0 -> 1`."""
    return ", ".join(
        f"{name} {earlier.get(name, 0)} -> {counts.get(name, 0)}"
        for name in sorted({*earlier, *counts})
        if earlier.get(name, 0) != counts.get(name, 0)
    )


def _of_environment(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = dict(_flat(old)), dict(_flat(new))
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name, "nothing"), after.get(name, "nothing")
        if was != now:
            yield Change(ChangeKind.ENVIRONMENT, name, f"{was} -> {now}")


def _flat(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values of nested facts, without `versions` and `machines` in the names."""
    for name, value in facts.items():
        if isinstance(value, dict):
            outer = "" if name in ("versions", "machines") else f"{name} "
            yield from ((outer + inner, text) for inner, text in _flat(value))
        else:
            yield name, str(value)
