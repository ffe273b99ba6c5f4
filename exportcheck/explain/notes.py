"""What the notes are with which a form works: differences from eager that do not gate."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from exportcheck.explain.commands import reproduce
from exportcheck.explain.failures import versions_of
from exportcheck.explain.sentences import Sentence, listed, together
from exportcheck.history.statements import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exportcheck.history.statements import Statement
    from exportcheck.history.strips import Strip


def noted(strips: Sequence[Strip]) -> tuple[Sentence, ...]:
    """A sentence for the forms that work with the same notes in the same tracks and versions."""
    found: dict[tuple[str, tuple[str, ...]], dict[Strip, list[Statement]]] = {}
    for form, notes, strip, statement in _notes(strips):
        found.setdefault((form, notes), {}).setdefault(strip, []).append(statement)
    where = {
        key: "; ".join(f"{s.track.title}, {versions_of(s, some)}" for s, some in places.items())
        for key, places in found.items()
    }
    grouped = together((form, (notes, text)) for (form, notes), text in where.items())
    said = []
    for (notes, text), names in grouped.items():
        last = next(iter(found[names[0], notes].values()))[-1]
        command = reproduce(last.run, last.form, last.column, last.network)
        said.append(
            Sentence(f"{listed(names)} ({', '.join(map(_whole, notes))}): {text}.", command)
        )
    return tuple(said)


def _whole(note: str) -> str:
    """Input class and kind; of other notes a history keeps no more than the first two words."""
    return note if re.fullmatch(r"[^ :]+: [^ :]+", note) else f"{note} …"


def _notes(
    strips: Sequence[Strip],
) -> Iterator[tuple[str, tuple[str, ...], Strip, Statement]]:
    """Every statement with notes."""
    for strip in strips:
        for row in strip.rows:
            for statement in filter(None, row.statements):
                if statement.state is State.NOTED:
                    yield row.form, statement.outcome.notes, strip, statement
