"""Shows a run under way: a live line with counts on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from rich.live import Live
from rich.text import Text

from exportcheck.escaping import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console, ConsoleOptions, RenderResult

    from exportcheck.results import Case, Result

PLAIN_INTERVAL_S = 20.0


class Progress:
    """An observer of `runner.run` that collects the results and shows how far they are.

    Attributes:
        results: in the order in which they came.
        known: how many of them were known before.

    Args:
        total: how many cases there will be.
        console: where to show it.
        verbose: print a line for every case as it ends.
    """

    def __init__(self, total: int, console: Console, *, verbose: bool = False) -> None:
        self.results: list[Result] = []
        self._total = total
        self._console = console
        self._verbose = verbose
        self.known = 0
        self._begun = time.monotonic()
        self._printed = self._begun
        self._running: dict[int, Case] = {}
        self._counts: Counter[str] = Counter()
        self._live = Live(self, console=console, transient=True, refresh_per_second=5)

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def recalled(self, results: Iterable[Result]) -> None:
        """These results are known already."""
        for result in results:
            self.results.append(result)
            self._count(result)
            self.known += 1

    def started(self, worker: int, case: Case) -> None:
        """Worker number `worker` begins `case`."""
        self._running[worker] = case

    def finished(self, worker: int, result: Result) -> None:
        """A case has its result."""
        self._running.pop(worker, None)
        self.results.append(result)
        self._count(result)
        if self._verbose:
            seconds = sum(result.durations_s.values())
            line = f"{result.status.value:<11} {result.id}  {seconds:.2f} s"
            line = f"{line}  {result.first_line}".rstrip()
            for shown in (line, *_verdict(result)):
                self._console.print(printable(shown), markup=False, soft_wrap=True)
        elif not self._console.is_terminal:
            self._print_plainly()

    def _count(self, result: Result) -> None:
        self._counts["failed" if result.status.failed else result.status.value] += 1

    def _print_plainly(self) -> None:
        now = time.monotonic()
        if now - self._printed >= PLAIN_INTERVAL_S:
            self._printed = now
            self._console.print(self._summary(), markup=False)

    def _summary(self) -> str:
        done = len(self.results)
        counts = ", ".join(f"{count} {name}" for name, count in sorted(self._counts.items()))
        return f"{done}/{self._total} cases, {counts or 'none finished'}{self._remaining()}"

    def _remaining(self) -> str:
        done, elapsed = len(self.results) - self.known, time.monotonic() - self._begun
        if not done:
            return ""
        seconds = int(elapsed / done * (self._total - len(self.results)))
        return f", {done / elapsed:.1f}/s, about {seconds // 60}:{seconds % 60:02d} left"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        done = len(self.results) / max(1, self._total)
        width = max(10, min(40, options.max_width - 60))
        filled = int(done * width)
        yield Text.assemble(
            ("━" * filled, "green"), ("━" * (width - filled), "dim"), f" {self._summary()}"
        )
        for worker, case in sorted(self._running.items()):
            line = f"  worker {worker}: {case.id}"
            yield Text(line, style="dim", overflow="ellipsis", no_wrap=True)


def _verdict(result: Result) -> Iterator[str]:
    """Who is to blame, and what that rests on, a line each; nothing where nobody is."""
    if result.blame is None:
        return
    yield f"    {result.blame.culprit.value}: {result.blame.text}"
    for evidence in result.blame.evidence:
        yield f"      {evidence.tried}: {evidence.found}"
    for operator in result.blame.operators:
        places = ", ".join(filter(None, (operator.module, operator.source)))
        yield f"      {operator.name}{f' in {places}' if places else ''}"


class Flushing:
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
        """Worker number `worker` begins `case`."""
        self._progress.started(worker, case)

    def finished(self, worker: int, result: Result) -> None:
        """A case has its result."""
        self._progress.finished(worker, result)
        if time.monotonic() >= self._due:
            self._flush_timed()

    def _flush_timed(self) -> None:
        begun = time.monotonic()
        self._flush()
        now = time.monotonic()
        self._due = now + 9 * (now - begun)
