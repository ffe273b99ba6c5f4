"""How a run ends that did not come to its end: what is finished is kept, and said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from exportcheck.errors import EXIT_BROKEN, EXIT_INTERRUPTED

if TYPE_CHECKING:
    from exportcheck.results import Report


def ended_early(trouble: BaseException, report: Report) -> int:
    """Says on stderr what ended a run and how much of it is kept; returns the exit code."""
    if isinstance(trouble, KeyboardInterrupt):
        cause, code = "interrupted", EXIT_INTERRUPTED
    else:
        cause, code = str(trouble), EXIT_BROKEN
    done = len(report.results)
    asked = done + len(report.unfinished)
    typer.echo(f"exportcheck: {cause}; {done} of {asked} cases are finished and kept", err=True)
    return code
