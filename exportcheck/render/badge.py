"""A badge: how many of the cases pass, as a small SVG of our own drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

from exportcheck.matrix import verdict

if TYPE_CHECKING:
    from exportcheck.results import Report

FILE_NAME = "badge.svg"

_LABEL = "exportcheck"
_HEIGHT = 20
_CHARACTER = 6.3
_PADDING = 8
# White on each of these, and on the label's, has a contrast above 4.5 : 1.
_GREEN, _RED, _GREY, _INK = "#1a7f37", "#b3261e", "#57606a", "#32383f"


def render(report: Report) -> str:
    """`exportcheck | 2394 of 2580 pass`, green where all is as expected, else what is not."""
    counts, total = report.counts(), len(report.results)
    message = f"{counts['pass']} of {total} pass"
    if not report.green:
        message = verdict(report).partition(": ")[2]
    color = _GREY if not total and report.green else _GREEN if report.green else _RED
    left, right = (len(text) * _CHARACTER + 2 * _PADDING for text in (_LABEL, message))
    size = {"width": f"{left + right:.0f}", "height": str(_HEIGHT)}
    told = f"{_LABEL}: {message}"
    svg = Xml.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, "role": "img"})
    svg.set("aria-label", told)
    Xml.SubElement(svg, "title").text = told
    Xml.SubElement(svg, "rect", size, rx="4", fill=_INK)
    _part(svg, left, right, color)
    words = Xml.SubElement(svg, "g", {"fill": "#fff", "font-size": "11", "text-anchor": "middle"})
    words.set("font-family", "DejaVu Sans, Verdana, sans-serif")
    for text, middle, width in ((_LABEL, left / 2, left), (message, left + right / 2, right)):
        place = {"x": f"{middle:.1f}", "y": "14", "textLength": f"{width - 2 * _PADDING:.0f}"}
        Xml.SubElement(words, "text", place).text = text
    return Xml.tostring(svg, "unicode") + "\n"


def _part(svg: Xml.Element, left: float, right: float, color: str) -> None:
    """The coloured right part, its outer corners round."""
    line = f"M{left:.1f} 0h{right - 4:.1f}q4 0 4 4v{_HEIGHT - 8}q0 4-4 4H{left:.1f}z"
    Xml.SubElement(svg, "path", d=line, fill=color)
