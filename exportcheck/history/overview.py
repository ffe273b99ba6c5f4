"""Whole families along a track: whether a function could be exported at all, and by which form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exportcheck.catalog import activations
from exportcheck.history.axes import axes
from exportcheck.history.statements import state_of
from exportcheck.history.strips import Strip
from exportcheck.history.tracks import tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from exportcheck.history.runs import History, Run
    from exportcheck.history.tracks import Track

FORM = "form"
"""The state in which the native form fails and another form works."""

FORM_MARK = "⇄"


@dataclass(frozen=True)
class Support:
    """How a family stood: the state of its native form, or `FORM` and the forms that work."""

    state: str
    forms: tuple[str, ...] = ()


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
    others = {
        a.name: state_of(run, a.name, track)
        for a in forms
        if a.name != reference and a.form != "in-place"
    }
    working = tuple(name for name, one in others.items() if one and one.state.usable)
    if working:
        return Support(FORM, working)
    measured = native or next((one for one in others.values() if one), None)
    return Support(measured.state.value) if measured else None
