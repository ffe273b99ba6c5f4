"""Cases to results: keeps workers busy, replaces the dead, loses nothing that is finished."""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from exportcheck.errors import EnvironmentBroken
from exportcheck.results import Case, Result, Status
from exportcheck.worker_pipe import WorkerDied
from exportcheck.worker_process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from exportcheck.custom.module_spec import ModuleSpec

DEFAULT_TIMEOUT_S = 120.0


class Observer(Protocol):
    """Is told what happens, always from the thread that called `run`."""

    def started(self, worker: int, case: Case) -> None:
        """Worker number `worker` begins `case`."""

    def finished(self, worker: int, result: Result) -> None:
        """A case has its result."""


@dataclass(frozen=True)
class _Event:
    worker: int
    case: Case | None = None
    result: Result | None = None
    error: BaseException | None = None


def default_jobs() -> int:
    """One worker for each core that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(
    cases: Sequence[Case],
    observer: Observer,
    *,
    jobs: int | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    strict: bool = False,
    start_worker: Callable[[], WorkerProcess] = WorkerProcess,
    modules: Mapping[str, ModuleSpec] = MappingProxyType({}),
) -> None:
    """Checks every case and tells `observer` of each result, in the order they finish.

    Whatever ends this early, an interrupt included, ends the workers too; what the observer was
    told before stays true.

    Args:
        cases: what to check; neighbours of one activation and network share their work.
        observer: is told.
        jobs: how many workers; one for each core when absent.
        timeout_s: after so many seconds a case is given up and its worker replaced.
        strict: whether every input class gates, NaN, signed zeros and subnormals too.
        start_worker: makes a worker.
        modules: those activations of the cases that are a user's modules.

    Raises:
        EnvironmentBroken: a worker cannot start.
    """
    if not cases:
        return
    batches = deque(list(batch) for _, batch in groupby(cases, lambda c: (c.activation, c.network)))
    events: queue.Queue[_Event] = queue.Queue()
    count = max(1, min(jobs or default_jobs(), len(batches)))

    def ask(worker: WorkerProcess, case: Case) -> Result:
        module = modules.get(case.activation)
        return worker.check(case, timeout_s, strict=strict, module=module)

    lanes = [_Lane(number, batches, events, ask, start_worker) for number in range(count)]
    try:
        for lane in lanes:
            lane.start()
        unfinished = len(cases)
        while unfinished:
            event = events.get()
            if event.error is not None:
                raise event.error
            if event.case is not None:
                observer.started(event.worker, event.case)
            if event.result is not None:
                observer.finished(event.worker, event.result)
                unfinished -= 1
    finally:
        batches.clear()
        for lane in lanes:
            lane.stop()


class _Lane(threading.Thread):
    """Feeds one worker after another from the common queue of batches."""

    def __init__(
        self,
        number: int,
        batches: deque[list[Case]],
        events: queue.Queue[_Event],
        ask: Callable[[WorkerProcess, Case], Result],
        start_worker: Callable[[], WorkerProcess],
    ) -> None:
        super().__init__(daemon=True)
        self._number = number
        self._batches = batches
        self._events = events
        self._ask = ask
        self._start_worker = start_worker
        self._worker: WorkerProcess | None = None
        self._stopping = threading.Event()

    def run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    batch = self._batches.popleft()
                except IndexError:
                    break
                for case in batch:
                    self._events.put(_Event(self._number, case=case))
                    self._events.put(_Event(self._number, result=self._check(case)))
        except BaseException as error:  # the thread that called `run` raises it
            if not self._stopping.is_set():
                self._events.put(_Event(self._number, error=error))
        finally:
            if self._worker is not None:
                self._worker.close()

    def _check(self, case: Case) -> Result:
        """The result of `case`, by a second worker where the first was dead before it began."""
        for _ in range(2):
            if self._worker is None:
                self._worker = self._start_worker()
            if self._stopping.is_set():
                self._worker.kill()
            try:
                result = self._ask(self._worker, case)
            except WorkerDied:
                self._worker = None
                if self._stopping.is_set():
                    raise
                continue
            if result.status in (Status.CRASH, Status.TIMEOUT):
                self._worker = None
            return result
        raise EnvironmentBroken(
            f"two workers in a row died before they began {case.id}; run `exportcheck doctor`"
        )

    def stop(self) -> None:
        """Ends the worker; the case it has is given up."""
        self._stopping.set()
        if self._worker is not None and self.is_alive():
            self._worker.kill()
        self.join(timeout=5)
