"""Text that others wrote, made harmless for the format it goes into."""

from __future__ import annotations

import re

KEPT = 20_000
"""How many characters of a log a report shows; what went wrong stands at its end."""


def printable(text: str, *, kept: str = "") -> str:
    """`text` with control characters, line ends and lone surrogates shown, not obeyed.

    Args:
        text: what somebody wrote.
        kept: characters that stay as they are, for example line ends.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept else _shown(c) for c in text)


def _shown(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def brief(text: str, limit: int = 300) -> str:
    """The beginning of `text`, with an ellipsis where it is cut."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def tail(text: str, limit: int = KEPT) -> str:
    """The end of `text`, and how much was left out before it."""
    left_out = len(text) - limit
    return text if left_out <= 0 else f"[{left_out} characters left out]\n{text[left_out:]}"


def markdown(text: str) -> str:
    """`text` as words of Markdown, in a table too: no markup and no HTML of its own."""
    escaped = re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", printable(text))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def markdown_code(text: str) -> str:
    """`text` as a code span of Markdown, in a table too: no mention and no link of its own."""
    shown = printable(text).replace("|", "\\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    space = " " if not shown or "`" in (shown[0], shown[-1]) else ""
    return f"{fence}{space}{shown}{space}{fence}"


def markdown_link(text: str, url: str) -> str:
    """A link where `url` is one that is safe to follow, else `url` as code; empty without one."""
    if not url:
        return ""
    safe = re.fullmatch(r"https?://[\w.~:/?#@!$&*+,;=%-]+", url)
    return f"[{markdown(text)}]({url})" if safe else markdown_code(url)


def spreadsheet(text: str) -> str:
    """`text` as a cell that no spreadsheet takes for a formula."""
    shown = printable(text)
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@") else shown


def github(text: str, *, attribute: bool = False) -> str:
    """`text` as the message, or an attribute, of a workflow command of GitHub.

    Source: toolkit/packages/core/src/command.ts of github.com/actions.
    """
    text = printable(text, kept="\n").replace("%", "%25").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if attribute else text
