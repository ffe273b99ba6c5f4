"""Takes pieces of the line through eager, the float64 truth and the runtimes."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exportcheck.exhaustive import line
from exportcheck.exhaustive.figures import Figures, RunFigures
from exportcheck.exhaustive.gauge import Gauge, Measured, plain
from exportcheck.exhaustive.judging import Suspects, judge
from exportcheck.targets.interface import Run

if TYPE_CHECKING:
    import torch
    from torch import nn


CHUNK = 2**18
"""Numbers in one call. With 2^16 Python's share was measured to be 6 % more; with 2^19 the arrays
outgrow a core's cache, which takes 10 % more."""


@dataclass(frozen=True)
class Proving:
    """What is to be proved.

    Attributes:
        build: makes the module.
        load: makes each runtime's function, by `target/runtime`.
        shape: of the tensors to call them with.
        in_place: whether the module writes to its input.
        wide: whether it computes in float64 at all.
    """

    build: Callable[[], nn.Module]
    load: Mapping[str, Callable[[], Run]]
    shape: tuple[int, ...]
    in_place: bool
    wide: bool


@dataclass
class Answers:
    """What all sides say to a chunk: float32 arrays `(size,)`, the truth in float64."""

    x: np.ndarray
    eager: np.ndarray
    truth: np.ndarray | None
    runs: Mapping[str, np.ndarray]


class Prover:
    """Takes chunks of the line through all sides, in memory that it keeps.

    Attributes:
        proving: what is to be proved.
        size: numbers in a chunk.
        largest: the largest finite number that eager is known to answer.
    """

    largest = 1.0

    def __init__(self, proving: Proving) -> None:
        import torch

        self._torch = torch
        self.proving = proving
        self.size = int(np.prod(proving.shape))
        self._module = proving.build()
        self._wide = proving.build().double() if proving.wide else None
        self._runs = {name: load() for name, load in proving.load.items()}
        self._offsets = np.arange(self.size, dtype=np.int32)
        self._given = torch.empty(proving.shape)
        self._array = self._given.numpy()
        self._x = self._array.reshape(-1)
        self._rounded = torch.empty(self.size).numpy()  # PyTorch's memory is aligned, NumPy's not
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
        np.add(self._offsets, signed, out=_bits(self._x))
        return self._answers()

    def answers_to(self, bits: np.ndarray) -> Answers:
        """What all sides say to these inputs, int32 bit patterns, `(size,)`."""
        _bits(self._x)[:] = bits
        return self._answers()

    def _answers(self) -> Answers:
        with self._torch.no_grad():
            given = self._given.clone() if self.proving.in_place else self._given
            eager = _flat(self._module(given))
            truth = None if self._wide is None else _flat(self._wide(self._given.double()))
        arrays = (self._array,)
        runs = {name: run(arrays)[0].reshape(-1) for name, run in self._runs.items()}
        return Answers(self._x, eager, truth, runs)

    def _compare(self, answers: Answers, figures: Figures, size: int) -> None:
        """Adds what the first `size` numbers of a chunk come to."""
        measure = self._gauge.measure
        x, eager, truth = _bits(answers.x)[:size], _bits(answers.eager)[:size], answers.truth
        off = None if truth is None else self._eager_off(x, eager, truth, figures)
        near = (off is not None and off.near) or plain(eager)
        for name, answer in answers.runs.items():
            actual, run = _bits(answer)[:size], figures.runs[name]
            beside = measure(x, actual, eager, run.eager.ulp, plain=near, count=True)
            run.eager.add(beside.gap)
            right = False
            if off is not None and truth is not None:
                # Where the runtime's numbers are eager's own, so is their distance.
                own = beside.same and off.gap.ulp <= run.truth.ulp
                exact = off if own else self._run_off(x, actual, truth, run, off, beside)
                run.truth.add(exact.gap)
                right = exact.near
            if beside.suspects is not None:
                suspects = _suspects(answers, answer, beside.suspects)
                run.judged.add(judge(suspects, self.largest, exact=right))

    def _eager_off(
        self, x: np.ndarray, eager: np.ndarray, truth: np.ndarray, figures: Figures
    ) -> Measured:
        """How far eager is from the truth; where near, `_rounded` holds the distances then."""
        _round(truth, self._rounded)
        exact = _bits(self._rounded)[: len(x)]
        off = self._gauge.measure(x, eager, exact, figures.eager.ulp, plain=plain(exact), keep=True)
        figures.eager.add(off.gap)
        return off

    def _run_off(
        self,
        x: np.ndarray,
        actual: np.ndarray,
        truth: np.ndarray,
        run: RunFigures,
        off: Measured,
        beside: Measured,
    ) -> Measured:
        """How far a runtime is from the truth: by way of eager, where that is near both."""
        exact = _bits(self._rounded)[: len(x)]
        if off.near:
            if beside.near:
                total = self._gauge.total(x, actual, exact, run.truth.ulp)
                if total is not None:
                    return total
            exact = np.empty_like(exact)
            _round(truth[: len(x)], exact.view(np.float32))
        return self._gauge.measure(x, actual, exact, run.truth.ulp, plain=plain(exact))


def _flat(numbers: torch.Tensor) -> np.ndarray:
    array: np.ndarray = numbers.numpy()
    return array.reshape(-1)


def _round(wide: np.ndarray, out: np.ndarray) -> None:
    """Float64 numbers to the nearest float32; what is too large becomes infinite."""
    with np.errstate(all="ignore"):
        np.copyto(out, wide, casting="same_kind")


def _bits(numbers: np.ndarray) -> np.ndarray:
    return numbers.view(np.int32)


def _suspects(answers: Answers, answer: np.ndarray, places: np.ndarray) -> Suspects:
    every = Suspects(answers.x, answer, answers.eager, answers.truth)
    return every if places.size == len(every.x) else every.part(places)


def keep_memory() -> None:
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
