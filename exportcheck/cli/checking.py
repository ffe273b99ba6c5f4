"""Runs what `exportcheck check` was asked for: looks at the module first, then checks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from exportcheck.cli.answer import compose
from exportcheck.cli.asked import Asked, asked
from exportcheck.cli.console import console
from exportcheck.cli.delivery import checked, prepare, show
from exportcheck.cli.ending import ended_early
from exportcheck.cli.progress import Progress
from exportcheck.environment import describe
from exportcheck.errors import EXIT_FAILED, EXIT_OK, BadModule, EnvironmentBroken
from exportcheck.results import Case, Report
from exportcheck.runner import run
from exportcheck.selection import current_toolchain, runnable
from exportcheck.worker_process import WorkerDied, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

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
    workers = _Workers(request.timeout_s)
    facts: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.module:
            inspected = [workers.inspect(row.module, network) for network in row.networks]
            facts[row.name] = inspected[0]
    toolchain = current_toolchain()
    held = _held(request, rows, workers)
    cases = [
        Case(row.name, network, target, runtime, toolchain)
        for row in rows
        for network in row.networks
        for target, runtime in columns
    ]
    report, trouble = _report(request, rows, cases, workers)
    rewrites: dict[str, Mapping[str, Any]] = {}
    reproduced: list[str] = []
    try:
        if trouble is None:
            rewrites.update(_rewrites(request, rows, report, workers))
            reproduced.extend(_reproductions(request.repro, rows, report, workers))
    except KeyboardInterrupt as interrupt:
        trouble = interrupt
    workers.close()
    if report.results or trouble is None:
        _show(request, names, report, facts, rewrites, held)
    for line in reproduced:
        typer.echo(f"exportcheck: {line}", err=True)
    if trouble is not None:
        return ended_early(trouble, report)
    wrong = any(not f["training"]["gradient_right"] for f in facts.values() if "training" in f)
    wrong = wrong or any(one["refuted"] for one in held.values())
    return EXIT_FAILED if report.failures or wrong else EXIT_OK


def _show(
    request: CheckRequest,
    names: Sequence[str],
    report: Report,
    facts: Mapping[str, Mapping[str, Any]],
    rewrites: Mapping[str, Mapping[str, Any]],
    held: Mapping[str, Mapping[str, Any]],
) -> None:
    """Prints the answer, or the formats in its place where there is no folder for them."""
    screen = console(no_color=request.no_color)
    if request.output is None and names:
        show(report, names, None, screen)
        return
    screen.print(compose(report, screen.width, facts, rewrites, held, verbose=request.verbose))
    if request.output is not None:
        show(report, names, request.output, screen)


class _Workers:
    """One worker at a time, for what is asked outside of the cases; the runner may take it over."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._idle: WorkerProcess | None = None

    def take(self) -> WorkerProcess:
        """The idle worker, or a new one."""
        worker, self._idle = self._idle or WorkerProcess(), None
        return worker

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
            except BaseException:  # it refuses, or Ctrl-C: whatever it is doing is not wanted
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


def _rewrites(
    request: CheckRequest, rows: Sequence[Asked], report: Report, workers: _Workers
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
    folder: Path | None, rows: Sequence[Asked], report: Report, workers: _Workers
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
        yield f"{folder / inner}: {what} fails the same way; run repro.py there, file ISSUE.md"
