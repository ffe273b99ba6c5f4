"""Runs what `exportcheck check` was asked for: looks at the module first, then checks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from exportcheck.cli import proof_text
from exportcheck.cli.answer import compose
from exportcheck.cli.asked import Asked, asked
from exportcheck.cli.console import console
from exportcheck.cli.delivery import checked, prepare, show
from exportcheck.cli.progress import Progress
from exportcheck.cli.proving import (
    Stopped,
    must_be_elementwise,
    prove,
    refuted,
    runs_of,
    with_proofs,
    write_proofs,
)
from exportcheck.environment import describe
from exportcheck.errors import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_OK,
    BadModule,
    EnvironmentBroken,
)
from exportcheck.results import Case, Report
from exportcheck.runner import run
from exportcheck.selection import current_toolchain, runnable
from exportcheck.worker_process import WorkerDied, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from exportcheck.exhaustive.proof import Proof
    from exportcheck.module_spec import ModuleSpec
    from exportcheck.results import Result


REDUCTION_S = 300.0
"""Seconds for reducing one case; the worker gives up by itself long before."""


@dataclass(frozen=True)
class CheckRequest:
    """The options of `exportcheck check`."""

    spec: ModuleSpec
    networks: Sequence[str]
    targets: Sequence[str]
    strict: bool
    timeout_s: float
    formats: Sequence[str]
    output: Path | None
    rewrite: bool
    reference: str
    repro: Path | None
    exhaustive: bool
    verbose: bool
    no_color: bool


def run_check(request: CheckRequest) -> int:
    """Checks the module, shows the answer, writes the formats; returns the exit code.

    Raises:
        UsageError: there is no such thing, or the module cannot be checked; says where.
        EnvironmentBroken: a worker cannot start, or the results cannot be written.
    """
    rows = asked(request.spec, request.networks)
    columns = runnable(request.targets)
    names = checked(request.formats)
    if request.repro:
        prepare(request.repro, "--repro")
    workers = _Workers(request.timeout_s)
    facts: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.module:
            inspected = [workers.inspect(row.module, network) for network in row.networks]
            facts[row.name] = inspected[0]
    if request.exhaustive:
        must_be_elementwise(rows, facts)
    toolchain = current_toolchain()
    held = _held(request, rows, workers)
    cases = [
        Case(row.name, network, target, runtime, toolchain)
        for row in rows
        for network in row.networks
        for target, runtime in columns
    ]
    report = _report(request, rows, cases, workers)
    rewrites = _rewrites(request, rows, report, workers) if request.rewrite else {}
    reproduced = list(_reproductions(request.repro, rows, report, workers)) if request.repro else []
    report, proofs, trouble = _tried(request, rows, report, workers)
    workers.close()
    screen = console(no_color=request.no_color)
    if request.output is None and names:
        show(report, names, None, screen)
    else:
        answer = compose(report, screen.width, facts, rewrites, held, verbose=request.verbose)
        screen.print(answer)
        for name, proof in proofs.items():
            screen.print("", *proof_text.compose(name, proof), sep="\n")
    if request.output is not None:
        show(report, names, request.output, screen)
        write_proofs(proofs, request.output)
    for line in reproduced:
        typer.echo(f"exportcheck: {line}", err=True)
    if isinstance(trouble, BadModule):
        raise trouble
    if trouble is not None:
        typer.echo("exportcheck: interrupted; the same command goes on from here", err=True)
        return EXIT_INTERRUPTED
    wrong = any(not f["training"]["gradient_right"] for f in facts.values() if "training" in f)
    wrong = wrong or any(one["refuted"] for one in held.values()) or refuted(proofs)
    return EXIT_FAILED if report.failures or wrong else EXIT_OK


class _Workers:
    """One worker at a time, for what is asked outside of the cases; the runner may take it over."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._idle: WorkerProcess | None = None

    def take(self) -> WorkerProcess:
        """The idle worker, or a new one."""
        worker, self._idle = self._idle or WorkerProcess(), None
        return worker

    def give(self, worker: WorkerProcess) -> None:
        """Takes a worker back that is idle again."""
        self._idle = worker

    def close(self) -> None:
        """Ends the idle worker."""
        if self._idle is not None:
            self._idle.close()

    def inspect(self, module: ModuleSpec, network: str) -> dict[str, Any]:
        """The facts of a module; a worker that was dead before it was asked is replaced."""
        return self._with(lambda worker: worker.inspect(module, network, self._timeout_s))

    def rewrite(self, module: ModuleSpec | None, case: Case, targets: list[str]) -> dict[str, Any]:
        """The forms that pass the failing targets."""
        # A form is exported by every target that fails: give it the time of as many cases.
        timeout_s = self._timeout_s * max(1, len(targets))
        return self._with(lambda worker: worker.rewrite(module, case, targets, timeout_s))

    def hold_against(self, reference: str, module: ModuleSpec | None, case: Case) -> dict[str, Any]:
        """Whether a module is what it claims to be."""
        return self._with(
            lambda worker: worker.hold_against(reference, module, case, self._timeout_s)
        )

    def reproduce(self, module: ModuleSpec | None, result: Result, folder: Path) -> dict[str, Any]:
        """Writes the folder of a failing case."""
        # Every submodule may be exported once, and that takes as long as it takes.
        timeout_s = self._timeout_s + REDUCTION_S
        return self._with(lambda worker: worker.reproduce(module, result, folder, timeout_s))

    def _with(self, ask: Any) -> dict[str, Any]:
        for _ in range(2):
            worker = self.take()
            try:
                answer: dict[str, Any] = ask(worker)
            except WorkerDied:
                continue
            except BadModule:
                worker.kill()
                raise
            self._idle = worker
            return answer
        raise EnvironmentBroken("two workers in a row died idle; run `exportcheck doctor`")


def _held(
    request: CheckRequest, rows: Sequence[Asked], workers: _Workers
) -> dict[str, dict[str, Any]]:
    """What becomes of each row beside the reference that was named; nothing without one."""
    if not request.reference:
        return {}
    return {
        row.name: workers.hold_against(
            request.reference, row.module, Case(row.name, row.networks[0], "", "", "")
        )
        for row in rows
    }


def _report(
    request: CheckRequest, rows: Sequence[Asked], cases: Sequence[Case], workers: _Workers
) -> Report:
    errors = console(no_color=request.no_color, err=True)
    with Progress(len(cases), errors, verbose=request.verbose) as progress:
        run(
            cases,
            progress,
            timeout_s=request.timeout_s,
            strict=request.strict,
            start_worker=workers.take,
            modules={row.name: row.module for row in rows if row.module},
        )
    by_case = {result.case: result for result in progress.results}
    return Report(tuple(by_case[case] for case in cases), describe())


def _tried(
    request: CheckRequest, rows: Sequence[Asked], report: Report, workers: _Workers
) -> tuple[Report, dict[str, Proof], Exception | None]:
    """The report with what every input came to, that itself, and what ended it early."""
    proofs: dict[str, Proof] = {}
    trouble: Exception | None = None
    errors = console(no_color=request.no_color, err=True)
    try:
        for row in rows if request.exhaustive else ():
            if runs := runs_of(report.results, row.name, request.targets):
                proofs[row.name] = prove(row, runs, workers, errors, request.timeout_s)
    except Stopped as stop:
        proofs[row.name] = stop.proof
        trouble = stop
    except BadModule as refusal:
        trouble = refusal
    return with_proofs(report, proofs), proofs, trouble


def _rewrites(
    request: CheckRequest, rows: Sequence[Asked], report: Report, workers: _Workers
) -> Mapping[str, Mapping[str, Any]]:
    """What may stand in for each row that fails; nothing where looking for it ends the worker."""
    found = {}
    for row in rows:
        # Of a family, whose forms are each other's rewrites, only what was named itself.
        if not row.module and row.name != request.spec.spec:
            continue
        failed = [r for r in report.failures if r.case.activation == row.name]
        first = [r for r in failed if r.case.network == row.networks[0]]
        if not first:
            continue
        targets = list(dict.fromkeys(r.case.target for r in first))
        try:
            found[row.name] = workers.rewrite(row.module, first[0].case, targets)
        except BadModule as refusal:
            typer.echo(f"exportcheck: no form was looked for: {refusal}", err=True)
    return found


def _reproductions(
    folder: Path, rows: Sequence[Asked], report: Report, workers: _Workers
) -> Iterator[str]:
    """Writes a folder for each failing target of each row; says where, and what is in it."""
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
        yield f"{folder / inner}: {what} fails the same way; run repro.py there, file ISSUE.md"
