"""The times of `exportcheck cost` laid out: forms down, runtimes and shapes across."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exportcheck.catalog import activations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONTROL = "native again"
"""The name under which the reference form was timed a second time."""

NOISE = 0.02
"""Even where the control spreads less, differences below this share are nobody's business."""


@dataclass(frozen=True)
class TimeCell:
    """One form in one runtime on one shape, beside the reference in the same rounds.

    Attributes:
        median: its time over the reference's, half of the rounds below it.
        q1: a quarter of the rounds is below it.
        q3: a quarter of the rounds is above it.
        differs: -1 for faster, 1 for slower, 0 where the control spreads as far.
    """

    median: float
    q1: float
    q3: float
    differs: int

    @property
    def text(self) -> str:
        """For example `1.8 (1.7–1.9)`."""
        return f"{_short(self.median)} ({_short(self.q1)}–{_short(self.q3)})"


@dataclass(frozen=True)
class Times:
    """Every figure there is of a family.

    Attributes:
        reference: the form that all others are timed against.
        heads: runtime, shape, and the reference's own microseconds, for each column.
        rows: form -> its cells, None where it could not be timed.
        refused: form, runtime, shape and reason of what could not be timed.
        saved: shape -> form -> bytes kept for backward.
    """

    reference: str
    heads: tuple[tuple[str, str, float], ...]
    rows: Mapping[str, tuple[TimeCell | None, ...]]
    refused: tuple[tuple[str, str, str, str], ...]
    saved: Mapping[str, Mapping[str, int]]


def lay_out(facts: Mapping[str, Any]) -> Times:
    """The figures of one family, as `costs.read_costs` gives them."""
    measurements = facts["measurements"]
    reference = facts["reference"]
    timed = {form for one in measurements for form in one["ratios"]} - {CONTROL}
    known = list(activations())
    forms = sorted(timed, key=lambda form: (form not in known, form in known and known.index(form)))
    return Times(
        reference,
        tuple(
            (one["runtime"], shape_text(one["shape"]), one["median_us"][reference])
            for one in measurements
        ),
        {
            form: tuple(_cell(one["ratios"], form) for one in measurements)
            for form in (*forms, CONTROL)
        },
        tuple(
            (one["form"], one["runtime"], shape_text(one["shape"]), one["reason"])
            for one in facts["refused"]
        ),
        {shape_text(one["shape"]): one["bytes"] for one in facts["saved"]},
    )


def _cell(ratios: Mapping[str, Mapping[str, float]], form: str) -> TimeCell | None:
    if form not in ratios:
        return None
    ratio, control = ratios[form], ratios[CONTROL]
    noise = max(NOISE, abs(control["q1"] - 1), abs(control["q3"] - 1))
    differs = 0
    if form != CONTROL:
        differs = (ratio["q1"] > 1 + noise) - (ratio["q3"] < 1 - noise)
    return TimeCell(ratio["median"], ratio["q1"], ratio["q3"], differs)


def _short(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 9.95 else f"{ratio:.0f}"


def shape_text(shape: Sequence[int]) -> str:
    """For example `1x64x80x80`."""
    return "x".join(map(str, shape))
