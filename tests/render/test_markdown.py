from __future__ import annotations

import dataclasses

import pytest
from markdown_it import MarkdownIt

from exportcheck.render.markdown import render
from exportcheck.results import Change, ChangeKind, Report
from tests.render.test_formats import HOSTILE, hostile_report


def html(report: Report) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(render(report))


def test_the_whole_text(report, golden):
    golden("matrix.md", render(report))


def test_it_is_a_table_with_a_cell_for_every_column(report):
    rows = [line for line in render(report).splitlines() if line.startswith("|")]
    assert len({row.replace(r"\|", "").count("|") for row in rows}) == 1
    assert html(report).count("<table>") == 1


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_stays_text(text):
    tame, hostile = (html(hostile_report(t)) for t in ("tame", text))
    tags = ("<script", "<a ", "<img", "<table", "<td", "<li", "<h1", "<h2", "<strong", "<em")
    assert {tag: hostile.count(tag) for tag in tags} == {tag: tame.count(tag) for tag in tags}


def test_an_issue_is_a_link_where_it_is_one(report):
    assert '<a href="https://example.org/issues/1">issue</a>' in html(report)


def test_the_environment_of_every_machine_is_named(report):
    machines = {"Linux x86_64": {"versions": {"torch": "2.13.0"}}, "Darwin arm64": {"python": "3"}}
    text = render(dataclasses.replace(report, environment={"machines": machines}))
    assert "- Linux x86\\_64: torch 2.13.0\n- Darwin arm64: python 3\n" in text


def test_changes_are_told(report):
    change = Change(ChangeKind.FIXED, "relu/bare", "pass; was error at export")
    text = render(dataclasses.replace(report, changes=(change,)))
    assert "- fixed: `relu/bare` pass; was error at export" in text
