"""What the history says of a family: where its native form failed, and what stood in for it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from exportcheck.explain.commands import reproduce, reproduce_all
from exportcheck.explain.sentences import Sentence, listed, stand, together
from exportcheck.explain.stretches import stretches
from exportcheck.history.axes import Axis, versions_text
from exportcheck.history.statements import CONTROL, WORDS, State, state_of
from exportcheck.history.tracks import columns, tracks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exportcheck.explain.stretches import Stretch
    from exportcheck.history.runs import History, Run
    from exportcheck.history.statements import Statement
    from exportcheck.history.strips import Strip
    from exportcheck.history.tracks import Track


def needed(strip: Strip, reference: str) -> tuple[Sentence, ...]:
    """How `reference` stood on `strip`, stretch by stretch, and what did better in its place.

    Empty where the reference passes everywhere, or was not run.
    """
    found = stretches(strip, reference)
    if all(one.native is State.WORKS for one in found):
        return ()
    return tuple(Sentence(f"{_measured(one)}: {_stood(one)}.", _again(one.last)) for one in found)


def _measured(stretch: Stretch) -> str:
    """Where; of a range of versions that work, that what lies between was not all measured."""
    several = len(stretch.statements) > 1 and stretch.native is State.WORKS
    return f"{stretch.where}{', as measured' if several else ''}"


def _stood(stretch: Stretch) -> str:
    """How the native form stood, and which others did better."""
    form, native = stretch.last.form, stretch.native
    if native is State.WORKS:
        return f"{form} works by itself"
    if native is State.BLOCKED:
        text = f"not even {CONTROL} passes, which says nothing of {form}"
    else:
        text = stand([form], native)
    if stretch.others is not None:
        return f"{text}; {stand(stretch.forms, stretch.others)}"
    if stretch.alone or native in (State.BLOCKED, State.CONVERTS):
        return text
    return f"{text}, and no other form {'does better' if native.usable else 'works either'}"


def _again(statement: Statement) -> str:
    """Measures a statement again, where it fails between layers only there."""
    network = next(iter(statement.troubles), statement.network)
    return reproduce(statement.run, statement.form, statement.column, network)


def everywhere(history: History, forms: Sequence[str]) -> tuple[Sentence, ...]:
    """With which toolchains which of `forms` could be had in every main format at once.

    Only toolchains with a run of all of them count. Empty where there is none, and where the first
    form always passed.
    """
    main = [track for track in tracks(history.runs) if track.main]
    if len(main) < 2 or not forms:
        return ()
    runs = [run for run in history.runs if "+" not in run.toolchain]
    runs = [run for run in runs if all(_tells(run, track) for track in main)]
    formats = listed(track.short for track in main)
    axis = Axis("torch", "", tuple(runs))
    grouped = groupby(runs, lambda run: _reaching(run, forms, main))
    found = [(reaching, list(some)) for reaching, some in grouped]
    if all((forms[0], "") in reaching for reaching, _ in found):
        return ()
    return tuple(
        Sentence(
            f"To {formats} at once, torch {versions_text(axis, some)}: "
            f"{_reached(reaching, len(forms))}.",
            reproduce_all(some[-1], reaching[0][0] if reaching else forms[0]),
        )
        for reaching, some in found
    )


def _reaching(run: Run, forms: Sequence[str], main: Sequence[Track]) -> tuple[tuple[str, str], ...]:
    """The forms that are usable in every track of `main`, each with where it does not pass."""
    found = []
    for form in forms:
        states = [(track, one.state) for track in main if (one := state_of(run, form, track))]
        if len(states) == len(main) and all(state.usable for _, state in states):
            remarks = [f"{t.short}: {WORDS[state]}" for t, state in states if not state.passes]
            found.append((form, "; ".join(remarks)))
    return tuple(found)


def _reached(reaching: Sequence[tuple[str, str]], forms: int) -> str:
    """For example `a and b; only where it is alone: c`."""
    if not reaching:
        return "no form"
    only = "only " if len(reaching) == 1 and forms > 1 else ""
    parts = [
        f"{listed(names)}{f' ({remark})' if remark else ''}"
        for remark, names in together(reaching).items()
    ]
    return only + "; ".join(parts)


def _tells(run: Run, track: Track) -> bool:
    """Whether `run` says something of forms in `track`: it was run, and ReLU, if run, is usable."""
    control = state_of(run, CONTROL, track)
    return bool(columns(run, track)) and (control is None or control.state.usable)


def never_needed(strips: Iterable[Strip], reference: str) -> tuple[Sentence, ...]:
    """One sentence on all tracks where `reference` always passes; empty where there is none."""
    found = []
    for strip in strips:
        some = stretches(strip, reference)
        if some and all(one.native is State.WORKS for one in some):
            found.append(some)
    if not found:
        return ()
    where = "; ".join(one.where for some in found for one in some)
    text = f"{reference} works by itself in every version measured: {where}."
    return (Sentence(text, _again(found[0][0].last)),)
