"""What the history says of a family: where its native form failed, and what stood in for it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from exportcheck.explain.commands import reproduce, reproduce_all
from exportcheck.explain.sentences import Sentence, listed, verb
from exportcheck.history.axes import Axis, versions_text
from exportcheck.history.overview import usable
from exportcheck.history.statements import CONTROL, WORDS, State, state_of
from exportcheck.history.tracks import columns, option, tracks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from exportcheck.history.runs import History, Run
    from exportcheck.history.statements import Statement
    from exportcheck.history.strips import Row, Strip
    from exportcheck.history.tracks import Track

_FAILS = {State.UNAVAILABLE: "does not exist yet", State.WRONG: "gives wrong numbers"}


def needed(strip: Strip, reference: str) -> tuple[Sentence, ...]:
    """Since when `reference` works on `strip`, and before that what worked in its place.

    Empty where the reference works everywhere, or was not run.
    """
    rows = {row.form: row for row in strip.rows}
    native = rows.pop(reference, None)
    if native is None or all(one is None or usable(one) for one in native.statements):
        return ()
    stand_ins = [row for row in rows.values() if row.kind not in ("native", "in-place")]
    return (*_without(strip, native, stand_ins), *_since(strip, native))


def _without(strip: Strip, native: Row, stand_ins: Sequence[Row]) -> Iterator[Sentence]:
    """A sentence for each stretch of runs in which the native form does not work."""

    def standing(place: int) -> tuple[State | None, tuple[str, ...], str]:
        statement = native.statements[place]
        if statement is None or usable(statement):
            return (None, (), "")
        working = tuple(row.form for row in stand_ins if usable(row.statements[place]))
        return (statement.state, working, _did(stand_ins, working, place))

    for (state, working, did), places in groupby(range(len(strip.axis.runs)), standing):
        if state is None:
            continue
        some = list(places)
        versions = versions_text(strip.axis, [strip.axis.runs[place] for place in some])
        text = f"{_on(strip)} {versions}: {_stood(native.form, state)}"
        if working:
            text += f"; {listed(working)} {verb(working, did)}"
        elif stand_ins and state is not State.BLOCKED:
            text += ", and no other form works either"
        yield Sentence(f"{text}.", _again(native.statements[some[-1]]))


def _stood(form: str, state: State) -> str:
    if state is State.BLOCKED:
        return f"not even relu passes, which says nothing of {form}"
    return f"{form} {_FAILS.get(state, WORDS[state])}"


def _again(statement: Statement | None) -> str:
    if statement is None:
        return ""
    return reproduce(statement.run, statement.form, statement.column)


def _did(rows: Sequence[Row], working: Sequence[str], place: int) -> str:
    """`work`, or `convert` where none of them was run."""
    found = [row.statements[place] for row in rows if row.form in working]
    return "work" if any(one and one.state.works for one in found) else "convert"


def _since(strip: Strip, native: Row) -> Iterator[Sentence]:
    """From which version on the native form works, if the newest run has it work."""
    measured = [one for one in native.statements if one is not None]
    since: Statement | None = None
    for statement in reversed(measured):
        if not usable(statement):
            break
        since = statement
    if since is None:
        return
    later = "" if since is measured[-1] else " and later"
    word = "works" if since.state.works else "converts"
    label = strip.axis.label(since.run)
    yield Sentence(f"{_on(strip)} {label}{later}: {native.form} {word} by itself.", _again(since))


def _on(strip: Strip) -> str:
    fixed = f" on {strip.axis.fixed}" if strip.axis.fixed else ""
    return f"{strip.track.title}{fixed}, {strip.axis.package}"


def everywhere(history: History, forms: Sequence[str]) -> tuple[Sentence, ...]:
    """With which toolchains which of `forms` could be had in every main format at once.

    Only toolchains with a run of all of them count. Empty where there is none, and where the first
    form always could.
    """
    main = [track for track in tracks(history.runs) if track.main]
    if len(main) < 2 or not forms:
        return ()
    runs = [run for run in history.runs if "+" not in run.toolchain]
    runs = [run for run in runs if all(_tells(run, track) for track in main)]
    formats = listed(track.title.partition(",")[0] for track in main)
    axis = Axis("torch", "", tuple(runs))

    def reaching(run: Run) -> tuple[str, ...]:
        states = {form: [state_of(run, form, track) for track in main] for form in forms}
        return tuple(form for form, found in states.items() if all(map(usable, found)))

    stretches = [(names, list(some)) for names, some in groupby(runs, reaching)]
    if [forms[0] in names for names, _ in stretches] == [True]:
        return ()
    said = []
    for names, some in stretches:
        only = "only " if len(names) == 1 and len(forms) > 1 else ""
        text = f"{only}{listed(names)}" if names else "no form"
        states = [state_of(run, names[0], track) for run in some for track in main if names]
        remark = " (not all were run)" if any(s and not s.state.works for s in states) else ""
        said.append(
            Sentence(
                f"To {formats} at once, torch {versions_text(axis, some)}: {text}{remark}.",
                reproduce_all(some[-1], names[0] if names else forms[0]),
            )
        )
    return tuple(said)


def _tells(run: Run, track: Track) -> bool:
    """Whether `run` says something of forms in `track`: it was run, and ReLU, if run, is usable."""
    control = state_of(run, CONTROL, track)
    return bool(columns(run, track)) and (control is None or usable(control))


def never_needed(strips: Iterable[Strip], reference: str) -> tuple[Sentence, ...]:
    """One sentence on all tracks where `reference` always works; empty where there is none."""
    found = []
    for strip in strips:
        statements = [s for row in strip.rows if row.form == reference for s in row.statements]
        measured = [one for one in statements if one is not None]
        if measured and all(map(usable, measured)):
            versions = versions_text(strip.axis, [one.run for one in measured])
            found.append((f"{_on(strip)} {versions}", measured[0]))
    if not found:
        return ()
    where = "; ".join(text for text, _ in found)
    text = f"{reference} works by itself in every version measured: {where}."
    return (Sentence(text, _again(found[0][1])),)


def failed(strips: Sequence[Strip]) -> tuple[Sentence, ...]:
    """Every failure there was, told once for each track and message, in the words of its day.

    Wrong numbers are told once for each track, with the newest of the first axis.
    """
    found: dict[tuple[str, str], dict[str, dict[Strip, list[Statement]]]] = {}
    for strip in strips:
        for row in strip.rows:
            for statement in row.statements:
                if statement is not None and statement.state.failed:
                    wrong = statement.state is State.WRONG
                    message = "" if wrong else statement.outcome.message
                    forms = found.setdefault((strip.track.title, message), {})
                    places = forms.setdefault(row.form, {})
                    places.setdefault(strip, []).append(statement)
    return tuple(s for (track, _), forms in found.items() for s in _told(track, forms))


def _told(track: str, forms: dict[str, dict[Strip, list[Statement]]]) -> Iterator[Sentence]:
    """A sentence for the forms that failed with the same words in the same versions."""
    by_place: dict[str, list[str]] = {}
    for form, stretches in forms.items():
        where = "; ".join(_where(strip, some) for strip, some in stretches.items())
        by_place.setdefault(where, []).append(form)
    for where, names in by_place.items():
        last = next(iter(forms[names[0]].values()))[-1]
        if last.state is State.WRONG:
            what = f"{verb(names, 'give')} wrong numbers"
        else:
            what = f"{verb(names, _plural(last.state))} at {last.outcome.stage.value}"
        text = f"{listed(names)} {what}: {track} ({option(last.column)}), {where}."
        yield Sentence(text, _again(last), last.outcome.message)


def _plural(state: State) -> str:
    return "fail" if state is State.FAILS else "crash or hang"


def _where(strip: Strip, statements: Sequence[Statement]) -> str:
    """The versions, neighbours joined: `torch 1.6.0 to 1.7.1, 2.1.2`."""
    places = [strip.axis.runs.index(one.run) for one in statements]
    parts = []
    for _, group in groupby(enumerate(places), lambda pair: pair[1] - pair[0]):
        some = [strip.axis.runs[place] for _, place in group]
        parts.append(versions_text(strip.axis, some))
    fixed = f" on {strip.axis.fixed}" if strip.axis.fixed else ""
    return f"{strip.axis.package} {', '.join(parts)}{fixed}"
