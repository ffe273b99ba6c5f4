"""Neighbouring runs in which a family stood the same: its native form, and what did better."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from exportcheck.history.axes import versions_text
from exportcheck.history.statements import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exportcheck.history.statements import Statement
    from exportcheck.history.strips import Row, Strip


@dataclass(frozen=True)
class Stretch:
    """Runs of a strip with no other between them.

    Attributes:
        strip: whose runs.
        native: how the native form stood; a pass with a note is a pass.
        others: how the best of the hand-written forms stood, where that is better; else None.
        forms: those that stood so.
        alone: whether there is no hand-written form.
        statements: of the native form, one for each run.
    """

    strip: Strip
    native: State
    others: State | None
    forms: tuple[str, ...]
    alone: bool
    statements: tuple[Statement, ...]

    @property
    def last(self) -> Statement:
        """What is known of the newest run."""
        return self.statements[-1]

    @property
    def versions(self) -> str:
        """For example `torch 1.6.0 to 1.7.1`, `coremltools 4.1 on torch 1.7.1`."""
        axis = self.strip.axis
        fixed = f" on {axis.fixed}" if axis.fixed else ""
        return f"{axis.package} {versions_text(axis, [s.run for s in self.statements])}{fixed}"

    @property
    def where(self) -> str:
        """The track and the versions."""
        return f"{self.strip.track.title}, {self.versions}"


def stretches(strip: Strip, reference: str) -> tuple[Stretch, ...]:
    """Those of `reference`, oldest first; runs without it are in none."""
    rows = {row.form: row for row in strip.rows}
    native = rows.pop(reference, None)
    if native is None:
        return ()
    stand_ins = [row for row in rows.values() if row.kind not in ("native", "in-place")]

    def standing(place: int) -> tuple[State, State | None, tuple[str, ...]] | None:
        statement = native.statements[place]
        if statement is None:
            return None
        state = _plain(statement.state)
        return (state, *_better(stand_ins, place, state))

    return tuple(
        Stretch(
            strip,
            *stood,
            not stand_ins,
            tuple(filter(None, map(native.statements.__getitem__, places))),
        )
        for stood, places in groupby(range(len(strip.axis.runs)), standing)
        if stood
    )


def _plain(state: State) -> State:
    return State.WORKS if state is State.NOTED else state


def _better(rows: Sequence[Row], place: int, native: State) -> tuple[State | None, tuple[str, ...]]:
    """The best state of `rows` that is usable and better than `native`, and the forms in it."""
    order = list(State)
    found = {row.form: _plain(s.state) for row in rows if (s := row.statements[place])}
    best = min(found.values(), key=order.index, default=native)
    # What could not be run is neither better nor worse than what passes alone.
    limit = State.PARTIAL if native is State.CONVERTS else native
    if not best.usable or order.index(best) >= order.index(limit):
        return None, ()
    return best, tuple(form for form, state in found.items() if state is best)
