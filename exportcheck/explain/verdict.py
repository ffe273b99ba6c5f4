"""A family in a line or two: when another form was needed, and how things stand today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exportcheck.explain.present import count_operators
from exportcheck.explain.sentences import listed, stand, together
from exportcheck.explain.stretches import stretches
from exportcheck.history.axes import places_text
from exportcheck.history.statements import State, state_of
from exportcheck.history.strips import short_version
from exportcheck.history.tracks import tracks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exportcheck.explain.stretches import Stretch
    from exportcheck.history.runs import Run
    from exportcheck.history.strips import Strip


def verdict(
    strips: Sequence[Strip], newest: Run | None, reference: str, others: Sequence[str]
) -> tuple[str, ...]:
    """Sentences of what was measured in the formats that most look at; none without any.

    Args:
        strips: those to speak of.
        newest: the newest run; None without a whole toolchain.
        reference: the native form.
        others: the hand-written ones.
    """
    return (*_then(strips, reference), *(_today(newest, reference, others) if newest else ()))


def _then(strips: Sequence[Strip], reference: str) -> Iterator[str]:
    """Where another form passed and the native one did not."""
    found = []
    for strip in strips:
        some = [s for s in stretches(strip, reference) if s.others is State.WORKS]
        if strip.track.main and some:
            found.append(f"{strip.track.short} on {_where(strip, some)} ({_works(some)})")
    if found:
        yield f"Another form than {reference} was needed for {listed(found)}."


def _where(strip: Strip, some: Sequence[Stretch]) -> str:
    places = [strip.axis.runs.index(s.run) for stretch in some for s in stretch.statements]
    fixed = f" over {strip.axis.fixed}" if strip.axis.fixed else ""
    return f"{strip.axis.package} {places_text(strip.axis, places)}{fixed}"


def _works(some: Sequence[Stretch]) -> str:
    """One form that works in all of them, else one for each."""
    common = [form for form in some[0].forms if all(form in one.forms for one in some)]
    names = common[:1] or list(dict.fromkeys(one.forms[0] for one in some))
    return stand(names, State.WORKS)


def _today(run: Run, reference: str, others: Sequence[str]) -> Iterator[str]:
    """How every form stands in the newest run, and the operators of the ONNX file."""
    main = [track for track in tracks([run]) if track.main]
    found = {
        form: [(track.short, one.state) for track in main if (one := state_of(run, form, track))]
        for form in (reference, *others)
    }
    found = {form: states for form, states in found.items() if states}
    if reference not in found:
        return
    bad = {f: [(t, s) for t, s in states if not s.passes] for f, states in found.items()}
    on = f"With torch {short_version(run, 'torch')}"
    if any(bad.values()):
        said = "; ".join(
            f"{stand([form], state)} ({listed(formats)})"
            for form, some in bad.items()
            for state, formats in together(some).items()
        )
        passing = [form for form, some in bad.items() if not some]
        rest = f"; {stand(passing, State.WORKS)} for all that was run" if passing else ""
        yield f"{on} {said}{rest}."
    else:
        whom = "every form" if others else reference
        formats = listed(track for track, _ in found[reference])
        yield f"{on} {whom} works for {formats}{_beside(run, reference, others)}."


def _beside(run: Run, reference: str, others: Sequence[str]) -> str:
    """How many operators the native form is in the file, against the others."""
    for track in tracks([run]):
        native = state_of(run, reference, track)
        if not (track.main and track.has_own_operators and native):
            continue
        own = count_operators(run.operators(reference, native.column))
        counts = [count_operators(run.operators(form, native.column)) for form in others]
        counts = sorted(count for count in counts if count)
        if own and counts:
            against = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
            operators = "operator" if own == 1 else "operators"
            return f"; in the {track.short} file {reference} is {own} {operators} against {against}"
    return ""
