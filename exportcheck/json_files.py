"""Reads JSON files of whatever source: a value, or one line that says why there is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from exportcheck.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def read_json(path: Path, expected: str) -> Any:
    """What the file at `path` holds.

    Args:
        path: of a regular file; a device might never end.
        expected: what to say was expected of it.

    Raises:
        UsageError: there is no such file, or it holds no JSON; the message has the place in it.
    """
    text = _text(path, expected)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{path} {_problem(text, error)}; {expected}") from error
    except RecursionError as error:
        raise UsageError(f"{path} is nested too deeply; {expected}") from error


def _text(path: Path, expected: str) -> str:
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UsageError(f"{path} is no regular file; {expected}")
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text, see byte {error.start}; {expected}") from error
    if not text.strip():
        raise UsageError(f"{path} is empty; {expected}")
    return text


def _problem(text: str, error: json.JSONDecodeError) -> str:
    place = f"line {error.lineno}, column {error.colno}"
    # A literal or an escape that breaks off is found where it begins, some characters earlier.
    breaks_off = len(text.rstrip()) - error.pos < len('"\\ud83d')
    if error.pos and (breaks_off or error.msg.startswith("Unterminated")):
        return f"is truncated: its JSON ends at {place} before it is complete"
    return f"is not JSON at {place} ({error.msg})"
