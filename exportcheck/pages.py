"""Self-contained pages: a template with its style, its scripts and data as JSON put in; no network.

Whatever is shown reaches a page inside that JSON only, and its elements through text nodes only.
"""

from __future__ import annotations

import base64
import hashlib
import json
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable


def page(
    template: Traversable, styles: Sequence[Traversable], scripts: Sequence[Traversable], data: Any
) -> str:
    """The page, the same bytes for the same data; its scripts see each other and call `start`."""
    style = "".join(map(read, styles))
    script = "".join(map(read, scripts))
    script = f'(() => {{\n"use strict";\n{script}\nstart();\n}})();\n'
    return Template(read(template)).substitute(
        style=style,
        style_hash=_digest(style),
        script=script,
        script_hash=_digest(script),
        data=embedded(data),
    )


def read(file: Traversable) -> str:
    """The text of `file`."""
    return file.read_text("utf-8")


def _digest(text: str) -> str:
    """What a content security policy calls `text`."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def embedded(data: Any) -> str:
    """`data` as printable ASCII that no HTML parser takes for a tag, an entity or a comment."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    for character in "<>&\x7f":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


class Pool:
    """Values that occur more than once, each kept once; a place in it stands for the value."""

    def __init__(self) -> None:
        self.values: list[Any] = [None]
        self._places: dict[str, int] = {}

    def place(self, value: Any) -> int:
        """Where `value` is kept; 0 for whatever is empty."""
        if not value:
            return 0
        key = json.dumps(value)
        if key not in self._places:
            self._places[key] = len(self.values)
            self.values.append(value)
        return self._places[key]
