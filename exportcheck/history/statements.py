"""What a run says of a form in a track: one state, decided by the best column, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from exportcheck.history.tracks import columns
from exportcheck.results import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exportcheck.history.runs import Column, Outcome, Run
    from exportcheck.history.tracks import Track

CONTROL = "relu"
"""Where not even this one passes, a cell speaks of the toolchain and not of the form."""


class State(str, Enum):
    """How a form stood, best first."""

    WORKS = "works"
    NOTED = "noted"
    PARTIAL = "partial"
    CONVERTS = "converts"
    WRONG = "wrong"
    FAILS = "fails"
    CRASHES = "crashes"
    BLOCKED = "blocked"
    UNAVAILABLE = "unavailable"

    @property
    def passes(self) -> bool:
        """Whether the form passes alone and between layers."""
        return self in (State.WORKS, State.NOTED)

    @property
    def works(self) -> bool:
        """Whether the bare form passes; between layers it may fail."""
        return self.passes or self is State.PARTIAL

    @property
    def usable(self) -> bool:
        """Whether the bare form passes, or was at least converted where nothing could run it."""
        return self.works or self is State.CONVERTS

    @property
    def failed(self) -> bool:
        """Whether this counts against the form; what was not run or not there does not."""
        return self in (State.WRONG, State.FAILS, State.CRASHES)


MARKS = {
    State.WORKS: "✓",
    State.NOTED: "~",
    State.PARTIAL: "◐",
    State.CONVERTS: "○",
    State.WRONG: "≠",
    State.FAILS: "✗",
    State.CRASHES: "☠",
    State.BLOCKED: "⊘",
    State.UNAVAILABLE: "–",
}

WORDS = {
    State.WORKS: "works",
    State.NOTED: "works, with a note",
    State.PARTIAL: "works alone, fails between layers",
    State.CONVERTS: "converts, was not run",
    State.WRONG: "wrong numbers",
    State.FAILS: "fails",
    State.CRASHES: "crashes or hangs",
    State.BLOCKED: "says nothing, ReLU fails there too",
    State.UNAVAILABLE: "not there yet",
}

_STATES = {
    Status.MISMATCH: State.WRONG,
    Status.ERROR: State.FAILS,
    Status.CRASH: State.CRASHES,
    Status.TIMEOUT: State.CRASHES,
    Status.UNAVAILABLE: State.UNAVAILABLE,
}


@dataclass(frozen=True)
class Statement:
    """How one form stood in one track of one run.

    Attributes:
        run: which.
        form: which.
        state: that of the best column.
        column: the best one, of equal ones that with the highest opset.
        outcome: of the first network in it.
        states: every column of the track that was run, with its own state.
        network: the first one that it was run in, bare where it was run so.
        between: network -> outcome, those that fail where the first one passes and ReLU does too.
    """

    run: Run
    form: str
    state: State
    column: Column
    outcome: Outcome
    states: Mapping[Column, State]
    network: str
    between: Mapping[str, Outcome]

    @property
    def troubles(self) -> Mapping[str, Outcome]:
        """What counts against the form: network -> outcome, of a pass those between layers."""
        if self.state.failed:
            return {self.network: self.outcome}
        return self.between if self.state is State.PARTIAL else {}


def state_of(run: Run, form: str, track: Track) -> Statement | None:
    """The statement; None where `form` was not run in any column of `track`."""
    found = [one for column in columns(run, track) if (one := _in_column(run, form, column))]
    if not found:
        return None
    order = list(State)
    best = min(reversed(found), key=lambda one: order.index(one.state))
    return replace(best, states={one.column: one.state for one in found})


def _in_column(run: Run, form: str, column: Column) -> Statement | None:
    outcomes = {
        network: outcome
        for network in run.networks(form)
        if (outcome := run.outcome(form, network, column)) is not None
    }
    if not outcomes:
        return None
    network, first = next(iter(outcomes.items()))
    between = {
        other: outcome
        for other, outcome in outcomes.items()
        if other != network and outcome.status.failed and _tells(run, other, column)
    }
    state = _state(first)
    if state.failed and form != CONTROL and not _tells(run, network, column):
        state = State.BLOCKED
    if state in (State.WORKS, State.NOTED) and between:
        state = State.PARTIAL
    return Statement(run, form, state, column, first, {column: state}, network, between)


def _state(outcome: Outcome) -> State:
    if outcome.converts:
        return State.CONVERTS
    if outcome.status is Status.PASS:
        return State.NOTED if outcome.notes else State.WORKS
    return _STATES[outcome.status]


def _tells(run: Run, network: str, column: Column) -> bool:
    """Whether what fails in `network` says something of the form: ReLU passes there."""
    control = run.outcome(CONTROL, network, column)
    return control is None or not control.status.failed
