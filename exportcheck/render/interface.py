"""What a report format is: a module that turns a report into text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from exportcheck.results import Report


class Format(Protocol):
    """A module of this folder.

    Attributes:
        FILE_NAME: what its text is called in the folder of `--output`; empty for a format that is
            spoken to whoever reads the standard output.
    """

    @property
    def FILE_NAME(self) -> str:  # noqa: N802  # a constant of a module
        """The name of the file."""

    def render(self, report: Report) -> str:
        """The report as text that can be written as UTF-8, the same bytes for the same report."""
