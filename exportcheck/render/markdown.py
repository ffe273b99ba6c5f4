"""Markdown for a pull request or a step summary: the same report gives the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exportcheck.escaping import brief, markdown, markdown_code, markdown_link
from exportcheck.matrix import (
    LEGEND,
    MARKS,
    failures,
    known_failures,
    lay_out,
    totals,
    verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from exportcheck.matrix import Failure, Matrix
    from exportcheck.results import Known, Report

FILE_NAME = "matrix.md"


def render(report: Report) -> str:
    """The report as GitHub-flavoured Markdown."""
    return "\n".join((*head(report), *matrix(report), *known(report), *environment(report)))


def head(report: Report) -> Iterator[str]:
    """The counts, the verdict, and whatever is not as expected."""
    yield from ("# exportcheck", "", f"**{totals(report)}**", "", f"{verdict(report)}", "")
    new = [failure for failure in failures(report) if failure.known is None]
    fixed = [
        f"{markdown_code(r.id)}: limitation {markdown_code(r.known.pattern)}"
        for r in report.fixed
        if r.known
    ]
    yield from _section("New failures", map(_failure, new))
    yield from _section("Known failures that pass now: remove the limitation", fixed)
    yield from _section(
        "Limitations that match no case: remove them", map(markdown_code, report.stale)
    )
    yield from _section("Not finished", (markdown_code(case.id) for case in report.unfinished))
    yield from _section(
        "Changes",
        (f"{c.kind.value}: {markdown_code(c.subject)} {markdown(c.text)}" for c in report.changes),
    )


def _section(heading: str, items: Iterable[str]) -> Iterator[str]:
    items = list(items)
    if items:
        yield from (f"## {heading}", "", *(f"- {item}" for item in items), "")


def _failure(failure: Failure, told: str = "") -> str:
    """Where and at which stage; beneath it cause and blame, what `told` has of them left out."""
    targets, networks = (
        ", ".join(map(markdown_code, names)) for names in (failure.targets, failure.networks)
    )
    form = markdown_code(failure.activation)
    what = f"{failure.status.value} at {failure.stage}"
    lines = [f"{MARKS[failure.status]} {form} {what}: {targets} ({networks})"]
    if failure.cause and failure.cause not in told:
        lines.append(markdown_code(brief(failure.cause)))
    if failure.blame and failure.blame.sentence not in told:
        lines.append(markdown(brief(failure.blame.sentence)))
    if failure.works_in:
        lines.append(f"works in: {markdown(', '.join(failure.works_in))}")
    return "<br>\n  ".join(lines)


def matrix(report: Report) -> Iterator[str]:
    """The matrix as one table, the forms of each family together, with its legend."""
    laid_out = lay_out(report)
    if not laid_out.columns:
        return
    yield from ("## Matrix", "", markdown(LEGEND), "")
    if simulated := sorted({c.runtime for c in laid_out.columns if c.simulated}):
        yield from (f"\\* numbers by {markdown(', '.join(simulated))} (simulated)", "")
    heads = [
        f"{markdown(column.group)}<br>{markdown(column.label + '*' * column.simulated)}"
        for column in laid_out.columns
    ]
    yield _row("family / form", *heads)
    yield _row("---", *("---" for _ in heads))
    yield from _rows(laid_out)
    yield ""


def _rows(laid_out: Matrix) -> Iterator[str]:
    for family, forms in laid_out.families.items():
        if forms != (family,):
            yield _row(f"**{markdown(family)}**", *("" for _ in laid_out.columns))
        for form in forms:
            cells = (laid_out.cells.get((form, column)) for column in laid_out.columns)
            yield _row(
                markdown_code(form),
                *("" if cell is None else f"{cell.mark} {cell.figure}" for cell in cells),
            )


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def known(report: Report) -> Iterator[str]:
    """The limitations that apply, each with the failures it names beneath it."""
    grouped = known_failures(report)
    if not grouped:
        return
    told: dict[Known | None, list[Failure]] = {}
    for failure in failures(report):
        told.setdefault(failure.known, []).append(failure)
    yield from ("## Known failures", "")
    for limitation, results in grouped.items():
        cases = "1 case" if len(results) == 1 else f"{len(results)} cases"
        link = markdown_link("issue", brief(limitation.issue))
        reason = f"{cases}. {markdown(brief(limitation.reason))} {link}".rstrip()
        yield f"- {markdown_code(limitation.pattern)}: {reason}"
        for failure in told[limitation]:
            yield f"  - {_failure(failure, limitation.reason)}".replace("\n", "\n  ")
    yield ""


def environment(report: Report) -> Iterator[str]:
    """Platform and versions, for each machine where the results of several were joined."""
    yield from ("## Environment", "")
    for name, facts in report.machines.items():
        plain = {k: v for k, v in facts.items() if not isinstance(v, dict)}
        versions: dict[str, str] = facts.get("versions", {})
        said = [f"{key} {value}" for key, value in (*plain.items(), *versions.items())]
        yield f"- {markdown(f'{name}: ' if name else '')}{markdown(', '.join(said))}"
    yield ""
