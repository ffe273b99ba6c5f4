"""Everything that `exportcheck explain` says of a family; how it looks is elsewhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exportcheck import catalog
from exportcheck.catalog import activations
from exportcheck.explain import failures, notes, past, present
from exportcheck.explain.code import call_of, code_of
from exportcheck.explain.commands import time_again
from exportcheck.explain.costs import machine_text
from exportcheck.explain.times import lay_out
from exportcheck.explain.verdict import verdict
from exportcheck.history.strips import strips
from exportcheck.selection import family_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from exportcheck.explain.sentences import Sentence
    from exportcheck.explain.times import Times
    from exportcheck.history.runs import History
    from exportcheck.history.statements import Statement
    from exportcheck.history.strips import Strip


@dataclass(frozen=True)
class Form:
    """One way to write the function."""

    name: str
    kind: str
    formula: str
    source: str
    code: str


@dataclass(frozen=True)
class Explanation:
    """What is known of a family.

    Attributes:
        family: its name.
        reference: the form that says what the function is, first among `forms`.
        forms: native ones first.
        curve: `x`, `y` and `slope`; None where the function is not one of a single number.
        verdict: a line or two on what was measured; empty without a history.
        strips: the history, one for each track and axis.
        needed: where the native form did not work, what did, and since when it does.
        failed: every failure there was, in the words of its day.
        noted: what the notes are with which forms work.
        newest: the toolchain that `now` speaks of, in words; empty without a history.
        now: what speaks for the other forms today, and against them.
        times: of `exportcheck cost`; None where it was not run for this family.
        timed_on: the machine of `times`, in words.
        missing: what is not known, each with the command that would measure it.
    """

    family: str
    reference: Form
    forms: tuple[Form, ...]
    curve: Mapping[str, list[float]] | None
    verdict: tuple[str, ...]
    strips: tuple[Strip, ...]
    needed: tuple[Sentence, ...]
    failed: tuple[Sentence, ...]
    noted: tuple[Sentence, ...]
    newest: str
    now: tuple[Sentence, ...]
    times: Times | None
    timed_on: str
    missing: tuple[str, ...]


def explain(family: str, history: History, costs: Mapping[str, Any]) -> Explanation:
    """All that `history` and `costs` and the catalogue say of `family`, or of that of a form.

    Raises:
        UsageError: the catalogue has no such family.
    """
    family = family_named(family)
    forms = _forms(family)
    reference = forms[0]
    shown = strips(history, [form.name for form in forms])
    runs = [run for run in history.runs if "+" not in run.toolchain and reference.name in run.forms]
    measured = {row.form for strip in shown for row in strip.rows}
    newest = runs[-1] if runs else None
    others = [form.name for form in forms if form.kind in ("hand-written", "autograd")]
    others = [name for name in others if name != reference.name]
    times = lay_out(costs[family]) if family in costs else None
    telling = _telling(shown, reference)
    return Explanation(
        family=family,
        reference=reference,
        forms=forms,
        curve=_curves().get(family),
        verdict=verdict(telling, newest, reference.name, others),
        strips=shown,
        needed=(
            *past.everywhere(history, [form.name for form in forms if form.name in measured]),
            *(s for strip in telling for s in past.needed(strip, reference.name)),
            *past.never_needed(shown, reference.name),
        ),
        failed=failures.failed(shown),
        noted=notes.noted(shown),
        newest=present.named(newest) if newest else "",
        now=present.still(newest, reference.name, others) if newest else (),
        times=times,
        timed_on=machine_text(costs[family]["machine"]) if family in costs else "",
        missing=tuple(_missing(family, shown, times, history)),
    )


def _telling(shown: Sequence[Strip], reference: Form) -> list[Strip]:
    """The strips to speak of: not whole toolchains where coremltools alone tells when it worked."""
    settled = {
        strip.track
        for strip in shown
        for row in strip.rows
        if strip.axis.fixed and row.form == reference.name and _passes(row.statements[-1])
    }
    return [strip for strip in shown if strip.axis.fixed or strip.track not in settled]


def _passes(statement: Statement | None) -> bool:
    return statement is not None and statement.state.passes


def sections(explanation: Explanation) -> Iterator[tuple[str, Sequence[Sentence]]]:
    """The headings with sentences beneath them; those without any are left out."""
    found = (
        ("When another form was needed", explanation.needed),
        ("What failed, in the words of that day", explanation.failed),
        ("What differs where it works with a note", explanation.noted),
        (f"The other forms beside it today ({explanation.newest})", explanation.now),
    )
    yield from ((heading, sentences) for heading, sentences in found if sentences)


def _forms(family: str) -> tuple[Form, ...]:
    """The forms, the reference first, then native before hand-written."""
    found = [a for a in activations().values() if a.family == family]
    found.sort(key=lambda a: not a.reference)
    shown: set[str] = set()
    forms = []
    for a in found:
        # A class that stands above already, made with other arguments, is shown by its call alone.
        code = call_of(a) if a.module in shown else code_of(a)
        shown.add(a.module)
        forms.append(Form(a.name, a.form, a.formula, a.source, code))
    return tuple(forms)


@lru_cache(maxsize=None)
def _curves() -> dict[str, dict[str, list[float]]]:
    path = Path(catalog.__file__).with_name("curves.json")
    found: dict[str, dict[str, list[float]]] = json.loads(path.read_text("utf-8"))
    return found


def _missing(
    family: str, shown: tuple[Strip, ...], times: Times | None, history: History
) -> list[str]:
    found = []
    if not shown:
        none = f"{family} is in no run of the history" if history.runs else "nothing was measured"
        found.append(f"{none}: exportcheck history add RESULTS.json")
    if times is None:
        found.append(f"nothing has been timed: {time_again(family)}")
    return found
