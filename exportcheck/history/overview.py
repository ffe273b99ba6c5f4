"""Whole families along a track: whether a function could be exported at all, and by which form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exportcheck.catalog import activations
from exportcheck.history.axes import axes
from exportcheck.history.statements import MARKS, State, state_of
from exportcheck.history.strips import Strip
from exportcheck.history.tracks import tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from exportcheck.history.runs import History, Run
    from exportcheck.history.tracks import Track


@dataclass(frozen=True)
class StandIn:
    """How a family stands by another form than its native one, which is of no use there.

    Attributes:
        state: in the page.
        mark: in a table.
        words: for people.
    """

    state: str
    mark: str
    words: str


INSTEAD = StandIn("form", "⇄", "the native form fails, another works")
BEFORE = StandIn("form-before", "↪", "the native form is not there yet, another works")
ALONE = StandIn(
    "form-alone", "◑", "the native form fails or is not there, another works alone only"
)
CONVERTED = StandIn(
    "form-converts", "◎", "the native form fails or is not there, another converts, was not run"
)
STAND_INS = {one.state: one for one in (INSTEAD, BEFORE, ALONE, CONVERTED)}
FAMILY_LEGEND = "  ".join(f"{one.mark} {one.words}" for one in STAND_INS.values())


@dataclass(frozen=True)
class Support:
    """How a family stood.

    Attributes:
        state: of its native form, or of a `StandIn`.
        forms: the others that stand in for it; empty where the native form is usable or none is.
    """

    state: str
    forms: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """In a table."""
        found = STAND_INS.get(self.state)
        return found.mark if found else MARKS[State(self.state)]


@dataclass(frozen=True)
class Overview:
    """Every family along one axis of a track.

    Attributes:
        name: of the track, with the axis where the track has several.
        strip: the track and the axis; it has no rows.
        rows: family -> its support in each run of the axis.
    """

    name: str
    strip: Strip
    rows: Mapping[str, tuple[Support | None, ...]]


def overviews(
    history: History, families: Sequence[str], keep: Callable[[Track], bool] = lambda _: True
) -> tuple[Overview, ...]:
    """The overview of each axis of each track; families that were never run in it are left out."""
    found = []
    for track in filter(keep, tracks(history.runs)):
        for number, axis in enumerate(axes(history, track)):
            rows = {
                family: tuple(support(run, family, track) for run in axis.runs)
                for family in families
            }
            name = track.name if number == 0 else f"{track.name}-{axis.fixed.replace(' ', '-')}"
            rows = {family: row for family, row in rows.items() if any(row)}
            found.append(Overview(name, Strip(track, axis, ()), rows))
    return tuple(found)


def support(run: Run, family: str, track: Track) -> Support | None:
    """How `family` stood; None where no form of it was run."""
    forms = [a for a in activations().values() if a.family == family]
    reference = next((a.name for a in forms if a.reference), None)
    native = state_of(run, reference, track) if reference else None
    if native and native.state.usable:
        return Support(native.state.value)
    states = {
        a.name: statement.state
        for a in forms
        if a.name != reference and a.form != "in-place"
        if (statement := state_of(run, a.name, track))
    }
    best = min(states.values(), key=list(State).index, default=None)
    if native is None:
        return Support(best.value) if best else None
    stand_in = _stand_in(native.state, best) if best else None
    if stand_in is None:
        return Support(native.state.value)
    names = (name for name, one in states.items() if _stand_in(native.state, one) is stand_in)
    return Support(stand_in.state, tuple(names))


def _stand_in(native: State, other: State) -> StandIn | None:
    """What it is called where `other` is in place of `native`; None where that is of no use."""
    if other.passes:
        return BEFORE if native is State.UNAVAILABLE else INSTEAD
    return {State.PARTIAL: ALONE, State.CONVERTS: CONVERTED}.get(other)
