"""A case whose numbers differ, point by point: which are wrong, and what another way makes of them.

The points are those of every output of every input class that fails the case, one behind the other,
the most ordinary class first; a mask over them is a flat array of booleans.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Callable, Iterator, Mapping

import numpy as np

from exportcheck.compare import Tolerance, wrong_points
from exportcheck.inputs import InputClass
from exportcheck.judge import class_of, failing
from exportcheck.results import Comparison
from exportcheck.subject import Expected, Subject
from exportcheck.targets.interface import Arrays, Run, Runtime, Target

Answers = Mapping[str, Arrays]
"""What something answers to each failing input class, by its name."""


@dataclass(frozen=True)
class Mismatch:
    """A case whose numbers differ, with all it takes to ask for second opinions.

    Attributes:
        what: the activation in its network.
        inputs: the input classes it was run on.
        target: how it was exported.
        runtime: what ran it.
        path: the saved file.
        run: the loaded model.
        outputs: what it answered, by input class.
        comparisons: how that was judged.
        tolerance: by which.
    """

    what: Subject
    inputs: tuple[InputClass, ...]
    target: Target
    runtime: Runtime
    path: Path
    run: Run
    outputs: Answers
    comparisons: Mapping[str, Comparison]
    tolerance: Tolerance

    @cached_property
    def classes(self) -> tuple[InputClass, ...]:
        """The input classes that fail the case, the most ordinary first."""
        failed = {class_of(n) for n, c in self.comparisons.items() if c.gates and not c.close}
        return tuple(c for c in self.inputs if c.name in failed)

    def expected(self, given: InputClass) -> Expected:
        """What eager answers to a class."""
        return self.what.expected(self.target.precision)[given.name]

    def answers(self, run: Run) -> Answers:
        """What `run` answers to the failing classes."""
        return {given.name: given.through(run) for given in self.classes}

    @cached_property
    def failing(self) -> np.ndarray:
        """The points that are wrong."""
        return self.wrong(self.outputs)

    @cached_property
    def class_names(self) -> np.ndarray:
        """The name of each point's class."""
        sizes = [sum(e.size for e in self.expected(c).outputs) for c in self.classes]
        return np.repeat([c.name for c in self.classes], sizes)

    def wrong(self, answers: Answers) -> np.ndarray:
        """Where answers differ from eager's so that it fails the case."""
        return _flat(
            mask
            for c in self.classes
            for mask in failing(self.what, c, answers[c.name], self.expected(c), self.tolerance)
        )

    def repeated(self, answers: Answers) -> np.ndarray:
        """Where answers are the case's own, within tolerance."""
        return self._by_output(answers, self._alike)

    def eager_off(self) -> np.ndarray:
        """Where eager itself is not what float64 says; nowhere where that is not known."""
        masks = []
        for given in self.classes:
            expected = self.expected(given)
            inputs = given.values if self.what.elementwise else None
            for eager, truth in zip(expected.outputs, expected.truth):
                if truth is None or eager.dtype.kind != "f":
                    masks.append(np.zeros(eager.shape, bool))
                    continue
                with np.errstate(all="ignore"):  # too large for eager's type: rightly infinite
                    rounded = truth.astype(eager.dtype)
                masks.append(wrong_points(eager, rounded, self.tolerance, inputs=inputs))
        return _flat(masks)

    def nearer(self) -> np.ndarray:
        """Where the export is at least twice as near to float64 as eager is."""
        return self._by_output(self.outputs, _nearer)

    def batch_at(self, points: np.ndarray) -> Arrays:
        """The one batch of inputs with the point that differs most of some that are wrong."""
        error = np.where(points, self._by_output(self.outputs, _error), -1.0)
        place = int(np.argmax(error))
        for given in self.classes:
            for eager in self.expected(given).outputs:
                if place < eager.size:
                    row = int(np.unravel_index(place, eager.shape)[0]) if eager.ndim else 0
                    rows = given.rows_of(row)
                    return tuple(array[rows] for array in given.arrays)
                place -= eager.size
        raise ValueError("no such point")

    def _by_output(self, answers: Answers, judge: Callable[..., np.ndarray]) -> np.ndarray:
        """What `judge` makes of each output.

        It is given the answer, the export's own, eager's, and the truth.
        """
        found = []
        for given in self.classes:
            mine, own, expected = (
                answers[given.name],
                self.outputs[given.name],
                self.expected(given),
            )
            for index, eager in enumerate(expected.outputs):
                sides = (side[index] if index < len(side) else None for side in (mine, own))
                found.append(judge(*sides, eager, expected.truth[index]))
        return _flat(found)

    def _alike(
        self, mine: np.ndarray | None, own: np.ndarray | None, eager: np.ndarray, _: object
    ) -> np.ndarray:
        if mine is None or own is None or mine.shape != own.shape:
            return np.full(eager.shape, mine is own)
        rtol, atol = self.tolerance.rtol, self.tolerance.atol
        with np.errstate(all="ignore"):
            alike: np.ndarray = np.isclose(mine, own, rtol, atol, equal_nan=True)
        # Where the shape itself is wrong there are no points: it is repeated as a whole or not.
        return alike if own.shape == eager.shape else np.full(eager.shape, bool(alike.all()))


def _nearer(
    _: object, own: np.ndarray | None, eager: np.ndarray, truth: np.ndarray | None
) -> np.ndarray:
    if own is None or truth is None or own.shape != eager.shape or eager.dtype.kind != "f":
        return np.zeros(eager.shape, bool)
    with np.errstate(all="ignore"):
        nearer: np.ndarray = 2 * np.abs(own - truth) < np.abs(eager - truth)
    return nearer


def _error(_: object, own: np.ndarray | None, eager: np.ndarray, __: object) -> np.ndarray:
    """How far each number is off; what no subtraction can size is farthest."""
    if own is None or own.shape != eager.shape:
        return np.full(eager.shape, np.inf)
    with np.errstate(all="ignore"):
        error: np.ndarray = np.abs(own.astype(np.float64) - eager.astype(np.float64))
    return np.where(np.isfinite(error), error, np.inf)


def _flat(masks: Iterator[np.ndarray] | list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.ravel(mask) for mask in masks])
