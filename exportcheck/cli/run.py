"""Runs what `exportcheck all` was asked for, and brings home what is finished, come what may."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import typer

from exportcheck.cache import Cache, Keeping
from exportcheck.catalog import activations
from exportcheck.cli.console import console
from exportcheck.cli.delivery import (
    checked,
    chosen_by_itself,
    deliver,
    prepare,
    unheard,
    write,
)
from exportcheck.cli.ending import ended_early, exit_code
from exportcheck.cli.environments import asked_environments, described
from exportcheck.cli.gate import Gate, gate
from exportcheck.cli.progress import Flushing, Progress
from exportcheck.content_key import content_keys
from exportcheck.errors import EnvironmentBroken, UsageError
from exportcheck.escaping import brief, printable
from exportcheck.exporter_memo import SWITCH
from exportcheck.limitations_update import to_toml
from exportcheck.render import formats, junit, terminal
from exportcheck.results import Report, Result, Stage, Status
from exportcheck.runner import Observer, default_jobs, run
from exportcheck.selection import Selection, all_cases, choose
from exportcheck.toolchains.installed import cure_of
from exportcheck.toolchains.workers import workers_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from exportcheck.custom.module_spec import ModuleSpec
    from exportcheck.environment import Environment
    from exportcheck.limitations import Limitation
    from exportcheck.results import Case


@dataclass(frozen=True)
class Request:
    """The options of `exportcheck all`."""

    selection: Selection
    toolchains: Sequence[str]
    coremltools: Sequence[str]
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
    environments = asked_environments(request.toolchains, request.coremltools)
    if request.update_limitations and environments[1:]:
        raise UsageError("--update-limitations is for one toolchain at a time")
    modules = {module.name: module for module in request.modules}
    chosen = choose(request.selection, _cases(environments, modules))
    names = checked(["json", *request.formats, *chosen_by_itself()])
    rules = gate(
        request.limitations,
        request.own_limitations,
        ignore=request.no_limitations,
        drafts=request.update_limitations,
        environments=environments,
    )
    rules = replace(rules, modules=tuple(modules))
    prepare(request.output, names=names)
    begun = time.monotonic()
    report = Report(())
    try:
        with unheard(names):
            progress, trouble = _run(request, environments, chosen, names, rules)
            report = _report(progress.results, chosen, environments)
            if request.update_limitations and trouble is None:
                rules = rules.updated(report, environments[0].toolchain)
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
    if trouble is not None:
        return ended_early(trouble, report)
    return exit_code(report)


def _cases(environments: Sequence[Environment], modules: Iterable[str]) -> list[Case]:
    """All cases of every environment; a user's modules are imported in this process's own only."""
    return [
        case
        for one in environments
        for case in all_cases(one.toolchain, modules=modules if one.versions is None else ())
    ]


def _run(
    request: Request,
    environments: Sequence[Environment],
    chosen: Sequence[Case],
    names: Sequence[str],
    rules: Gate,
) -> tuple[Progress, BaseException | None]:
    """The observer with the results, and what ended the run early: what is finished is kept."""
    errors = console(no_color=request.no_color, err=True)
    with Progress(len(chosen), errors, verbose=request.verbose) as progress:
        observer: Observer = progress
        so_far = partial(_report, progress.results, chosen, environments)
        if "junit" in names:
            path = request.output / junit.FILE_NAME
            observer = Flushing(
                progress,
                lambda: write(path, junit.render(rules.judged(so_far()))),
            )
        trouble: BaseException | None = None
        for environment in environments:
            cases = [case for case in chosen if case.toolchain == environment.toolchain]
            try:
                _run_in(environment, request, cases, progress, observer)
            except KeyboardInterrupt as interrupt:
                return progress, interrupt
            except EnvironmentBroken as broken:
                trouble = broken
                if environment.versions is None:
                    break
                name = environment.toolchain
                trouble = EnvironmentBroken(f"{name}: {broken}: {cure_of(name)}")
                _give_up(cases, progress, observer, str(broken))
    return progress, trouble


def _run_in(
    environment: Environment,
    request: Request,
    cases: Sequence[Case],
    progress: Progress,
    observer: Observer,
) -> None:
    """Checks the cases of one environment.

    Raises:
        EnvironmentBroken: a worker cannot start in it.
    """
    variables = {SWITCH: "1"} if request.stock_exporters else {}
    with (
        _without_known(environment, request, cases, progress, observer) as (fresh, keeping),
        workers_in(environment, variables) as start_worker,
    ):
        run(
            fresh,
            keeping,
            jobs=request.jobs,
            timeout_s=request.timeout_s,
            strict=request.strict,
            modules={module.name: module for module in request.modules},
            start_worker=start_worker,
        )


def _give_up(cases: Sequence[Case], progress: Progress, observer: Observer, reason: str) -> None:
    """Says of each case without a result that its toolchain cannot run here, and why."""
    finished = {result.case for result in progress.results}
    families = {name: activation.family for name, activation in activations().items()}
    for case in cases:
        if case not in finished:
            family = families.get(case.activation, "")
            observer.finished(0, Result(case, family, Status.UNAVAILABLE, Stage.BUILD, reason))


@contextmanager
def _without_known(
    environment: Environment,
    request: Request,
    chosen: Sequence[Case],
    progress: Progress,
    observer: Observer,
) -> Iterator[tuple[Sequence[Case], Observer]]:
    """The cases that the cache has no result of, and an observer that puts theirs there."""
    if not request.use_cache:
        yield chosen, observer
        return
    keys = content_keys(chosen, strict=request.strict, environment=environment)
    cache = Cache()
    try:
        known = cache.recall(keys)
        progress.recalled(known.values())
        yield [case for case in chosen if case not in known], Keeping(observer, cache, keys)
    finally:
        cache.close()
        if cache.trouble:
            typer.echo(f"exportcheck: {cache.trouble}; nothing is lost but time", err=True)


def _show(report: Report, request: Request, seconds: float, known: int) -> None:
    """Prints the matrix and what the run took."""
    screen = console(no_color=request.no_color)
    if report.results:
        screen.print(terminal.compose(report, screen.width))
    if report.unavailable:
        cause = printable(brief(report.unavailable[0].first_line))
        screen.print(f"unavailable: {cause}", markup=False)
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


def _report(
    results: Sequence[Result], chosen: Sequence[Case], environments: Sequence[Environment]
) -> Report:
    """The results in the order of the cases, however they finished, and the cases without one."""
    by_case = {result.case: result for result in results}
    report = Report(
        tuple(by_case[case] for case in chosen if case in by_case),
        unfinished=tuple(case for case in chosen if case not in by_case),
    )
    return described(report, environments)


def _write_limitations(rules: Gate) -> None:
    if rules.path is None:
        return
    write(rules.path, to_toml(rules.file))
    typer.echo(
        f"exportcheck: wrote {rules.path} (limitations: {len(rules.file.limitations)}); look at "
        "the reasons, and name it with --limitations or in [tool.exportcheck] of pyproject.toml",
        err=True,
    )
