"""What tells a hand-written form from the native one on the newest toolchain that was run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exportcheck.explain.commands import reproduce
from exportcheck.explain.sentences import Sentence, listed, stand, together, verb
from exportcheck.history.statements import State, state_of
from exportcheck.history.strips import short_version
from exportcheck.history.tracks import columns, option, ran_in, tracks
from exportcheck.matrix import error_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from exportcheck.history.runs import Run
    from exportcheck.history.statements import Statement


def still(run: Run, reference: str, forms: Sequence[str]) -> tuple[Sentence, ...]:
    """Sentences on `forms` beside `reference`, all from `run`: what is better, what is worse.

    Args:
        run: the newest one.
        reference: the native form.
        forms: the hand-written ones.
    """
    if reference not in run.forms or not forms:
        return ()
    return (
        *_needed(run, reference, forms),
        *_exact(run, reference, forms),
        *_operators(run, reference, forms),
        *_mobile(run, reference, forms),
        *_saved(run, reference, forms),
    )


def _both(
    run: Run, reference: str, forms: Sequence[str]
) -> Iterator[tuple[str, Statement, dict[str, Statement]]]:
    """Each track's title, the reference's statement, and those of the forms that were run."""
    for track in tracks([run]):
        native = state_of(run, reference, track)
        if native is None:
            continue
        others = {form: state_of(run, form, track) for form in forms}
        yield track.title, native, {f: one for f, one in others.items() if one is not None}


def _needed(run: Run, reference: str, forms: Sequence[str]) -> Iterator[Sentence]:
    for title, native, others in _both(run, reference, forms):
        passing = [form for form, one in others.items() if one.state.passes]
        if native.troubles and passing:
            network, outcome = next(iter(native.troubles.items()))
            yield Sentence(
                f"Needed still, {title}: {stand([reference], native.state)}; "
                f"{stand(passing, State.WORKS)}.",
                reproduce(run, reference, native.column, network),
                outcome.message,
            )


def _exact(run: Run, reference: str, forms: Sequence[str]) -> Iterator[Sentence]:
    """Where a form gives eager's numbers to the last bit and the reference does not."""
    found: dict[tuple[str, ...], list[tuple[str, Statement, Statement]]] = {}
    for title, native, others in _both(run, reference, forms):
        if not native.state.works or not native.outcome.max_error:
            continue
        exact = [f for f, one in others.items() if one.state.works and _error(one) == 0]
        if exact:
            found.setdefault(tuple(exact), []).append((title, native, others[exact[0]]))
    for names, places in found.items():
        where = "; ".join(
            f"{title} ({ran_in(native.column)}), {reference} off by up to "
            f"{error_text(native.outcome.max_error)}"
            for title, native, _ in places
        )
        yield Sentence(
            f"Exact: {listed(names)} {verb(names, 'give')} eager's own numbers to the last bit, "
            f"where {reference} does not: {where}.",
            reproduce(run, names[0], places[0][2].column),
        )


def _error(statement: Statement) -> float | None:
    return statement.outcome.max_error


def _operators(run: Run, reference: str, forms: Sequence[str]) -> Iterator[Sentence]:
    """How many operators each form is in the file, on the tracks that most look at."""
    for track in tracks([run]):
        told = track.main and track.has_own_operators
        native = state_of(run, reference, track) if told else None
        base = _counted(run.operators(reference, native.column)) if native else ""
        if native is None or not base:
            continue
        column = native.column
        written = [(form, _counted(run.operators(form, column))) for form in forms]
        said = together((form, text) for form, text in written if text)
        parts = [
            f"{listed(names)} {_is(names)} {'the same' if text == base else text}"
            for text, names in said.items()
        ]
        if parts:
            yield Sentence(
                f"In the file, {track.title} ({option(column)}), {reference} is {base}; "
                f"{'; '.join(parts)}.",
                reproduce(run, next(iter(said.values()))[0], column),
            )


_NO_WORK = ("Constant", "Identity")
"""Operators that compute nothing."""


def count_operators(operators: Mapping[str, int]) -> int:
    """How many there are that compute something."""
    return sum(count for name, count in operators.items() if name not in _NO_WORK)


def _counted(operators: Mapping[str, int]) -> str:
    """For example `4 operators (Add, Clip, Div, Mul)`; empty for none."""
    counted = {name: count for name, count in operators.items() if name not in _NO_WORK}
    total = count_operators(operators)
    names = ", ".join(n if count == 1 else f"{count} {n}" for n, count in counted.items())
    return f"{total} operator{'s' * (total != 1)} ({names})" if total else ""


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _mobile(run: Run, reference: str, forms: Sequence[str]) -> Iterator[Sentence]:
    """Where a phone's accelerator takes a form in fewer pieces than the reference, or in more."""
    found = [c for t in tracks([run]) for c in columns(run, t) if run.mobile(reference, c)]
    if not found:
        return
    column = found[-1]
    base = run.mobile(reference, column)
    said: dict[tuple[str, ...], list[str]] = {}
    for accelerator in sorted(base):
        taken = [(form, run.mobile(form, column).get(accelerator)) for form in forms]
        differ = [(f, t) for f, t in taken if t and _pieces(t) != _pieces(base[accelerator])]
        parts = together((form, _taken(facts)) for form, facts in differ)
        if parts:
            texts = tuple(f"{listed(names)} {text}" for text, names in parts.items())
            key = (*texts, f"{reference} {_taken(base[accelerator])}", differ[0][0])
            said.setdefault(key, []).append(accelerator)
    for (*pieces, first), accelerators in said.items():
        yield Sentence(
            f"On a phone, between two convolutions ({column.target}), of what ONNX Runtime's "
            f"checker says {listed(accelerators)} would take: {'; '.join(pieces)}.",
            reproduce(run, first, column, "conv"),
        )


def _pieces(facts: Mapping[str, int]) -> tuple[bool, int]:
    """Whether everything is taken, and in how many pieces: what costs time on a phone."""
    return facts["supported"] == facts["nodes"], facts["partitions"]


def _taken(facts: Mapping[str, int]) -> str:
    count = facts["partitions"]
    pieces = "1 partition" if count == 1 else f"{count} partitions"
    return f"{facts['supported']} of {facts['nodes']} nodes in {pieces}"


def _saved(run: Run, reference: str, forms: Sequence[str]) -> Iterator[Sentence]:
    """How much each form keeps for backward."""
    base = run.saved_bytes(reference)
    if base is None:
        return
    traced = [c for c in run.columns if c.target.startswith("torchscript")]
    column = (traced or run.columns)[0]
    kept = together((f, k) for f in forms if (k := run.saved_bytes(f)) is not None)
    parts = [
        f"{listed(names)} {verb(names, 'keep')} "
        + ("as much" if count == base else f"{count / base:.2g} times that")
        for count, names in kept.items()
    ]
    if parts:
        yield Sentence(
            f"For backward {reference} keeps {base / 4096:g} bytes a number; {'; '.join(parts)}.",
            reproduce(run, next(iter(kept.values()))[0], column),
        )


def named(run: Run) -> str:
    """The newest toolchain in words: `torch 2.13.0, onnxruntime 1.31.1, coremltools 9.0`."""
    packages = ("torch", "onnxruntime", "coremltools")
    found = [(name, short_version(run, name)) for name in packages]
    return ", ".join(f"{name} {version}" for name, version in found if version)
