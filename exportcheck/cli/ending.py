"""How a run ends: its exit code and, where it did not come to its end, what is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from exportcheck.errors import EXIT_BROKEN, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK
from exportcheck.results import Status

if TYPE_CHECKING:
    from exportcheck.results import Report


def exit_code(report: Report) -> int:
    """The exit code of a run that came to its end."""
    if report.unchecked:
        return EXIT_BROKEN
    return EXIT_OK if report.green else EXIT_FAILED


def ended_early(trouble: BaseException, report: Report) -> int:
    """Says on stderr what ended a run and how much of it is kept; returns the exit code."""
    if isinstance(trouble, KeyboardInterrupt):
        cause, code = "interrupted", EXIT_INTERRUPTED
    else:
        cause, code = str(trouble), EXIT_BROKEN
    # What was given up since no worker starts has a result, which says so, and is not finished.
    done = sum(result.status is not Status.UNAVAILABLE for result in report.results)
    asked = len(report.results) + len(report.unfinished)
    kept = f"{done} of {asked} cases are finished and kept" if done else "no case is finished"
    typer.echo(f"exportcheck: {cause}; {kept}", err=True)
    return code
