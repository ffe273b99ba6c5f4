"""Finds plug-ins by looking in a folder, so that adding one touches no existing file."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


def modules(package: str) -> Iterator[ModuleType]:
    """Every module directly inside `package` but `interface`, imported, in name order."""
    folder = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(folder.__path__), key=lambda found: found.name):
        if info.name != "interface":
            yield importlib.import_module(f"{package}.{info.name}")
