from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from exportcheck.render import html
from exportcheck.results import Curve, Report, Stage, Status
from tests.conftest import result
from tests.render.full_size import full_size_report
from tests.render.test_formats import HOSTILE, hostile_report

STYLE = (Path(html.__file__).parent / "html" / "page.css").read_text("utf-8")


class Page(HTMLParser):
    """The tags of a page with their attributes, and the text inside each script and style."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.open = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.inside.append("")

        self.open = tag

    def handle_endtag(self, tag):
        self.open = ""

    def handle_data(self, data):
        if self.open in ("script", "style"):
            self.inside[-1] += data

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def data_of(text: str):
    """The report inside a page."""
    _style, data, _script = Page(text).inside
    return json.loads(data)


def results_of(data):
    """Every result of a page as a dictionary, with its form, in the order of the page."""
    for family in data["families"]:
        for form in family["forms"]:
            for cell in filter(None, form["cells"]):
                for state, *places in cell["results"]:
                    values = [data["pool"][place] for place in places]
                    yield {
                        "form": form["name"],
                        **dict(zip(data["fields"], [state, *values], strict=True)),
                    }


@pytest.fixture(scope="module")
def full_size():
    return html.render(full_size_report())


def test_the_page_of_a_full_run_is_small(full_size):
    assert len(full_size.encode()) < 3_000_000


def test_every_result_is_in_the_page(full_size):
    seen = sorted((r["form"], r["network"], r["state"]) for r in results_of(data_of(full_size)))
    assert seen == sorted(
        (r.case.activation, r.case.network, state_of(r)) for r in full_size_report().results
    )


def state_of(one):
    return "noted" if one.status is Status.PASS and one.notes else one.status.value


def test_the_page_counts_as_the_report_does(report):
    data = data_of(html.render(report))
    assert data["counts"] == report.counts()
    states = [r["state"] for r in results_of(data)]
    for status in Status:
        noted = states.count("noted") if status is Status.PASS else 0
        assert states.count(status.value) + noted == report.counts()[status.value]
    assert states.count("noted") == report.counts()["noted"]


def test_a_result_keeps_what_its_panel_shows(report):
    curve = Curve((-18.0, -17.0), (float("-inf"), -17.0), (-18.0, -17.0), (float("inf"), 0.0))
    first = replace(report.results[0], curves={"grid": curve}, log="noise", machine="here")
    data = data_of(html.render(replace(report, results=(first, *report.results[1:]))))
    (shown,) = (r for r in results_of(data) if r["form"] == "logsigmoid")
    assert shown["message"] == first.message
    assert shown["blame"]["culprit"] == "runtime-kernel"
    assert shown["known"]["reason"] == first.known.reason
    assert shown["log"] == "noise"
    assert shown["machine"] == "here"
    comparisons = dict(data["pool"][place] for place in shown["comparisons"])
    assert comparisons["grid"]["worst"]["actual"] == "-inf"
    assert comparisons["grid"]["kinds"] == {"inf-made": 3}
    drawn = data["pool"][shown["curves"]["grid"]]
    assert drawn["actual"] == ["-inf", -17.0]
    assert drawn["ulp"] == ["inf", 0.0]


def test_failures_point_at_their_results(report):
    data = data_of(html.render(report))
    results = list(results_of(data))
    for failure in data["failures"]:
        for place in failure["results"]:
            assert results[place]["form"] == failure["form"]
            assert results[place]["state"] == failure["status"]
    assert sum(len(f["results"]) for f in data["failures"]) == len(report.failures)
    assert [results[place]["form"] for place in data["fixed"]] == ["celu"]


def test_a_family_says_which_form_works(report):
    data = data_of(html.render(report))
    column = [c["target"] for c in data["columns"]].index("onnx-trace-opset17")
    support = {f["name"]: f["support"][column] for f in data["families"]}
    assert support["logsigmoid"] == ["form", "logsigmoid-softplus"]
    assert support["softshrink"] == ["noted", "softshrink"]
    assert support["mish"] is None


def test_functions_of_one_variable_bring_their_curve(report):
    curves = {f["name"]: f["curve"] for f in data_of(html.render(report))["families"]}
    assert curves["mish"]["x"][0] == -8.0
    gated = result("glu", "glu", "torch-export", "torch", Status.PASS, Stage.COMPARE)
    assert data_of(html.render(Report((gated,))))["families"][0]["curve"] is None


def test_an_activation_that_the_catalogue_does_not_know_has_its_name(report):
    unknown = result("own", "own", "torch-export", "torch", Status.PASS, Stage.COMPARE)
    (family,) = data_of(html.render(Report((unknown,))))["families"]
    assert [set(form) for form in family["forms"]] == [{"name", "cells"}]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_adds_no_tag_and_arrives_whole(text):
    page = html.render(hostile_report(text))
    assert Page(page).tags == Page(html.render(hostile_report("kind"))).tags
    messages = {r["message"] for r in results_of(data_of(page))}
    assert messages == {text}


def test_a_long_log_keeps_its_end_and_a_long_message_its_start():
    log, message = "start" + "x" * 50_000 + "end", "begin" + "y" * 50_000 + "stop"
    one = result("relu", "relu", "torch-export", "torch", Status.ERROR, Stage.RUN,
                 message=message, log=log)  # fmt: skip
    (shown,) = results_of(data_of(html.render(Report((one,)))))
    assert shown["log"].endswith("xend")
    assert shown["log"].startswith("[44008 characters left out]\n")
    assert shown["message"].startswith("beginy")
    assert shown["message"].endswith("y\n[44009 characters left out]")


def test_nothing_is_fetched_and_only_its_own_script_runs(report):
    page = Page(html.render(report))
    links = [
        attributes[name]
        for _, attributes in page.tags
        for name in ("src", "href", "action", "srcset")
        if attributes.get(name)
    ]
    assert set(links) == {"data:,", "#content"}
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    style, _, script = page.inside
    (policy,) = (m["content"] for m in page.of("meta") if "http-equiv" in m)
    assert "default-src 'none'" in policy
    assert f"style-src 'sha256-{digest(style)}'" in policy
    assert f"script-src 'sha256-{digest(script)}'" in policy


def digest(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def colours() -> dict[str, tuple[str, str]]:
    """Each colour of the style by name: in light, in dark."""
    pair = r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);"
    return {name: (light, dark) for name, light, dark in re.findall(pair, STYLE)}


def luminance(colour: str) -> float:
    """Relative luminance. Source: WCAG 2.2, definition of relative luminance."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


STATES = ("pass", "noted", "form", "mismatch", "error", "crash", "unavailable")
GROUNDS = ("page", "raised", "over", "faint")
INKS = [(f"{state}-ink", state) for state in STATES]
INKS += [(ink, ground) for ink in ("ink", "soft", "link", "value", "other") for ground in GROUNDS]
INKS += [(f"{state}-ink", "page") for state in STATES]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), INKS)
def test_every_ink_has_contrast_on_its_ground(ink, ground, theme):
    """Source: WCAG 2.2, success criterion 1.4.3: 4.5 for text."""
    found = colours()
    assert contrast(found[ink][theme], found[ground][theme]) >= 4.5


def test_contrast_is_measured_right():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_scripts_make_elements_and_never_markup():
    folder = Path(html.__file__).parent / "html"
    scripts = {path.name: path.read_text("utf-8") for path in folder.glob("*.js")}
    assert {"dom.js", "main.js", "plots.js"} <= set(scripts)
    forbidden = r"(inner|outer|adjacent)HTML|document\.write|\beval\b|new Function|fetch\("
    for name, text in scripts.items():
        assert not re.findall(forbidden, text, re.IGNORECASE), name
