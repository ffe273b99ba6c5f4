"""What was measured over some float32 numbers; adds up, and travels as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Tuple

Bits = Tuple[int, int, int]
"""A point as bit patterns of float32 numbers: the input, and what the two sides answer."""


@dataclass
class Gap:
    """How far two sides are apart.

    Attributes:
        ulp: the largest distance of two finite numbers, in float32 numbers from one to the other.
        at: where that is, of several the input nearest to zero; None where nothing differs.
        differ: how many finite numbers are not the same; counted beside eager only.
        nan: at how many inputs one side only is NaN.
        inf: at how many inputs one side is infinite, the other is a number and not the same.
        signs: at how many inputs the two are zeros of unlike sign.
    """

    ulp: int = 0
    at: Bits | None = None
    differ: int = 0
    nan: int = 0
    inf: int = 0
    signs: int = 0

    def add(self, other: Gap) -> None:
        """Takes in the figures of other inputs."""
        nearer = other.ulp == self.ulp and _nearer(other.at, self.at)
        if other.ulp > self.ulp or nearer:
            self.ulp, self.at = other.ulp, other.at
        self.differ += other.differ
        self.nan += other.nan
        self.inf += other.inf
        self.signs += other.signs

    def to_json(self) -> list[Any]:
        """A JSON array."""
        return [self.ulp, self.at, self.differ, self.nan, self.inf, self.signs]


def gap_from_json(data: list[Any]) -> Gap:
    """The figures that `Gap.to_json` wrote."""
    ulp, at, *counts = data
    return Gap(ulp, tuple(at) if at else None, *counts)


@dataclass
class Judged:
    """What a runtime's numbers are worth beside eager's, by the tolerance of the tool.

    Attributes:
        wrong: how many inputs that gate are wrong: normal numbers up to 1e30, and infinities.
        first: of those the one nearest to zero.
        kinds: kind of difference -> at how many inputs that gate.
        noted: the same for inputs that do not: zeros, subnormal, undefined, larger ones.
    """

    wrong: int = 0
    first: Bits | None = None
    kinds: dict[str, int] = field(default_factory=dict)
    noted: dict[str, int] = field(default_factory=dict)

    def add(self, other: Judged) -> None:
        """Takes in the figures of other inputs."""
        self.wrong += other.wrong
        if _nearer(other.first, self.first):
            self.first = other.first
        for mine, theirs in ((self.kinds, other.kinds), (self.noted, other.noted)):
            for kind, count in theirs.items():
                mine[kind] = mine.get(kind, 0) + count

    def to_json(self) -> list[Any]:
        """A JSON array."""
        return [self.wrong, self.first, self.kinds, self.noted]


def judged_from_json(data: list[Any]) -> Judged:
    """The figures that `Judged.to_json` wrote."""
    wrong, first, kinds, noted = data
    return Judged(wrong, tuple(first) if first else None, dict(kinds), dict(noted))


def _nearer(one: Bits | None, other: Bits | None) -> bool:
    """Whether the input of one point is nearer to zero; the positive one of two as near is."""
    if one is None or other is None:
        return one is not None
    return (one[0] & 0x7FFFFFFF, one[0]) < (other[0] & 0x7FFFFFFF, other[0])


@dataclass
class RunFigures:
    """A runtime's numbers beside eager's and beside the truth."""

    eager: Gap = field(default_factory=Gap)
    truth: Gap = field(default_factory=Gap)
    judged: Judged = field(default_factory=Judged)

    def add(self, other: RunFigures) -> None:
        """Takes in the figures of other inputs."""
        self.eager.add(other.eager)
        self.truth.add(other.truth)
        self.judged.add(other.judged)


@dataclass
class Figures:
    """Everything measured over some inputs.

    Attributes:
        eager: eager beside the float64 truth.
        runs: each runtime's, by `target/runtime`.
    """

    eager: Gap = field(default_factory=Gap)
    runs: dict[str, RunFigures] = field(default_factory=dict)

    def add(self, other: Figures) -> None:
        """Takes in the figures of other inputs."""
        self.eager.add(other.eager)
        for name, run in other.runs.items():
            self.runs.setdefault(name, RunFigures()).add(run)

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "eager": self.eager.to_json(),
            "runs": {
                name: [run.eager.to_json(), run.truth.to_json(), run.judged.to_json()]
                for name, run in self.runs.items()
            },
        }


def figures_from_json(data: dict[str, Any]) -> Figures:
    """The figures that `Figures.to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    runs = {
        name: RunFigures(gap_from_json(eager), gap_from_json(truth), judged_from_json(judged))
        for name, (eager, truth, judged) in data["runs"].items()
    }
    return Figures(gap_from_json(data["eager"]), runs)
