"""Runs what `exportcheck all` was asked for, and brings home what is finished, come what may."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import typer

from exportcheck.cache import Cache, Keeping
from exportcheck.cli.console import console
from exportcheck.cli.delivery import (
    checked,
    chosen_by_itself,
    deliver,
    prepare,
    unheard,
    write,
)
from exportcheck.cli.gate import Gate, gate
from exportcheck.cli.progress import Progress
from exportcheck.content_key import content_keys
from exportcheck.environment import describe
from exportcheck.errors import (
    EXIT_BROKEN,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EnvironmentBroken,
)
from exportcheck.exporter_memo import SWITCH
from exportcheck.limitations_update import to_toml
from exportcheck.render import formats, junit, terminal
from exportcheck.results import Report
from exportcheck.runner import Observer, default_jobs, run
from exportcheck.selection import Selection, all_cases, choose, current_toolchain
from exportcheck.worker_process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from exportcheck.limitations import Limitation
    from exportcheck.module_spec import ModuleSpec
    from exportcheck.results import Case, Result


@dataclass(frozen=True)
class Request:
    """The options of `exportcheck all`."""

    selection: Selection
    jobs: int | None
    timeout_s: float
    strict: bool
    output: Path
    formats: Sequence[str]
    limitations: Path | None
    own_limitations: Sequence[Limitation]
    no_limitations: bool
    update_limitations: bool
    stock_exporters: bool
    use_cache: bool
    modules: Sequence[ModuleSpec]
    verbose: bool
    no_color: bool


def run_request(request: Request) -> int:
    """Checks the cases asked for, shows the matrix, writes the formats; returns the exit code.

    Raises:
        UsageError: something does not exist or does not fit together; nothing has run.
        EnvironmentBroken: the results cannot be written.
    """
    toolchain = current_toolchain()
    modules = {module.name: module for module in request.modules}
    chosen = choose(request.selection, all_cases(toolchain, modules=modules))
    names = checked(["json", *request.formats, *chosen_by_itself()])
    rules = gate(
        request.limitations,
        request.own_limitations,
        ignore=request.no_limitations,
        drafts=request.update_limitations,
    )
    rules = replace(rules, modules=tuple(modules))
    prepare(request.output, names=names)
    begun = time.monotonic()
    report = Report(())
    try:
        with unheard(names):
            progress, trouble = _run(request, chosen, names, rules)
            report = _report(progress.results, chosen)
            if request.update_limitations and trouble is None:
                rules = rules.updated(report, toolchain)
            report = rules.judged(report)
            _show(report, request, time.monotonic() - begun, progress.known)
    finally:
        # Whoever read the terminal may have gone (`| head`); what is finished is written anyway.
        if report.results:
            deliver(report, names, request.output)
    if request.update_limitations and trouble is None:
        _write_limitations(rules)
    if rules.remark:
        typer.echo(f"exportcheck: {rules.remark}", err=True)
    return _exit_code(trouble, report, len(chosen))


def _run(
    request: Request, chosen: Sequence[Case], names: Sequence[str], rules: Gate
) -> tuple[Progress, BaseException | None]:
    """The observer with the results, and what ended the run early: what is finished is kept."""
    errors = console(no_color=request.no_color, err=True)
    with Progress(len(chosen), errors, verbose=request.verbose) as progress:
        observer: Observer = progress
        if "junit" in names:
            path = request.output / junit.FILE_NAME
            observer = _Flushing(
                progress,
                lambda: write(path, junit.render(rules.judged(_report(progress.results, chosen)))),
            )
        try:
            with _without_known(request, chosen, progress, observer) as (fresh, observer):
                run(
                    fresh,
                    observer,
                    jobs=request.jobs,
                    timeout_s=request.timeout_s,
                    strict=request.strict,
                    modules={module.name: module for module in request.modules},
                    start_worker=partial(
                        WorkerProcess, environment={SWITCH: "1"} if request.stock_exporters else {}
                    ),
                )
        except (KeyboardInterrupt, EnvironmentBroken) as trouble:
            return progress, trouble
    return progress, None


@contextmanager
def _without_known(
    request: Request, chosen: Sequence[Case], progress: Progress, observer: Observer
) -> Iterator[tuple[Sequence[Case], Observer]]:
    """The cases that the cache has no result of, and an observer that puts theirs there."""
    if not request.use_cache:
        yield chosen, observer
        return
    keys = content_keys(chosen, strict=request.strict, toolchain=current_toolchain())
    cache = Cache()
    try:
        known = cache.recall(keys)
        progress.recalled(known.values())
        yield [case for case in chosen if case not in known], Keeping(observer, cache, keys)
    finally:
        cache.close()
        if cache.trouble:
            typer.echo(f"exportcheck: {cache.trouble}; nothing is lost but time", err=True)


class _Flushing:
    """Passes on what it is told, and has what is finished written down time and again.

    Begins with a file in which nothing is finished: one of an earlier run must not be taken for
    the outcome of this one. Writing takes no more than a tenth of the time.
    """

    def __init__(self, progress: Progress, flush: Callable[[], None]) -> None:
        self._progress = progress
        self._flush = flush
        self._due = 0.0
        self._flush_timed()

    def started(self, worker: int, case: Case) -> None:
        self._progress.started(worker, case)

    def finished(self, worker: int, result: Result) -> None:
        self._progress.finished(worker, result)
        if time.monotonic() >= self._due:
            self._flush_timed()

    def _flush_timed(self) -> None:
        begun = time.monotonic()
        self._flush()
        now = time.monotonic()
        self._due = now + 9 * (now - begun)


def _show(report: Report, request: Request, seconds: float, known: int) -> None:
    """Prints the matrix and what the run took."""
    screen = console(no_color=request.no_color)
    if report.results:
        screen.print(terminal.compose(report, screen.width))
    fresh = len(report.results) + len(report.unfinished) - known
    took = f"{seconds:.1f} s" if seconds < SHOWN_TENTHS_S else f"{seconds:.0f} s"
    by = f" with {min(request.jobs or default_jobs(), fresh)} workers" if fresh else ""
    reused = f", {known} of the results from the cache" if known else ""
    where = request.output / formats()["json"].FILE_NAME
    kept = f"; results in {where}" if report.results else ""
    screen.print(f"{took}{by}{reused}{kept}", markup=False)
    slow = _slowest(report.results) if fresh else ""
    if slow:
        screen.print(f"slowest: {slow}", markup=False)


SHOWN_SLOW = 3
SHOWN_TENTHS_S = 10


def _slowest(results: Sequence[Result]) -> str:
    """The cases that took longest, with their seconds; empty for a run of few."""
    if len(results) <= SHOWN_SLOW:
        return ""
    took = sorted(results, key=lambda r: -sum(r.durations_s.values()))[:SHOWN_SLOW]
    return ", ".join(f"{r.id} {sum(r.durations_s.values()):.1f} s" for r in took)


def _report(results: Sequence[Result], chosen: Sequence[Case]) -> Report:
    """The results in the order of the cases, however they finished, and the cases without one."""
    by_case = {result.case: result for result in results}
    return Report(
        tuple(by_case[case] for case in chosen if case in by_case),
        describe(),
        unfinished=tuple(case for case in chosen if case not in by_case),
    )


def _write_limitations(rules: Gate) -> None:
    if rules.path is None:
        return
    write(rules.path, to_toml(rules.file))
    typer.echo(
        f"exportcheck: wrote {rules.path} (limitations: {len(rules.file.limitations)}); look at "
        "the reasons, and name it with --limitations or in [tool.exportcheck] of pyproject.toml",
        err=True,
    )


def _exit_code(trouble: BaseException | None, report: Report, asked: int) -> int:
    """The exit code, after saying on stderr what ended the run early."""
    if trouble is None:
        return EXIT_OK if report.green else EXIT_FAILED
    if isinstance(trouble, KeyboardInterrupt):
        cause, code = "interrupted", EXIT_INTERRUPTED
    else:
        cause, code = str(trouble), EXIT_BROKEN
    done = len(report.results)
    typer.echo(f"exportcheck: {cause}; {done} of {asked} cases are finished and kept", err=True)
    return code
