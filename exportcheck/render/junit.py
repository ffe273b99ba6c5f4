"""JUnit XML: a test suite for each target, a test case for each case, its figures as properties.

Valid at any moment of a run: what has no result yet is an error, so that a run that was cut short
is never taken for one that passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

from exportcheck.escaping import brief, printable, tail
from exportcheck.results import Status

if TYPE_CHECKING:
    from exportcheck.results import Case, Report, Result

FILE_NAME = "junit.xml"

_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def render(report: Report) -> str:
    """The report as JUnit XML.

    New failures are failures (wrong numbers) or errors (everything else), known ones are skipped
    with their reason, and so is what cannot run here; a known failure that passes is a failure.
    """
    root = Xml.Element("testsuites", name="exportcheck")
    suites: dict[str, Xml.Element] = {}
    for result in report.results:
        _tell(result, _test_case(suites, root, result.case))
    for case in report.unfinished:
        _outcome(_test_case(suites, root, case), "error", "unfinished", "the run ended before it")
    for pattern in report.stale:
        element = Xml.SubElement(_suite(suites, root, "limitations"), "testcase")
        element.attrib.update(classname="limitations", name=printable(pattern))
        _outcome(element, "failure", "stale", "a limitation that matches no case: remove it")
    for suite in (*suites.values(), root):
        suite.set("tests", str(len(list(suite.iter("testcase")))))
        for attribute, tag in _COUNTED.items():
            suite.set(attribute, str(len(list(suite.iter(tag)))))
    Xml.indent(root, " ")
    return f"<?xml version='1.0' encoding='utf-8'?>\n{Xml.tostring(root, 'unicode')}\n"


def _suite(suites: dict[str, Xml.Element], root: Xml.Element, name: str) -> Xml.Element:
    if name not in suites:
        suites[name] = Xml.SubElement(root, "testsuite", name=printable(name))
    return suites[name]


def _test_case(suites: dict[str, Xml.Element], root: Xml.Element, case: Case) -> Xml.Element:
    element = Xml.SubElement(_suite(suites, root, case.target), "testcase")
    element.attrib.update(classname=printable(case.target), name=printable(case.id))
    return element


def _outcome(element: Xml.Element, tag: str, kind: str, message: str, text: str = "") -> None:
    outcome = Xml.SubElement(element, tag, type=kind, message=printable(brief(message, 1000)))
    outcome.text = printable(tail(text), kept="\n\t") or None


def _tell(result: Result, element: Xml.Element) -> None:
    """Fills in what became of the case."""
    element.set("time", f"{sum(result.durations_s.values()):.3f}")
    properties = Xml.SubElement(element, "properties")
    for name, value in _figures(result).items():
        Xml.SubElement(properties, "property", name=name, value=printable(brief(value, 1000)))
    status, known = result.status, result.known
    cause = result.first_line or status.value
    if status is Status.UNAVAILABLE:
        _outcome(element, "skipped", status.value, cause)
    elif result.fixed and known:
        _outcome(element, "failure", "fixed", f"passes; remove the limitation {known.pattern}")
    elif status.failed and known:
        _outcome(element, "skipped", "known", f"{known.reason} {known.issue}".strip())
    elif status.failed:
        tag = "failure" if status is Status.MISMATCH else "error"
        _outcome(element, tag, status.value, cause, result.message)
    if status.failed and result.log:
        log = Xml.SubElement(element, "system-out")
        log.text = printable(tail(result.log), kept="\n\t")


def _figures(result: Result) -> dict[str, str]:
    figures = {"status": result.status.value, "stage": result.stage.value}
    if result.machine:
        figures["machine"] = result.machine
    if result.blame:
        figures["culprit"] = result.blame.culprit.value
        figures["blame"] = result.blame.text
    for name, comparison in result.comparisons.items():
        if comparison.gates:
            figures[f"{name}.max_error"] = f"{comparison.max_error:.6g}"
            figures[f"{name}.mismatched"] = f"{comparison.mismatched} of {comparison.total}"
    figures.update({name: str(value) for name, value in result.actual.items()})
    return figures
