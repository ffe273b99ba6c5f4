"""Takes pieces of the line through eager, the float64 truth and the runtimes, on every core."""

from __future__ import annotations

import ctypes
import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from exportcheck.exhaustive import line
from exportcheck.exhaustive.figures import Figures, RunFigures
from exportcheck.exhaustive.gauge import Gauge, plain
from exportcheck.exhaustive.judging import Suspects, judge
from exportcheck.targets.interface import Run

if TYPE_CHECKING:
    import torch
    from torch import nn


CHUNK = 2**18
"""Numbers in one call. With fewer, threads wait for each other's Python: with 2^16 two of them were
measured to take twice as long. More gain nothing."""


@dataclass(frozen=True)
class Proving:
    """What is to be proved.

    Attributes:
        build: makes the module.
        load: makes each runtime's function, by `target/runtime`.
        shape: of the tensors to call them with.
        in_place: whether the module writes to its input.
        wide: whether it computes in float64 at all.
        largest: the largest finite number that eager is known to answer.
    """

    build: Callable[[], nn.Module]
    load: Mapping[str, Callable[[], Run]]
    shape: tuple[int, ...]
    in_place: bool
    wide: bool
    largest: float = 1.0


@dataclass
class Answers:
    """What all sides say to a chunk: float32 tensors, and the truth in float64 too."""

    x: torch.Tensor
    eager: torch.Tensor
    truth: torch.Tensor | None
    runs: Mapping[str, torch.Tensor]


class Prover:
    """One thread's share: modules, sessions and memory of its own.

    Args:
        proving: what is to be proved.
    """

    def __init__(self, proving: Proving) -> None:
        import torch

        self._torch = torch
        self._shape = proving.shape
        self.size = int(np.prod(proving.shape))
        self._in_place = proving.in_place
        self._largest = proving.largest
        self._module = proving.build()
        self._wide = proving.build().double() if proving.wide else None
        self._runs = {name: load() for name, load in proving.load.items()}
        self._offsets = torch.arange(self.size, dtype=torch.int32)
        self._x = torch.empty(self.size, dtype=torch.int32)
        self._rounded = torch.empty(self.size, dtype=torch.float32)
        # Views of both, made once: some calls a chunk add up.
        self._inputs, self._exact = self._x.numpy(), _bits(self._rounded)
        self._gauge = Gauge(self.size)

    def measure(self, piece: int) -> Figures:
        """All figures of a piece."""
        figures = Figures(runs={name: RunFigures() for name in self._runs})
        start, end = line.first_bits(piece), line.first_bits(piece + 1)
        for first in range(start, end, self.size):
            self._compare(self.answers(first), figures, min(self.size, end - first))
        return figures

    def answers(self, first: int) -> Answers:
        """What all sides say to the inputs from bit pattern `first` on."""
        signed = first - 2**32 if first >= 2**31 else first
        self._torch.add(self._offsets, signed, out=self._x)
        return self._answers()

    def answers_to(self, bits: np.ndarray) -> Answers:
        """What all sides say to these inputs, int32 bit patterns, `(size,)`."""
        self._x.copy_(self._torch.from_numpy(bits))
        return self._answers()

    def _answers(self) -> Answers:
        torch = self._torch
        with torch.no_grad():
            x = self._x.view(torch.float32).reshape(self._shape)
            given = x.clone() if self._in_place else x
            eager = self._module(given).reshape(-1)
            truth = None if self._wide is None else self._wide(x.double()).reshape(-1)
            arrays = (x.numpy(),)
            runs = {
                name: torch.from_numpy(run(arrays)[0]).reshape(-1)
                for name, run in self._runs.items()
            }
        return Answers(self._x, eager, truth, runs)

    def _compare(self, answers: Answers, figures: Figures, size: int) -> None:
        """Adds what the first `size` numbers of a chunk come to."""
        measure = self._gauge.measure
        x, eager = self._inputs[:size], _bits(answers.eager)[:size]
        if answers.truth is None:
            truth, off, near = None, None, plain(eager)
        else:
            self._rounded.copy_(answers.truth)
            truth = self._exact[:size]
            sure = plain(truth)
            off = measure(x, eager, truth, figures.eager.ulp, plain=sure)
            near = off.near or plain(eager)
            figures.eager.add(off.gap)
        for name, answer in answers.runs.items():
            actual, run = _bits(answer)[:size], figures.runs[name]
            beside = measure(x, actual, eager, run.eager.ulp, plain=near, count=True)
            run.eager.add(beside.gap)
            exact = None
            if off is not None and truth is not None:
                exact = off
                # Where the runtime's numbers are eager's own, so is their distance.
                if not beside.same or off.gap.ulp > run.truth.ulp:
                    exact = measure(x, actual, truth, run.truth.ulp, plain=sure)
                run.truth.add(exact.gap)
            if beside.suspects is not None:
                suspects = _suspects(answers, answer, beside.suspects)
                right = exact is not None and exact.near
                run.judged.add(judge(suspects, self._largest, exact=right))


def _bits(numbers: torch.Tensor) -> np.ndarray:
    bits: np.ndarray = numbers.numpy().view(np.int32)
    return bits


def _suspects(answers: Answers, answer: torch.Tensor, places: np.ndarray) -> Suspects:
    every = Suspects(
        answers.x.numpy().view(np.float32),
        answer.numpy(),
        answers.eager.numpy(),
        None if answers.truth is None else answers.truth.numpy(),
    )
    return every if places.size == len(every.x) else every.part(places)


def prove(
    proving: Proving, pieces: Sequence[int], jobs: int | None = None
) -> Iterator[tuple[int, Figures]]:
    """The figures of each piece as it is finished, in no order.

    Threads share the memory of all libraries, and what takes the time leaves Python's lock alone:
    two threads were measured to need no more processor time for a number than one.

    Raises:
        Exception: whatever the module or a runtime raises.
    """
    waiting = iter(pieces)
    lock = threading.Lock()
    done: queue.Queue[Any] = queue.Queue()

    def work() -> None:
        try:
            with lock:  # PyTorch loads one exported program at a time
                prover = Prover(proving)
            while True:
                with lock:
                    piece = next(waiting, None)
                if piece is None:
                    return
                done.put((piece, prover.measure(piece)))
        except Exception as error:  # the thread that asked raises it
            done.put(error)

    _keep_memory()
    count = min(jobs or default_jobs(), max(1, len(pieces)))
    threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for _ in pieces:
        answer = done.get()
        if isinstance(answer, Exception):
            raise answer
        yield answer
    for thread in threads:
        thread.join()


def _keep_memory() -> None:
    """Has glibc keep what is freed, instead of giving it back and getting it page by page again.

    A module of five operators else spends most of its time so: measured, 17.7 ns a number instead
    of 2.5. Elsewhere nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _NEVER)
        mallopt(_MMAP_THRESHOLD, _NEVER)


_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Source: mallopt(3)."""

_NEVER = 2**30


def default_jobs() -> int:
    """One thread for each core that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
