"""GitHub Actions: annotations on the standard output, and a step summary in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exportcheck.escaping import brief, github, printable
from exportcheck.matrix import failures, totals, verdict
from exportcheck.render import markdown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exportcheck.results import Report

FILE_NAME = ""

ANNOTATIONS = 10
"""Of each type in one step; GitHub drops what comes after.

Source: github.com/orgs/community/discussions/26680.
"""

SUMMARY_BYTES = 1024 * 1024
"""Of one step; GitHub refuses more. Source: docs.github.com, workflow commands, step summaries."""


def render(report: Report) -> str:
    """Workflow commands: an error for each thing that is not as expected, a notice for the rest."""
    errors = list(_errors(report))
    if len(errors) > ANNOTATIONS:
        rest = len(errors) - ANNOTATIONS + 1
        more = f"and {rest} more; the step summary and the log have them all"
        errors[ANNOTATIONS - 1 :] = [("exportcheck", more)]
    lines = [_command("error", title, message) for title, message in errors]
    lines.append(_command("notice", "exportcheck", f"{verdict(report)}. {totals(report)}"))
    return "\n".join(lines) + "\n"


def _errors(report: Report) -> Iterator[tuple[str, str]]:
    """Title and message of everything that makes `exportcheck all` end with 1."""
    for failure in failures(report):
        if failure.known is None:
            targets = f"{', '.join(failure.targets)} ({', '.join(failure.networks)})"
            cause = failure.blame.sentence if failure.blame else failure.cause
            yield (
                f"{failure.activation}: {failure.status.value} at {failure.stage}",
                f"{targets}: {cause or failure.status.value}",
            )
    for result in report.fixed:
        if result.known:
            yield f"{result.case.activation} passes now", f"{result.id}: {result.known.pattern}"
    for pattern in report.stale:
        yield "a limitation matches no case", pattern
    if report.unfinished:
        yield "cases without a result", f"{len(report.unfinished)}, {report.unfinished[0].id} first"


def _command(kind: str, title: str, message: str) -> str:
    shown = github(brief(printable(message), 1000))
    return f"::{kind} title={github(brief(title, 200), attribute=True)}::{shown}"


def summary(report: Report, limit: int = SUMMARY_BYTES) -> str:
    """The Markdown for the step summary, cut at a line end where it exceeds `limit` bytes."""
    text = markdown.render(report)
    if len(text.encode()) <= limit:
        return text
    remark = "\n\nThe rest is left out: a step summary takes no more. See matrix.json.\n"
    room = limit - len(remark)
    kept = text.encode()[: max(0, room)].decode(errors="ignore").rpartition("\n")[0]
    return f"{kept}{remark}" if room > 0 else ""
