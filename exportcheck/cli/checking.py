"""Runs what `exportcheck check` was asked for: looks at the module first, then checks it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import typer

from exportcheck.cli import proof_text
from exportcheck.cli.answer import compose
from exportcheck.cli.asked import Asked, asked
from exportcheck.cli.console import console
from exportcheck.cli.delivery import checked, prepare, show
from exportcheck.cli.ending import ended_early
from exportcheck.cli.findings import Findings, follow_up
from exportcheck.cli.progress import Progress
from exportcheck.cli.proving import Stopped, must_be_elementwise, write_proofs
from exportcheck.environment import describe
from exportcheck.errors import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_OK,
    BadModule,
    DiesTraced,
    EnvironmentBroken,
)
from exportcheck.results import Case, Report
from exportcheck.runner import run
from exportcheck.selection import current_toolchain, runnable
from exportcheck.worker_pipe import WorkerDied
from exportcheck.worker_process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from exportcheck.custom.module_spec import ModuleSpec
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
        EnvironmentBroken: no worker can start, or the results cannot be written.
    """
    rows = asked(request.spec, request.networks)
    columns = runnable(request.targets)
    names = checked(request.formats)
    if request.repro:
        prepare(request.repro, "--repro")
    workers = Workers(request.timeout_s)
    facts: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows):
        if row.module:
            rows[number], facts[row.name] = _inspected(row, row.module, workers)
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
    found = Findings(*_report(request, rows, cases, workers), facts, held)
    if found.trouble is None:
        follow_up(request, rows, workers, found)
    workers.close()
    if found.report.results or found.trouble is None:
        _show(request, names, found)
    for line in found.reproduced:
        typer.echo(f"exportcheck: {line}", err=True)
    return _exit_code(found)


def _inspected(row: Asked, module: ModuleSpec, workers: Workers) -> tuple[Asked, dict[str, Any]]:
    """The row and the facts of its module; one that dies of it is not traced before its export.

    Raises:
        BadModule: it cannot be checked.
    """
    try:
        first, *_ = [workers.inspect(module, network) for network in row.networks]
    except DiesTraced as death:
        module = replace(module, traced=False)
        first, *_ = [workers.inspect(module, network) for network in row.networks]
        first["notes"].append(str(death))
    return replace(row, module=module), first


def _exit_code(found: Findings) -> int:
    """The exit code, after saying on stderr what ended the run early.

    Raises:
        BadModule: every input was to be tried and cannot be.
    """
    if isinstance(found.trouble, BadModule):
        raise found.trouble
    if isinstance(found.trouble, Stopped):
        if found.trouble.refusal:
            raise found.trouble.refusal
        on = "; the same command goes on from here" if found.trouble.kept else ""
        typer.echo(f"exportcheck: interrupted{on}", err=True)
        return EXIT_INTERRUPTED
    if found.trouble is not None:
        return ended_early(found.trouble, found.report)
    trained = [facts["training"] for facts in found.facts.values() if "training" in facts]
    wrong = any(not training["gradient_right"] for training in trained)
    wrong = wrong or any(one["refuted"] for one in found.held.values())
    return EXIT_FAILED if found.report.failures or wrong else EXIT_OK


def _show(request: CheckRequest, names: Sequence[str], found: Findings) -> None:
    """Prints the answer, or the formats in its place where there is no folder for them."""
    screen = console(no_color=request.no_color)
    report = found.report
    if request.output is None and names:
        show(report, names, None, screen)
        return
    facts, rewrites, held = found.facts, found.rewrites, found.held
    screen.print(
        compose(
            report,
            screen.width,
            facts,
            rewrites,
            held,
            reproduced=request.repro is not None,
            verbose=request.verbose,
        )
    )
    for name, proof in found.proofs.items():
        screen.print("", *proof_text.compose(name, proof), sep="\n")
    if request.output is not None:
        show(report, names, request.output, screen)
        write_proofs(found.proofs, request.output)


class Workers:
    """Workers for what is asked outside of the cases; the runner may take them over."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._idle: list[WorkerProcess] = []

    def take(self) -> WorkerProcess:
        """An idle worker, or a new one."""
        try:
            return self._idle.pop()
        except IndexError:
            return WorkerProcess()

    def give(self, worker: WorkerProcess) -> None:
        """Takes a worker back that is idle again."""
        self._idle.append(worker)

    def close(self) -> None:
        """Ends the idle workers."""
        for worker in self._idle:
            worker.close()

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
            except BaseException:  # it refuses, or Ctrl-C: whatever it is doing is not wanted
                worker.kill()
                raise
            self.give(worker)
            return answer
        raise EnvironmentBroken("two workers in a row died idle; run `exportcheck doctor`")


def _held(
    request: CheckRequest, rows: Sequence[Asked], workers: Workers
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
    request: CheckRequest, rows: Sequence[Asked], cases: Sequence[Case], workers: Workers
) -> tuple[Report, BaseException | None]:
    """The results, and what ended the run early: what is finished is kept."""
    trouble: BaseException | None = None
    errors = console(no_color=request.no_color, err=True)
    with Progress(len(cases), errors, verbose=request.verbose) as progress:
        try:
            run(
                cases,
                progress,
                timeout_s=request.timeout_s,
                strict=request.strict,
                start_worker=workers.take,
                modules={row.name: row.module for row in rows if row.module},
            )
        except (KeyboardInterrupt, EnvironmentBroken) as error:
            trouble = error
    by_case = {result.case: result for result in progress.results}
    finished = tuple(by_case[case] for case in cases if case in by_case)
    unfinished = tuple(case for case in cases if case not in by_case)
    return Report(finished, describe(), unfinished=unfinished), trouble
