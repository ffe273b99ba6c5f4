"""What speaks for a hand-written form on the newest toolchain there is a run of, aspect by aspect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exportcheck.explain.commands import reproduce
from exportcheck.explain.sentences import Sentence, listed, together, verb
from exportcheck.history.statements import WORDS, state_of
from exportcheck.history.strips import short_version
from exportcheck.history.tracks import columns, option, tracks
from exportcheck.matrix import error_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from exportcheck.history.runs import Column, Run
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
        working = [form for form, one in others.items() if one.state.works]
        if native.state.failed and working:
            yield Sentence(
                f"Needed still, {title}: {reference} {WORDS[native.state]}, "
                f"{listed(working)} {verb(working, 'work')}.",
                reproduce(run, reference, native.column),
                native.outcome.message,
            )


def _exact(run: Run, reference: str, forms: Sequence[str]) -> Iterator[Sentence]:
    """Where a form gives eager's numbers to the last bit and the reference does not."""
    for title, native, others in _both(run, reference, forms):
        if not native.state.works or not native.outcome.max_error:
            continue
        exact = [f for f, one in others.items() if one.state.works and _error(one) == 0]
        if exact:
            off = error_text(native.outcome.max_error)
            yield Sentence(
                f"Exact, {title} ({option(native.column)}): {listed(exact)} "
                f"{verb(exact, 'give')} eager's own numbers to the last bit, "
                f"{reference} is off by up to {off}.",
                reproduce(run, exact[0], others[exact[0]].column),
            )


def _error(statement: Statement) -> float | None:
    return statement.outcome.max_error


def _operators(run: Run, reference: str, forms: Sequence[str]) -> Iterator[Sentence]:
    """How many operators each form is in the file."""
    for title, native, others in _both(run, reference, forms):
        column = native.column
        base = run.operators(reference, column)
        if not base:
            continue
        written = [(f, _counted(run.operators(f, column))) for f in others]
        for text, names in together((f, w) for f, w in written if w).items():
            if text == _counted(base):
                said = f"{listed(names)} {_is(names)} the same there as {reference}: {text}"
            else:
                said = f"{listed(names)} {_is(names)} {text}, {reference} is {_counted(base)}"
            yield Sentence(
                f"In the file, {title} ({option(column)}): {said}.",
                reproduce(run, names[0], column),
            )


def _counted(operators: Mapping[str, int]) -> str:
    """For example `4 operators (Add, Clip, Div, Mul)`; empty for none."""
    total = sum(operators.values())
    names = ", ".join(n if count == 1 else f"{count} {n}" for n, count in operators.items())
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
    for accelerator in sorted(base):
        mine = _taken(base[accelerator])
        taken = [(f, run.mobile(f, column).get(accelerator)) for f in forms]
        for text, names in together((f, _taken(t)) for f, t in taken if t).items():
            if text != mine:
                yield Sentence(
                    f"On a phone, {accelerator}, between two convolutions ({column.target}): "
                    f"{listed(names)} {text}, {reference} {mine}.",
                    reproduce(run, names[0], column, "conv"),
                )


def _taken(facts: Mapping[str, int]) -> str:
    count = facts["partitions"]
    pieces = "1 partition" if count == 1 else f"{count} partitions"
    return f"{facts['supported']} of {facts['nodes']} nodes in {pieces}"


def _saved(run: Run, reference: str, forms: Sequence[str]) -> Iterator[Sentence]:
    """How much each form keeps for backward."""
    base = run.saved_bytes(reference)
    if base is None:
        return
    kept = [(form, run.saved_bytes(form)) for form in forms]
    column: Column = run.columns[0]
    for count, names in together((f, k) for f, k in kept if k is not None).items():
        share = "as much as" if count == base else f"{count / base:.2g} times what"
        tail = reference if count == base else f"{reference} keeps"
        yield Sentence(
            f"For backward: {listed(names)} {verb(names, 'keep')} {share} {tail} "
            f"({count} bytes of a batch of 4096 numbers).",
            reproduce(run, names[0], column),
        )


def named(run: Run) -> str:
    """The newest toolchain in words: `torch 2.13.0, onnxruntime 1.31.1, coremltools 9.0`."""
    packages = ("torch", "onnxruntime", "coremltools")
    found = [(name, short_version(run, name)) for name in packages]
    return ", ".join(f"{name} {version}" for name, version in found if version)
