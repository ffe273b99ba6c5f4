"""What the history says of a family: where its native form failed, and what stood in for it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from exportcheck.explain.commands import reproduce
from exportcheck.explain.sentences import Sentence, listed, verb
from exportcheck.history.axes import versions_text
from exportcheck.history.statements import WORDS, State
from exportcheck.history.tracks import option

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exportcheck.history.statements import Statement
    from exportcheck.history.strips import Row, Strip


def usable(statement: Statement | None) -> bool:
    """Whether a form passed, or at least was converted where nothing could run it."""
    return statement is not None and (
        statement.state.works or statement.state is State.CONVERTS
    )


def needed(strip: Strip, reference: str) -> tuple[Sentence, ...]:
    """Since when `reference` works on `strip`, and before that what worked in its place.

    Empty where the reference was not run there.
    """
    rows = {row.form: row for row in strip.rows}
    native = rows.pop(reference, None)
    if native is None:
        return ()
    stand_ins = [row for row in rows.values() if row.kind not in ("native", "in-place")]
    return (*_without(strip, native, stand_ins), *_since(strip, native))


def _without(strip: Strip, native: Row, stand_ins: Sequence[Row]) -> Iterator[Sentence]:
    """A sentence for each stretch of runs in which the native form does not work."""

    def standing(place: int) -> tuple[State | None, tuple[str, ...]]:
        statement = native.statements[place]
        if statement is None or usable(statement):
            return (None, ())
        working = tuple(row.form for row in stand_ins if usable(row.statements[place]))
        return (statement.state, working)

    for (state, working), places in groupby(range(len(strip.axis.runs)), standing):
        if state is None:
            continue
        some = list(places)
        versions = versions_text(strip.axis, [strip.axis.runs[place] for place in some])
        text = f"{_on(strip)} {versions}: {native.form} {_fails(state)}"
        if working:
            text += f"; {listed(working)} {verb(working, _did(stand_ins, working, some[-1]))}"
        elif stand_ins:
            text += ", and no other form works either"
        last = native.statements[some[-1]]
        assert last is not None  # noqa: S101  # its state is not
        yield Sentence(f"{text}.", reproduce(last.run, native.form, last.column))


def _did(rows: Sequence[Row], working: Sequence[str], place: int) -> str:
    """`work`, or `convert` where none of them was run."""
    found = [row.statements[place] for row in rows if row.form in working]
    return "work" if any(one and one.state.works for one in found) else "convert"


def _since(strip: Strip, native: Row) -> Iterator[Sentence]:
    """From which version on the native form works, if the newest run has it work."""
    since: Statement | None = None
    measured = [one for one in native.statements if one is not None]
    for statement in reversed(measured):
        if not usable(statement):
            break
        since = statement
    if since is None:
        return
    command = reproduce(since.run, native.form, since.column)
    word = "works" if since.state.works else "converts"
    if since is measured[0]:
        runs = [one.run for one in measured]
        every = f"{versions_text(strip.axis, runs)}, {len(runs)} measured"
        yield Sentence(f"{_on(strip)} {every}: {native.form} {word} in all of them.", command)
        return
    label = strip.axis.label(since.run)
    yield Sentence(f"{_on(strip)} {label} and later: {native.form} {word} by itself.", command)


def _on(strip: Strip) -> str:
    fixed = f" on {strip.axis.fixed}" if strip.axis.fixed else ""
    return f"{strip.track.title}{fixed}, {strip.axis.package}"


def _fails(state: State) -> str:
    return {State.UNAVAILABLE: "does not exist yet", State.WRONG: "gives wrong numbers"}.get(
        state, WORDS[state]
    )


def failed(strips: Sequence[Strip]) -> tuple[Sentence, ...]:
    """Every failure there was, told once for each form and message, in the words of its day."""
    found: dict[tuple[str, str, str], list[tuple[Strip, list[Statement]]]] = {}
    for strip in strips:
        for row in strip.rows:
            for statement in row.statements:
                if statement is None or not statement.state.failed:
                    continue
                key = (row.form, strip.track.title, _words(statement))
                stretches = found.setdefault(key, [])
                if not stretches or stretches[-1][0] is not strip:
                    stretches.append((strip, []))
                stretches[-1][1].append(statement)
    return tuple(_told(*key, stretches) for key, stretches in found.items())


def _words(statement: Statement) -> str:
    return statement.outcome.message


def _told(
    form: str, track: str, quote: str, stretches: Sequence[tuple[Strip, Sequence[Statement]]]
) -> Sentence:
    where = "; ".join(
        f"{strip.axis.package} {_runs(strip, some)}"
        + (f" on {strip.axis.fixed}" if strip.axis.fixed else "")
        for strip, some in stretches
    )
    last = stretches[0][1][-1]
    stage = last.outcome.stage.value
    what = "wrong numbers" if last.state is State.WRONG else f"{WORDS[last.state]} at {stage}"
    text = f"{form}, {track}: {what} ({option(last.column)}) with {where}."
    return Sentence(text, reproduce(last.run, form, last.column), quote)


def _runs(strip: Strip, statements: Sequence[Statement]) -> str:
    """The versions, neighbours joined: `1.6.0 to 1.7.1, 2.1.2`."""
    places = [strip.axis.runs.index(one.run) for one in statements]
    parts = []
    for _, group in groupby(enumerate(places), lambda pair: pair[1] - pair[0]):
        some = [strip.axis.runs[place] for _, place in group]
        parts.append(versions_text(strip.axis, some))
    return ", ".join(parts)
