"""Shares the pieces of the line among workers, as many as there are cores.

Processes, not threads: two threads were measured to wait so long for each other's Python that a
quarter of their time was lost.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from exportcheck.errors import BadModule, EnvironmentBroken
from exportcheck.exhaustive import line
from exportcheck.worker_pipe import WorkerDied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from exportcheck.worker_process import WorkerProcess

BATCH = 32
"""Pieces that a worker is asked for at once: a tenth of a second, so that all end together."""


class Team:
    """Workers that prepare the same proof, and then share what is to be tried.

    As a context it ends them all where it is left early; else they are idle afterwards.

    Args:
        prepare: has a worker make ready; its answer has `answers`, equal where functions are.
        take: starts or lends a worker.
        give: takes a worker back that is idle again.
        jobs: how many workers.
    """

    def __init__(
        self,
        prepare: Callable[[WorkerProcess], dict[str, Any]],
        take: Callable[[], WorkerProcess],
        give: Callable[[WorkerProcess], None],
        jobs: int,
    ) -> None:
        self._give = give
        self._events: queue.Queue[Any] = queue.Queue()
        self._waiting: deque[int] = deque()
        self._lanes = [
            _Lane(prepare, take, self._waiting, self._events) for _ in range(max(1, jobs))
        ]

    def __enter__(self) -> Team:
        for lane in self._lanes:
            lane.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._waiting.clear()
        for lane in self._lanes:
            if worker := lane.end(at_once=kind is not None):
                self._give(worker)

    def ready(self) -> dict[str, Any]:
        """What the first worker that is ready says.

        Raises:
            Exception: whatever a worker raises.
        """
        self._ready: dict[str, Any] = self._next()
        return self._ready

    def prove(self, pieces: Sequence[int], timeout_s: float) -> Iterator[tuple[int, Any]]:
        """The figures of each piece as it is finished, in no order.

        Args:
            pieces: the pieces.
            timeout_s: after so many seconds without one, a worker is ended.

        Raises:
            BadModule: it cannot be done, or a worker answers otherwise than the first.
            Exception: whatever else a worker raises.
        """
        self._waiting.extend(pieces)
        for lane in self._lanes:
            lane.begin(timeout_s)
        missing = len(pieces)
        while missing:
            event = self._next()
            if isinstance(event, tuple):
                missing -= 1
                yield event
            elif event["answers"] != self._ready["answers"]:
                raise BadModule(
                    "answers otherwise in another process: every input can be tried only of what "
                    "is the same function each time it is made"
                )

    def _next(self) -> Any:
        event = self._events.get()
        if isinstance(event, BaseException):
            raise event
        return event


class _Lane(threading.Thread):
    """Leads one worker."""

    def __init__(
        self,
        prepare: Callable[[WorkerProcess], dict[str, Any]],
        take: Callable[[], WorkerProcess],
        waiting: deque[int],
        events: queue.Queue[Any],
    ) -> None:
        super().__init__(daemon=True)
        self._prepare = prepare
        self._take = take
        self._waiting = waiting
        self._events = events
        self._timeout_s = 0.0
        self._begin = threading.Event()
        self._lock = threading.Lock()
        self._ended = self._prepared = False
        self._worker: WorkerProcess | None = None

    def begin(self, timeout_s: float) -> None:
        """Lets it take what is waiting."""
        self._timeout_s = timeout_s
        self._begin.set()

    def end(self, *, at_once: bool) -> WorkerProcess | None:
        """Its worker once that is idle; None for one that had to be ended, or is not there yet."""
        with self._lock:
            self._ended = True
            self._begin.set()
            worker = self._worker
            if worker is None:
                return None
            if at_once or not self._prepared:
                worker.kill()
                return None
        self.join()
        return worker

    def run(self) -> None:
        try:
            worker = self._start()
            self._begin.wait()
            while worker and (batch := self._batch()):
                worker = self._prove(worker, batch)
        except BaseException as error:  # the thread that asked raises it
            self._events.put(error)

    def _start(self) -> WorkerProcess | None:
        """A worker that is ready; None where the lane was ended meanwhile.

        Raises:
            EnvironmentBroken: two died before they were asked.
        """
        self._prepared = False
        for _ in range(2):
            if self._ended:
                return None
            worker = self._take()
            with self._lock:
                self._worker = worker
                if self._ended:
                    worker.kill()
                    return None
            try:
                self._events.put(self._prepare(worker))
            except WorkerDied:
                continue
            self._prepared = True
            return worker
        raise EnvironmentBroken("two workers in a row died idle; run `exportcheck doctor`")

    def _prove(self, worker: WorkerProcess, batch: list[int]) -> WorkerProcess | None:
        """Has a batch tried; the worker that did so in the end, for one that dies is replaced.

        Raises:
            BadModule: two in a row die of the same piece.
        """
        before = None
        while True:
            try:
                for found in worker.prove(list(batch), self._timeout_s):
                    batch.remove(found[0])
                    self._events.put(found)
                return worker
            except WorkerDied:
                if batch and batch[0] == before:
                    x = line.number(line.first_bits(before))
                    raise BadModule(
                        f"trying every input ends the process, twice, at numbers from {x:.9g} on"
                    ) from None
                before = batch[0] if batch else None
                fresh = self._start()
                if fresh is None or not batch:
                    return fresh
                worker = fresh

    def _batch(self) -> list[int]:
        """The next pieces; none where all are taken."""
        pieces: list[int] = []
        with contextlib.suppress(IndexError):
            while len(pieces) < BATCH:
                pieces.append(self._waiting.popleft())
        return pieces
