"""Report formats: every file here but `interface` has `FILE_NAME` and `render(report) -> str`."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, cast

from exportcheck.discover import modules

if TYPE_CHECKING:
    from exportcheck.render.interface import Format


@lru_cache(maxsize=None)
def formats() -> dict[str, Format]:
    """Every format by its name, which is that of its file."""
    return {
        module.__name__.rpartition(".")[2]: cast("Format", module) for module in modules(__name__)
    }
