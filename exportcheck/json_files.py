"""Reads the JSON files of measurements: a value, or one line that says why there is none."""

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
        UsageError: there is no such file, or it holds no JSON.
    """
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no regular file; {expected}")
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON ({error}); {expected}") from error
