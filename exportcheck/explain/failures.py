"""What failed in a family, in the words of that day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exportcheck.explain.commands import reproduce
from exportcheck.explain.sentences import Sentence, listed, together, verb
from exportcheck.history.axes import places_text
from exportcheck.history.tracks import option
from exportcheck.results import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exportcheck.history.runs import Outcome
    from exportcheck.history.statements import Statement
    from exportcheck.history.strips import Strip

_Failures = dict[str, dict["Strip", list["Statement"]]]
"""Form -> strip -> the statements with one and the same failure."""


def failed(strips: Sequence[Strip]) -> tuple[Sentence, ...]:
    """Every failure there was, told once for each track and message, in the words of its day.

    Wrong numbers are told once for each track, with the newest of the first axis.
    """
    found: dict[tuple[str, str, str, tuple[str, ...]], _Failures] = {}
    for strip in strips:
        for row in strip.rows:
            for statement in filter(None, row.statements):
                for networks, what, message in _troubles(statement):
                    forms = found.setdefault((strip.track.title, what, message, networks), {})
                    forms.setdefault(row.form, {}).setdefault(strip, []).append(statement)
    return tuple(
        sentence
        for (track, what, _, networks), forms in found.items()
        for sentence in _told(track, what, networks, forms)
    )


def _troubles(statement: Statement) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """The networks that failed the same way, in which way, and the words; none for wrong numbers.

    Where the form failed by itself, the network is not told.
    """
    ways = together((n, _way(outcome)) for n, outcome in statement.troubles.items())
    for (what, message), networks in ways.items():
        yield tuple(networks) if statement.state.works else (), what, message


def _way(outcome: Outcome) -> tuple[str, str]:
    if outcome.status is Status.MISMATCH:
        return "give", ""
    return ("fail" if outcome.status is Status.ERROR else "crash"), outcome.message


def _told(track: str, what: str, networks: tuple[str, ...], forms: _Failures) -> Iterator[Sentence]:
    """A sentence for the forms that failed with the same words in the same versions."""
    by_place: dict[str, list[str]] = {}
    for form, found in forms.items():
        where = "; ".join(versions_of(strip, some) for strip, some in found.items())
        by_place.setdefault(where, []).append(form)
    for where, names in by_place.items():
        statements = [s for some in forms[names[0]].values() for s in some]
        last = next(iter(forms[names[0]].values()))[-1]
        network = networks[0] if networks else last.network
        outcome = last.between[network] if networks else last.outcome
        text = f"{listed(names)} {_did(names, what, networks, outcome)}: {track}"
        # Of several targets, each ran in some of the versions only.
        options = {option(statement.column) for statement in statements}
        text += f" ({options.pop()})" if len(options) == 1 else ""
        command = reproduce(last.run, last.form, last.column, network)
        yield Sentence(f"{text}, {where}.", command, outcome.message)


def _did(names: Sequence[str], what: str, networks: Sequence[str], outcome: Outcome) -> str:
    """`fails at export`, `work alone, crash or hang between layers (conv, linear) at run`."""
    alone = f"{verb(names, 'work')} alone, " if networks else ""
    between = f" between layers ({', '.join(networks)})" if networks else ""
    if what == "give":
        return f"{alone}{verb(names, what)} wrong numbers{between}"
    words = verb(names, what) if what == "fail" else "crash or hang"
    return f"{alone}{words}{between} at {outcome.stage.value}"


def versions_of(strip: Strip, statements: Sequence[Statement]) -> str:
    """The versions, neighbours joined: `torch 1.6.0 to 1.7.1, 2.1.2`."""
    places = [strip.axis.runs.index(one.run) for one in statements]
    fixed = f" on {strip.axis.fixed}" if strip.axis.fixed else ""
    return f"{strip.axis.package} {places_text(strip.axis, places)}{fixed}"
