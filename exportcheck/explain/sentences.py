"""What a sentence is made of: measured facts, the words of an exporter, and how to see it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from exportcheck.history.statements import WORDS, State

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

Value = TypeVar("Value", bound="Hashable")

_SAID = {
    State.WORKS: ("works", "work"),
    State.NOTED: ("works", "work"),
    State.PARTIAL: (WORDS[State.PARTIAL], "work alone, fail between layers"),
    State.CONVERTS: (WORDS[State.CONVERTS], "convert, were not run"),
    State.WRONG: ("gives wrong numbers", "give wrong numbers"),
    State.FAILS: ("fails", "fail"),
    State.CRASHES: ("crashes or hangs", "crash or hang"),
    State.BLOCKED: ("says nothing", "say nothing"),
    State.UNAVAILABLE: ("does not exist yet", "do not exist yet"),
}


@dataclass(frozen=True)
class Sentence:
    """One statement and what it rests on.

    Attributes:
        text: for people; names of forms stand in it as they are.
        command: measures it again.
        quote: what an exporter or a comparison said, in its own words; empty where none is quoted.
    """

    text: str
    command: str
    quote: str = ""


def listed(names: Iterable[str]) -> str:
    """For example `a`, `a and b`, `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def verb(names: Sequence[str], word: str) -> str:
    """`works` after one name, `work` after several."""
    return f"{word}s" if len(names) == 1 else word


def stand(names: Sequence[str], state: State) -> str:
    """Forms and how they stood: `a works`, `a and b work alone, fail between layers`."""
    return f"{listed(names)} {_SAID[state][len(names) > 1]}"


def together(values: Iterable[tuple[str, Value]]) -> dict[Value, list[str]]:
    """The names that share a value, by the value, in the order they came."""
    found: dict[Value, list[str]] = {}
    for name, value in values:
        found.setdefault(value, []).append(name)
    return found
