"""exportcheck: does an activation survive export? Importing this imports no torch."""

from __future__ import annotations

__version__ = "0.1.0"
