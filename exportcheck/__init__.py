"""exportcheck: does an activation survive export? Importing this imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exportcheck.api import assert_exportable, check
    from exportcheck.exportable import make_exportable
    from exportcheck.results import Report

__version__ = "0.1.0"

__all__ = ["Report", "__version__", "assert_exportable", "check", "make_exportable"]

_HOMES = {
    "check": "exportcheck.api",
    "assert_exportable": "exportcheck.api",
    "make_exportable": "exportcheck.exportable",
    "Report": "exportcheck.results",
}
"""Where each public name is; imported when it is first asked for."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
