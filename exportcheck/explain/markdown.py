"""An explanation as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exportcheck.escaping import markdown, markdown_code
from exportcheck.explain.explanation import sections
from exportcheck.history.markdown import strip_table, table_rows
from exportcheck.history.strips import COREML_REMARK, LEGEND, quiet_text, uneventful

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exportcheck.explain.explanation import Explanation
    from exportcheck.explain.times import TimeCell, Times


def render(explanation: Explanation) -> str:
    """The explanation as GitHub-flavoured Markdown, the same bytes for the same measurements."""
    return "\n".join(
        (
            *_head(explanation),
            *_history(explanation),
            *_sentences(explanation),
            *_times(explanation),
            *_missing(explanation),
        )
    )


def _head(explanation: Explanation) -> Iterator[str]:
    reference = explanation.reference
    yield from (f"# {markdown(explanation.family)}", "")
    if explanation.verdict:
        yield from (markdown(" ".join(explanation.verdict)), "")
    yield f"{markdown_code(reference.formula)}, {markdown(reference.source)}"
    yield from ("", "## Forms", "")
    for form in explanation.forms:
        yield f"**{markdown(form.name)}** ({form.kind}): {markdown_code(form.formula)}"
        yield from ("", "```python", form.code, "```", "")


def _history(explanation: Explanation) -> Iterator[str]:
    if not explanation.strips:
        return
    quiet = [strip for strip in explanation.strips if uneventful(strip)]
    yield from ("## History, as measured", "", markdown(LEGEND), "", COREML_REMARK, "")
    for strip in explanation.strips:
        if strip not in quiet:
            yield from (f"### {markdown(strip.title)}", "", *strip_table(strip), "")
    if quiet:
        yield from (markdown(quiet_text(quiet)), "")


def _sentences(explanation: Explanation) -> Iterator[str]:
    for heading, sentences in sections(explanation):
        yield from (f"## {markdown(heading)}", "")
        for sentence in sentences:
            yield f"- {markdown(sentence.text)}"
            if sentence.quote:
                yield f"  > {markdown(sentence.quote)}"
                yield ""
            yield f"  {markdown_code(sentence.command)}"
        yield ""


def _times(explanation: Explanation) -> Iterator[str]:
    times = explanation.times
    if times is None:
        return
    yield from ("## Time, beside the native form", "", *_table(times), "")
    yield markdown(
        f"How many times as long as {times.reference} in the same round: median, and in brackets "
        f"where the middle half of the rounds lies. Measured on {explanation.timed_on}."
    )
    yield from ("", markdown_code(f"exportcheck cost {explanation.family}"), "")


def _table(times: Times) -> Iterator[str]:
    heads = [f"{runtime}<br>{shape}" for runtime, shape, _ in times.heads]
    own = [f"{microseconds:g} µs" for _, _, microseconds in times.heads]
    rows = [(markdown_code(form), *map(_cell, cells)) for form, cells in times.rows.items()]
    yield from table_rows(("", *heads), iter([(markdown_code(times.reference), *own), *rows]))


def _cell(cell: TimeCell | None) -> str:
    return "–" if cell is None else cell.text


def _missing(explanation: Explanation) -> Iterator[str]:
    if explanation.missing:
        yield from ("## Not known", "", *(f"- {markdown(one)}" for one in explanation.missing), "")
