"""Makes the runs of a history from the reports of `exportcheck all`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exportcheck.errors import UsageError
from exportcheck.escaping import brief
from exportcheck.history.runs import MISSING, ORDERING, Run, version_in
from exportcheck.history.tracks import track_of
from exportcheck.results import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from exportcheck.history.runs import History
    from exportcheck.results import Report, Result

MESSAGE_LIMIT = 240
"""Characters that a history keeps of what an exporter said."""

_ENVIRONMENT = ("exportcheck", "platform", "machine", "python")


def runs_of(report: Report, source: str) -> dict[str, dict[str, Any]]:
    """The runs in `report` by toolchain, as a history holds them.

    Args:
        report: of one machine for each toolchain.
        source: what a message calls it.

    Raises:
        UsageError: a toolchain ran on several machines, did not finish, never started, or its
            versions contradict each other.
    """
    if report.unfinished:
        left = len(report.unfinished)
        raise UsageError(f"{source}: {left} cases did not finish; run them again, then add it")
    grouped: dict[str, list[Result]] = {}
    for result in report.results:
        grouped.setdefault(result.case.toolchain, []).append(result)
    found = {}
    for name, results in grouped.items():
        place = f"{source}, {name}"
        found[name] = _run(results, _environment(report, results, place), place)
    return found


def _environment(report: Report, results: Sequence[Result], place: str) -> Mapping[str, Any]:
    machines = {result.machine for result in results}
    if len(machines) > 1:
        names = ", ".join(sorted(machines))
        raise UsageError(f"{place} ran on several machines ({names}); add the file of one of them")
    if all(result.status is Status.UNAVAILABLE for result in results):
        raise UsageError(f"{place}: nothing of it could run: {results[0].first_line}")
    return report.machines.get(machines.pop(), report.environment)


def added(
    history: History, runs: Mapping[str, Mapping[str, Any]], *, replace: bool
) -> tuple[History, list[str]]:
    """`history` with `runs`, and a line on each of them.

    Args:
        history: what there is.
        runs: of `runs_of`; each takes the place of the whole older run of its toolchain.
        replace: whether a run may take the place of one that it does not stand for: that has
            cells which it has not, or other versions.

    Raises:
        UsageError: cells would be lost or versions change, and `replace` is false.
    """
    lines = []
    for name, data in runs.items():
        new, old = Run(name, data), Run(name, history.data[name]) if name in history.data else None
        line = f"{name}: {counted(new.count, 'cell')}"
        if old:
            changes = _changes(old, new)
            if not replace:
                _check_replaces(new, old, changes)
            line += f" in place of older ones{f' ({changes})' if changes else ''}"
        lines.append(line)
    return history.with_runs(runs), lines


def counted(count: int, noun: str) -> str:
    """For example `1 cell`, `2 cells`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _check_replaces(new: Run, old: Run, changes: str) -> None:
    """Raises UsageError where `new` does not stand for `old`: other versions, or cells missing."""
    if changes:
        raise UsageError(
            f"{new.toolchain}: the new run has other versions ({changes}) than that of the "
            "history; to put it in its place, say --replace"
        )
    lost = old.cells - new.cells
    if lost:
        raise UsageError(
            f"{new.toolchain}: the history has {counted(len(lost), 'cell')} that the new run has "
            f"not, for example {min(lost)}; run them too, or say --replace"
        )


def _changes(old: Run, new: Run) -> str:
    """The versions that differ: `torch 2.13.0 → 2.12.0`."""
    names = sorted({*old.versions, *new.versions})
    pairs = [(n, old.versions.get(n, MISSING), new.versions.get(n, MISSING)) for n in names]
    return ", ".join(f"{name} {was} → {now}" for name, was, now in pairs if was != now)


class _Pool:
    """Values that occur more than once, each kept once, by the order in which they came."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[str, int] = {}

    def place(self, value: Any) -> int | None:
        """Where `value` is kept; None for whatever is empty."""
        if not value:
            return None
        key = repr(value)
        if key not in self._places:
            self._places[key] = len(self.values)
            self.values.append(value)
        return self._places[key]


def _run(results: Sequence[Result], environment: Mapping[str, Any], place: str) -> dict[str, Any]:
    columns = sorted({f"{r.case.target}/{r.case.runtime}" for r in results})
    pools = {name: _Pool() for name in ("outcomes", "operators", "mobile")}
    grouped: dict[str, list[Result]] = {}
    for result in sorted(results, key=lambda r: r.id):
        grouped.setdefault(result.case.activation, []).append(result)
    return {
        "environment": {k: str(environment[k]) for k in _ENVIRONMENT if k in environment},
        "versions": _versions(results, place),
        "columns": columns,
        "forms": {name: _form(found, columns, pools) for name, found in grouped.items()},
        **{name: pool.values for name, pool in pools.items()},
    }


def _versions(results: Iterable[Result], place: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for result in results:
        for name, version in result.versions.items():
            if found.setdefault(name, version) != version:
                raise UsageError(
                    f"{place} was run with {name} {found[name]} and with {version}; "
                    "a toolchain has one version of each package"
                )
    for package in ORDERING:
        try:
            version_in(found, package)
        except UsageError as error:
            raise UsageError(f"{place}, {error}") from error
    return dict(sorted(found.items()))


def _form(results: list[Result], columns: list[str], pools: Mapping[str, _Pool]) -> dict[str, Any]:
    """One form's facts; a list has a place in a pool for each column, null where nothing is."""
    cells: dict[str, list[int | None]] = {}
    facts: dict[str, Any] = {"family": results[0].family, "cells": cells}
    for result in results:
        at = columns.index(f"{result.case.target}/{result.case.runtime}")
        row = cells.setdefault(result.case.network, [None] * len(columns))
        row[at] = pools["outcomes"].place(_outcome(result))
        more = {}
        if result.case.network == "bare":
            if track_of(result.case.target).has_own_operators:
                more["operators"] = result.graph_ops.get("exported")
            if "saved_bytes" in result.training:
                facts["saved_bytes"] = result.training["saved_bytes"]
        if result.case.network == "conv":
            more["mobile"] = _mobile(result)
        for name, value in more.items():
            if value:
                facts.setdefault(name, [None] * len(columns))[at] = pools[name].place(value)
    return dict(sorted(facts.items()))


def _mobile(result: Result) -> dict[str, Any]:
    found = result.actual.get("mobile", {})
    return {} if "error" in found else found


def _outcome(result: Result) -> dict[str, Any]:
    kept: dict[str, Any] = {"stage": result.stage.value, "status": result.status.value}
    if result.max_error is not None:
        kept["max_error"] = float(f"{result.max_error:.0e}")
    if result.status is Status.PASS:
        # `largest: eager-off 192 of 4096: …` is told in two words.
        notes = sorted({" ".join(note.split()[:2]) for note in result.notes})
        if notes:
            kept["notes"] = notes
    elif result.first_line:
        kept["message"] = brief(result.first_line, MESSAGE_LIMIT)
    return dict(sorted(kept.items()))
