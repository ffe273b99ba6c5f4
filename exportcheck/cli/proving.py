"""Tries every input, as `check --exhaustive` was asked: progress, stopping, resuming."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import typer
from rich import progress

from exportcheck.catalog import activations
from exportcheck.cli.delivery import write
from exportcheck.cli.progress import PLAIN_INTERVAL_S
from exportcheck.errors import BadModule, UsageError
from exportcheck.exhaustive import line
from exportcheck.exhaustive.drawing import draw, figures_to_json
from exportcheck.exhaustive.figures import figures_from_json
from exportcheck.exhaustive.journal import Journal
from exportcheck.exhaustive.proof import Outcome, Proof, joined
from exportcheck.exhaustive.sharing import Team
from exportcheck.results import Report, Stage, Status
from exportcheck.runner import default_jobs
from exportcheck.targets import targets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from rich.console import Console

    from exportcheck.cli.asked import Asked
    from exportcheck.results import Result
    from exportcheck.worker_process import WorkerProcess

PREPARE_S = 300.0
"""Seconds for all exports of one module."""


def must_be_elementwise(rows: Sequence[Asked], facts: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuses what cannot be tried on every input, before anything is checked.

    Raises:
        UsageError: a row is not elementwise, takes a range only, or stands in a network only.
    """
    for row in rows:
        known = activations().get(row.name)
        elementwise = facts[row.name]["elementwise"] if row.module else known and known.elementwise
        if "bare" not in row.networks:
            raise UsageError(
                f"--exhaustive: {row.name} in a network has more inputs than can be tried"
            )
        if row.module and any(given.low is not None for given in row.module.inputs):
            raise UsageError(
                f"--exhaustive tries every number, and --input has a range for {row.name}: omit it"
            )
        if row.module and (refused := facts[row.name]["refuses"]):
            raise UsageError(
                f"--exhaustive: {row.name} does not take every number: {refused}; only what takes "
                "NaN, infinities and the largest numbers can be tried on all of them"
            )
        if not elementwise:
            raise UsageError(
                f"--exhaustive: {row.name} is not elementwise; every input can be tried only where "
                "each output depends on one float input, at the same place"
            )


def runs_of(results: Sequence[Result], name: str, named: Sequence[str]) -> list[tuple[str, str]]:
    """Target and runtime of each case of a row that was run, computes in float32, and is real.

    Simulated runtimes only where their target was asked for by name: they take minutes.
    """
    found = []
    for result in results:
        case, target = result.case, targets().get(result.case.target)
        ran = result.stage is Stage.COMPARE and case.network == "bare" and case.activation == name
        if not ran or target is None or target.precision != "float32":
            continue
        simulated = any(r.simulated and r.name == case.runtime for r in target.runtimes)
        if not simulated or case.target in named:
            found.append((case.target, case.runtime))
    return found


class Workers(Protocol):
    """Lends worker processes."""

    def take(self) -> WorkerProcess:
        """An idle one, or a new one."""

    def give(self, worker: WorkerProcess) -> None:
        """Takes one back that is idle again."""


class Stopped(Exception):  # an event, not a mistake of anybody
    """A proof ended early; carries what was tried.

    Attributes:
        proof: of the pieces that are finished.
        refusal: why it cannot go on; None where the user has had enough.
        kept: whether what is finished is known next time.
    """

    def __init__(self, proof: Proof, refusal: BadModule | None, *, kept: bool) -> None:
        super().__init__()
        self.proof = proof
        self.refusal = refusal
        self.kept = kept


def prove(
    row: Asked,
    runs: Sequence[tuple[str, str]],
    workers: Workers,
    console: Console,
    timeout_s: float,
    title: str,
) -> Proof:
    """The proof of one row, from where an earlier one stopped.

    Args:
        row: an elementwise activation or module.
        runs: target and runtime of each.
        workers: lends workers, which are ended where the proof ends early.
        console: where progress is shown.
        timeout_s: after so many seconds without progress it is given up.
        title: of the progress.

    Raises:
        BadModule: every input cannot be tried after all; says why.
        Stopped: it ended early.
    """

    def prepare(worker: WorkerProcess) -> dict[str, Any]:
        return worker.prepare(row.module, row.name, runs, PREPARE_S)

    with Team(prepare, workers.take, workers.give, default_jobs()) as team:
        ready = team.ready()
        if not ready["runs"]:
            run, reason = next(iter(ready["refused"].items()))
            raise BadModule(f"{row.name}: no input can be tried by {run}: {reason}")
        facts = {"truth": ready["truth"], "refused": ready["refused"]}
        journal = Journal(ready["key"])
        waiting = [piece for piece in line.outward() if piece not in journal.pieces]
        try:
            with _Shown(console, title, len(waiting)) as shown:
                for piece, figures in team.prove(waiting, timeout_s):
                    journal.keep(piece, figures_from_json(figures))
                    shown.advance()
        except (KeyboardInterrupt, BadModule) as end:
            refusal = BadModule(f"{row.name}: {end}") if isinstance(end, BadModule) else None
            kept = bool(ready["key"]) and not journal.trouble
            raise Stopped(joined(journal.pieces, **facts), refusal, kept=kept) from None
        finally:
            journal.close()
            if journal.trouble:
                typer.echo(f"exportcheck: {journal.trouble}; it cannot be resumed", err=True)
    return joined(journal.pieces, **facts)


class _Shown:
    """A bar with the time left on a terminal, else a line now and then."""

    def __init__(self, console: Console, title: str, waiting: int) -> None:
        self._console = console
        self._title = title
        self._done = line.COUNT - waiting
        self._printed = time.monotonic()
        self._bar = progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        what = f"{title}: every float32 number"
        self._task = self._bar.add_task(what, total=line.COUNT, completed=self._done)

    def __enter__(self) -> _Shown:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def advance(self) -> None:
        """One more piece is finished."""
        self._done += 1
        self._bar.advance(self._task)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._printed >= PLAIN_INTERVAL_S:
            self._printed = now
            share = 100 * self._done // line.COUNT
            self._console.print(f"{self._title}: {share} % of every float32 number", markup=False)


def with_proofs(report: Report, proofs: Mapping[str, Proof]) -> Report:
    """The report with what every input came to: a fact of each case, a note where it is more."""
    results = []
    for result in report.results:
        proof = proofs.get(result.case.activation)
        name = f"{result.case.target}/{result.case.runtime}"
        run = proof.figures.runs.get(name) if proof and result.case.network == "bare" else None
        if proof is None or run is None:
            results.append(result)
            continue
        said = proof.sentence(run)
        actual = {**result.actual, "every_float32": said}
        outcome, note = proof.outcome(run), f"every float32: {said}"
        if outcome is Outcome.REFUTED:
            message = "; ".join(filter(None, (result.message, note)))
            result = replace(result, status=Status.MISMATCH, message=message)
        elif outcome is not Outcome.ULP:
            result = replace(result, notes=(*result.notes, note))
        results.append(replace(result, actual=actual))
    return replace(report, results=tuple(results))


def write_proofs(proofs: Mapping[str, Proof], folder: Path) -> None:
    """Writes each proof's figures and its drawing, `exhaustive-NAME.json` and `.svg`.

    Raises:
        EnvironmentBroken: they cannot be written.
    """
    for name, proof in proofs.items():
        stem = "".join(c if c.isalnum() or c in "-._" else "-" for c in name)
        write(folder / f"exhaustive-{stem}.json", figures_to_json(name, proof))
        write(folder / f"exhaustive-{stem}.svg", draw(name, proof))
