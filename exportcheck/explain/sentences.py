"""What a sentence is made of: measured facts, the words of an exporter, and how to see it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

Value = TypeVar("Value", bound="Hashable")


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


def together(values: Iterable[tuple[str, Value]]) -> dict[Value, list[str]]:
    """The names that share a value, by the value, in the order they came."""
    found: dict[Value, list[str]] = {}
    for name, value in values:
        found.setdefault(value, []).append(name)
    return found
