from __future__ import annotations

from xml.etree import ElementTree as Xml

import pytest

from exportcheck.render.badge import render
from exportcheck.results import Report, Stage, Status
from tests.conftest import result

NAMESPACE = {"svg": "http://www.w3.org/2000/svg"}
PASS = result("relu", "relu", "torch-export", "torch", Status.PASS, Stage.COMPARE)
FAIL = result("celu", "celu", "torch-export", "torch", Status.ERROR, Stage.EXPORT)


def words(report: Report) -> str:
    return Xml.fromstring(render(report)).findall(".//svg:text", NAMESPACE)[1].text


def test_the_whole_text(report, golden):
    golden("badge.svg", render(report))


@pytest.mark.parametrize(
    ("report", "text"),
    [
        (Report((PASS, PASS)), "2 of 2 pass"),
        (Report((PASS, FAIL)), "1 new"),
        (Report(()), "0 of 0 pass"),
        (Report((), stale=("x",)), "1 stale"),
    ],
)
def test_what_it_says(report, text):
    assert words(report) == text
    assert Xml.fromstring(render(report)).find("svg:title", NAMESPACE).text.endswith(text)


def luminance(color: str) -> float:
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("report", [Report((PASS,)), Report((FAIL,)), Report(())])
def test_white_text_has_contrast_on_every_colour(report):
    """4.5 : 1. Source: WCAG 2.2, success criterion 1.4.3."""
    svg = Xml.fromstring(render(report))
    fills = [e.get("fill") for e in svg.iter() if (e.get("fill") or "").startswith("#")]
    backgrounds = [fill for fill in fills if fill != "#fff"]
    assert len(backgrounds) == 2
    for background in backgrounds:
        assert 1.05 / (luminance(background) + 0.05) >= 4.5
