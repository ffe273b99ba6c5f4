"""What every format must hold to; what is one format's own stands in its own file."""

from __future__ import annotations

import csv as csv_module
import io
import json as json_module
import re
from xml.etree import ElementTree as Xml

import pytest

from exportcheck.records import report_from_json, report_to_json
from exportcheck.render import formats
from exportcheck.results import Case, Known, Report, Stage, Status
from tests.conftest import HOSTILE_TEXT, result

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": "\" onload='alert(1)' x=\"",
    "cdata": "]]>",
    "comment": "--> <!--",
    "pipe": "a | b\n| --- |",
    "backticks": "``` `x` ```",
    "ansi": "\x1b[31mred\x1b[0m\x1b]8;;http://example.org\x07",
    "controls": "\x00\x01\x08\x0b\x0c\x7f\x85\u2028\ufffe\uffff",
    "surrogate": "\ud800 lone \udfff",
    "bidi": "\u202eevil\u2066",
    "command": "::error title=x::y\n::stop-commands::z %0A::warning::w ##[error]v",
    "formula": "=HYPERLINK(\"http://example.org\")",
    "markup": "[red]bold[/red] **x** [a](javascript:alert(1)) @somebody #1",
    "template": "${alert(1)} {{7*7}} </textarea></style>",
    "everything": HOSTILE_TEXT,
}  # fmt: skip


def hostile_report(text: str) -> Report:
    """A report in which everything that others may have written is `text`."""
    known = Known(text, text, text)
    facts = {"message": text, "log": text, "notes": (text,), "network": text}
    cases = [
        result(text, text, text, text, Status.ERROR, Stage.EXPORT, **facts),
        result("relu", text, text, text, Status.PASS, Stage.COMPARE, known=known, **facts),
        result("silu", text, text, text, Status.CRASH, Stage.RUN, known=known, **facts),
        result("celu", text, text, text, Status.UNAVAILABLE, Stage.BUILD, **facts),
    ]
    return Report(
        tuple(cases),
        {"platform": text, "versions": {"torch": text}},
        unfinished=(Case(text, text, text, text, text),),
        stale=(text,),
    )


def test_formats_are_the_files_of_the_folder():
    wanted = {"badge", "csv", "github", "html", "json", "junit", "markdown", "terminal"}
    assert set(formats()) == wanted
    names = [form.FILE_NAME for form in formats().values() if form.FILE_NAME]
    assert len(set(names)) == len(names)
    assert {"matrix.md", "matrix.html", "matrix.json", "junit.xml", "badge.svg"} <= set(names)


@pytest.mark.parametrize("name", formats())
def test_the_same_report_gives_the_same_bytes(report, name):
    text = formats()[name].render(report)
    again = report_from_json(json_module.loads(json_module.dumps(report_to_json(report))))
    assert formats()[name].render(again) == text


@pytest.mark.parametrize("name", formats())
def test_an_empty_report_is_rendered(name):
    assert formats()[name].render(Report(())).endswith("\n")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", formats())
def test_whatever_others_wrote_the_text_can_be_written_and_steers_no_terminal(name, text):
    rendered = formats()[name].render(hostile_report(text))
    rendered.encode("utf-8")
    assert not set(rendered) & set("\x00\x01\x07\x08\x0b\x0c\x1b\x7f\x85\u2028\u202e\u2066")


@pytest.mark.parametrize("name", sorted(set(formats()) - {"html", "json"}))
def test_a_megabyte_of_everything_that_is_said_is_cut(name):
    """JSON keeps all there is; the page has limits of its own, tested beside it."""
    big = "x" * 1_000_000 + "\nthe end"
    facts = {"message": big, "log": big, "notes": (big,)}
    known = Known("silu/*", big, big)
    cases = (
        result("relu", "relu", "torch-export", "torch", Status.ERROR, Stage.RUN, **facts),
        result("silu", "silu", "torch-export", "torch", Status.ERROR, Stage.RUN, known=known),
        result("celu", "celu", "torch-export", "torch", Status.UNAVAILABLE, Stage.RUN, **facts),
    )
    assert len(formats()[name].render(Report(cases))) < 400_000


JUDGED = ", ".join(rf"{name}: (?P<{name}>\d+)" for name in ("known", "new", "fixed", "unfinished"))
COUNTS_IN = {
    "badge": r"(?P<new>\d+) new, (?P<fixed>\d+) fixed, (?P<stale>\d+) stale, (?P<unfinished>\d+)",
    "terminal": JUDGED,
    "markdown": JUDGED,
    "github": JUDGED,
}


@pytest.mark.parametrize("name", COUNTS_IN)
def test_every_text_names_the_counts_of_the_report(report, name):
    counts = {**report.counts(), "stale": len(report.stale)}
    text = " ".join(formats()[name].render(report).split())
    found = re.search(COUNTS_IN[name], text).groupdict()
    assert {k: int(v) for k, v in found.items()} == {k: counts[k] for k in found}


@pytest.mark.parametrize("name", ["terminal", "markdown", "github"])
def test_every_text_counts_each_status(report, name):
    text = " ".join(formats()[name].render(report).split())
    for status in Status:
        assert f"{report.counts()[status.value]} {status.value}" in text


def test_machine_readable_formats_count_the_same(report):
    counts = report.counts()
    rows = list(csv_module.DictReader(io.StringIO(formats()["csv"].render(report))))
    for status in Status:
        assert sum(row["status"] == status.value for row in rows) == counts[status.value]
    for verdict in ("known", "new", "fixed"):
        assert sum(row["verdict"] == verdict for row in rows) == counts[verdict]
    assert sum(row["status"] == "unfinished" for row in rows) == counts["unfinished"]

    suites = Xml.fromstring(formats()["junit"].render(report))
    assert int(suites.get("tests")) == (
        len(report.results) + counts["unfinished"] + len(report.stale)
    )
    failures_and_errors = int(suites.get("failures")) + int(suites.get("errors"))
    assert failures_and_errors == (
        counts["new"] + counts["fixed"] + counts["unfinished"] + len(report.stale)
    )
    assert int(suites.get("skipped")) == counts["known"] + counts["unavailable"]

    assert json_module.loads(formats()["json"].render(report))["counts"] == counts
