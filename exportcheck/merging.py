"""Joins the reports of several machines into one, in which every cell says where it ran."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from exportcheck.differences import conflicts
from exportcheck.errors import UsageError
from exportcheck.results import Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exportcheck.results import Result

SHOWN_CONFLICTS = 3


def merge(reports: Mapping[str, Report]) -> Report:
    """One report of all results.

    A case that several reports have, with the same outcome and the same numbers up to noise, is
    kept once, where it stands first.

    Args:
        reports: by the name that a message calls each of them.

    Raises:
        UsageError: two reports say different things of one case.
    """
    machines = _machines(list(reports.values()))
    found: dict[str, tuple[str, Result]] = {}
    clashes: list[str] = []
    for source, report in reports.items():
        for result in report.results:
            first_source, first = found.setdefault(result.id, (source, result))
            if first is result:
                continue
            if conflicts(first, result):
                clashes.append(
                    f"{result.id} is {first.status.value} in {first_source} "
                    f"and {result.status.value} in {source}"
                )
    if clashes:
        more = len(clashes) - SHOWN_CONFLICTS
        rest = f", and {more} more" if more > 0 else ""
        raise UsageError(
            f"the reports contradict each other: {'; '.join(clashes[:SHOWN_CONFLICTS])}{rest}"
        )
    results = tuple(_placed(result, reports[source], machines) for source, result in found.values())
    every = reports.values()
    unfinished = dict.fromkeys(c for r in every for c in r.unfinished if c.id not in found)
    return Report(
        results,
        joined_environment(machines),
        tuple(unfinished),
        tuple(dict.fromkeys(pattern for r in every for pattern in r.stale)),
    )


def _machines(reports: Sequence[Report]) -> dict[str, dict[str, Any]]:
    """The environments of all reports, each once, by a name that tells it from the others."""
    machines: dict[str, dict[str, Any]] = {}
    for report in reports:
        for name, environment in report.machines.items():
            if environment in machines.values():
                continue
            base = name or machine_name(environment)
            number = 1
            while base in machines:
                number += 1
                base = f"{name or machine_name(environment)} ({number})"
            machines[base] = environment
    return machines


def machine_name(environment: Mapping[str, Any]) -> str:
    """For example `Darwin arm64`."""
    names = (str(environment.get(key, "")) for key in ("platform", "machine"))
    return " ".join(name for name in names if name) or "unknown machine"


def _placed(result: Result, report: Report, machines: Mapping[str, dict[str, Any]]) -> Result:
    """`result` with the name of its machine, none where there is only one."""
    environment = report.machines.get(result.machine, report.environment)
    name = next(name for name, known in machines.items() if known == environment)
    return replace(result, machine=name if len(machines) > 1 else "")


def joined_environment(machines: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The only environment there is; of several, what they have in common beside all of them."""
    first, *others = machines.values()
    if not others:
        return first
    common = {k: v for k, v in first.items() if all(o.get(k) == v for o in others)}
    return {**common, "machines": dict(machines)}
