"""TOML: read from a file with one clear line for what is wrong, and strings written to one."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from exportcheck.errors import UsageError
from exportcheck.escaping import printable

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path


def read_toml(path: Path) -> dict[str, Any]:
    """What the TOML file at `path` holds.

    Raises:
        UsageError: it cannot be read or is no TOML; the message has the place.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from error


def toml_string(text: str) -> str:
    """`text` as a TOML string on one line."""
    # TOML's escapes are a superset of those that JSON needs for printable text.
    return json.dumps(printable(text), ensure_ascii=False)
