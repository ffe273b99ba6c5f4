"""What `exportcheck check` found out, and what it finds out once the cases have run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer

from exportcheck.cli.console import console
from exportcheck.cli.proving import Stopped, prove, runs_of, with_proofs
from exportcheck.errors import BadModule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from exportcheck.cli.asked import Asked
    from exportcheck.cli.checking import CheckRequest, Workers
    from exportcheck.exhaustive.proof import Proof
    from exportcheck.results import Report


@dataclass
class Findings:
    """What is known so far; mappings are by the names of the rows.

    Attributes:
        report: the results.
        trouble: what ended the run early.
        facts: what was found out about each user's module before the cases ran.
        held: what became of each row beside the reference that was named.
        rewrites: what may stand in for each row that fails.
        reproduced: a line for each folder that was written.
        proofs: what every input came to.
    """

    report: Report
    trouble: BaseException | None
    facts: Mapping[str, Mapping[str, Any]]
    held: Mapping[str, Mapping[str, Any]]
    rewrites: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    reproduced: list[str] = field(default_factory=list)
    proofs: dict[str, Proof] = field(default_factory=dict)


def follow_up(
    request: CheckRequest, rows: Sequence[Asked], workers: Workers, found: Findings
) -> None:
    """Adds to `found` what was asked for beyond the cases; what an interrupt leaves is kept."""
    try:
        found.rewrites.update(_rewrites(request, rows, found.report, workers))
        found.reproduced.extend(_reproductions(request.repro, rows, found.report, workers))
        _try_every_input(request, rows, workers, found)
    except KeyboardInterrupt as interrupt:
        found.trouble = interrupt


def _rewrites(
    request: CheckRequest, rows: Sequence[Asked], report: Report, workers: Workers
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What may stand in for each row that fails; nothing where looking for it ends the worker."""
    for row in rows if request.rewrite else ():
        # Of a family, whose forms are each other's rewrites, only what was named itself.
        if not row.module and row.name != request.spec.spec:
            continue
        failed = [r for r in report.failures if r.case.activation == row.name]
        first = [r for r in failed if r.case.network == row.networks[0]]
        if not first:
            continue
        targets = list(dict.fromkeys(r.case.target for r in first))
        try:
            yield row.name, workers.rewrite(row.module, first[0].case, targets)
        except BadModule as refusal:
            typer.echo(f"exportcheck: no form was looked for: {refusal}", err=True)


def _reproductions(
    folder: Path | None, rows: Sequence[Asked], report: Report, workers: Workers
) -> Iterator[str]:
    """Writes a folder for each failing target of each row; says where, and what is in it."""
    if folder is None:
        return
    modules = {row.name: row.module for row in rows}
    seen: set[tuple[str, str]] = set()
    for result in report.failures:
        key = (result.case.activation, result.case.target)
        if key in seen:
            continue
        seen.add(key)
        inner = result.case.target if len(rows) == 1 else f"{key[0]}-{key[1]}"
        place = folder.resolve() / inner
        try:
            answer = workers.reproduce(modules[key[0]], result, place)
        except BadModule as refusal:
            yield f"{folder / inner}: not reproduced: {refusal}"
            continue
        what = f"{answer['path']} alone" if answer["path"] else "the module itself"
        do = "file ISSUE.md" if result.reportable else "ISSUE.md is for you: nobody to report it to"
        yield f"{folder / inner}: {what} fails the same way; run repro.py there, {do}"


def _try_every_input(
    request: CheckRequest, rows: Sequence[Asked], workers: Workers, found: Findings
) -> None:
    """Adds what every input came to, to the report too."""
    errors = console(no_color=request.no_color, err=True)
    try:
        for number, row in enumerate(rows if request.exhaustive else (), 1):
            if runs := runs_of(found.report.results, row.name, request.targets):
                title = f"{row.name}, {number} of {len(rows)}" if rows[1:] else row.name
                proof = prove(row, runs, workers, errors, request.timeout_s, title)
                found.proofs[row.name] = proof
    except Stopped as stop:
        found.proofs[row.name] = stop.proof
        found.trouble = stop
    except BadModule as refusal:
        found.trouble = refusal
    found.report = with_proofs(found.report, found.proofs)
