from __future__ import annotations

import re

import pytest

from exportcheck.render.terminal import render
from exportcheck.results import Case, Report


@pytest.mark.parametrize("width", [80, 160])
def test_the_whole_text(report, golden, width):
    golden(f"terminal-{width}.txt", render(report, width=width))


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(report, width):
    assert max(map(len, render(report, width=width).splitlines())) <= max(width, 51)


def test_colour_only_on_demand(report):
    assert "\x1b[" not in render(report)
    assert "\x1b[" in render(report, color=True)


def test_colour_changes_no_text(report):
    plain = re.sub(r"\x1b\[[0-9;]*m", "", render(report, color=True))
    assert [line.rstrip() for line in plain.splitlines()] == render(report).splitlines()


def test_simulated_numbers_are_named(report):
    assert "mil-numpy (simulated)" in render(report)
    real = Report(tuple(r for r in report.results if r.case.runtime != "mil-numpy"))
    assert "simulated" not in render(real)


def test_an_empty_report_is_said():
    assert "0 cases: 0 pass" in render(Report(()))


def test_of_thousands_that_did_not_finish_the_first_are_named():
    cases = tuple(Case(f"a{n}", "bare", "t", "r", "c") for n in range(1000))
    text = render(Report((), unfinished=cases))
    assert [f"a{n}/bare/t/r/c" in text for n in (0, 4, 5)] == [True, True, False]
    assert "and 995 more" in text
    assert "more" not in render(Report((), unfinished=cases[:5]))
