from __future__ import annotations

import re

import pytest

from exportcheck.render import markdown
from exportcheck.render.github import ANNOTATIONS, SUMMARY_BYTES, render, summary
from exportcheck.results import Report, Stage, Status
from tests.conftest import result
from tests.render.test_formats import HOSTILE, hostile_report


def failing(count: int, message: str = "m") -> Report:
    names = [f"a{i}" for i in range(count)]
    return Report(
        tuple(
            result(n, n, "torch-export", "torch", Status.ERROR, Stage.RUN, message=f"{n} {message}")
            for n in names
        )
    )


def test_the_whole_text(report, golden):
    golden("github.txt", render(report))


@pytest.mark.parametrize("count", [0, 1, ANNOTATIONS, ANNOTATIONS + 1, 500])
def test_no_more_annotations_than_github_shows(count):
    errors = [line for line in render(failing(count)).splitlines() if line.startswith("::error")]
    assert len(errors) == min(count, ANNOTATIONS)
    more = count - ANNOTATIONS + 1
    assert (f"and {more} more" in errors[-1] if errors else True) == (more > 1 or not count)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_every_line_is_one_command_of_ours(text):
    lines = render(hostile_report(text)).splitlines()
    assert len(lines) == len(render(hostile_report("tame")).splitlines())
    for line in lines:
        assert re.fullmatch(r"::(error|notice) title=[^:,]+::.+", line)


def test_the_summary_is_the_markdown(report):
    assert summary(report) == markdown.render(report)


@pytest.mark.parametrize("limit", [SUMMARY_BYTES, 2000, 90, 10, 0, -5])
def test_the_summary_fits(limit):
    report = failing(4000 if limit == SUMMARY_BYTES else 10, "ü" * 300)
    assert len(markdown.render(report).encode()) > limit
    text = summary(report, limit)
    assert len(text.encode()) <= max(0, limit)
    assert (limit < 90) == ("matrix.json" not in text)
