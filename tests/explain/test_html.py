from __future__ import annotations

import json
import re

import pytest

from exportcheck.catalog import activations
from exportcheck.explain import html
from exportcheck.history.adding import runs_of
from exportcheck.history.runs import History
from tests.conftest import HOSTILE_TEXT
from tests.explain.costs import COSTS
from tests.history.runs import ONNX12, REFUSED, cell, history, report
from tests.render.browser import CHROMIUM, Browser

FAMILIES = ["hardswish", "relu", "snake", "glu"]
PAGE = html.render(history(), COSTS, FAMILIES, "matrix.html")


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_the_same_history_gives_the_same_bytes():
    assert html.render(history(), COSTS, FAMILIES, "matrix.html") == PAGE


def test_nothing_comes_from_the_network():
    assert not re.findall(r'(?:src|href)="https?:', PAGE)
    assert "default-src 'none'" in PAGE


def test_what_an_exporter_said_cannot_break_the_page():
    hostile = (*REFUSED[:2], f"</script><script>alert(1)</script> {HOSTILE_TEXT}")
    runs = runs_of(report(cell("torch-1.7", "hardswish", ONNX12, hostile)), "r.json")
    page = html.render(History(runs), {}, ["hardswish"])
    assert page.count("</script>") == PAGE.count("</script>")
    assert "alert(1)" in data_of(page)["families"][0]["failed"][0][1]


def test_every_family_of_the_catalogue_fits_a_page():
    families = list(dict.fromkeys(a.family for a in activations().values()))
    assert len(data_of(html.render(history(), COSTS, families))["families"]) == len(families)


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium here: make browser")
    with Browser() as started:
        yield started


@pytest.fixture
def opened(browser, tmp_path):
    """Opens the page in a window of some size and theme; nothing may go wrong on it."""

    def open_page(fragment="", size=(1200, 900), page=PAGE, **media):
        path = tmp_path / "history.html"
        path.write_text(page, "utf-8")
        browser.resize(*size)
        browser.emulate(**media)
        browser.open(path, fragment)
        return browser

    yield open_page
    assert browser.problems() == []


def texts(browser, selector):
    return browser.evaluate(f"[...document.querySelectorAll({selector!r})].map(e => e.innerText)")


def test_the_overview_has_a_square_for_each_version(opened):
    page = opened()
    assert texts(page, "tbody th") == ["hardswish", "relu"]
    assert page.evaluate(
        "[...document.querySelectorAll('tbody tr:first-child .square')].map(e => e.ariaLabel)"
    ) == [
        (
            "hardswish, torch 1.5.1: the native form is not there yet, another works: "
            "hardswish-hardtanh"
        ),
        "hardswish, torch 1.7.1: the native form fails, another works: hardswish-hardtanh",
        "hardswish, torch 1.8.1: works",
    ]


def test_a_square_opens_its_family_and_a_tab_its_track(opened):
    page = opened("#track:coreml")
    assert "Core ML, float32, by coremltools" in texts(page, ".tracks [aria-current]")
    page.evaluate("document.querySelector('.square').click()")
    page.wait("document.querySelector('.family-head h2')")
    assert texts(page, ".family-head h2") == ["hardswish"]
    assert texts(page, "#views [aria-current]") == ["hardswish"]


def test_a_square_of_a_family_is_read_out_in_the_words_of_that_day(opened):
    page = opened("#hardswish")
    page.evaluate("document.querySelectorAll('.square')[1].click()")
    (said,) = [text for text in texts(page, ".said") if "Choose" not in text]
    assert REFUSED[2] in said
    assert "opset 9" in said
    assert "onnxruntime 1.6.0" in said
    assert (
        "exportcheck all --toolchain torch-1.7 "
        "--select 'hardswish/bare/onnx-trace-opset12/onnxruntime/*' --output out"
    ) in said


def test_every_command_is_the_one_that_python_writes(opened):
    page = opened("#hardswish")
    told = {command for sentence in ("needed", "failed") for *_, command in _told(sentence)}
    count = page.evaluate("document.querySelectorAll('.strip-part .square').length")
    seen = set()
    for place in range(count):
        page.evaluate(f"document.querySelectorAll('.strip-part .square')[{place}].click()")
        seen.update(texts(page, ".said .command"))
    single = {command for command in told if "/bare/onnx" in command or "/bare/coreml" in command}
    assert single <= seen


def _told(name):
    return data_of(PAGE)["families"][0][name]


def test_a_function_without_history_and_one_without_a_curve(opened):
    page = opened("#snake")
    assert "History, as measured" not in texts(page, "h3")
    assert texts(page, "#content svg[role=img]")
    page = opened("#glu")
    assert texts(page, "#content .none") == [
        "Each output depends on many inputs, so there is no curve to draw."
    ]


def test_arrow_keys_move_between_squares(opened):
    page = opened("#hardswish")
    page.evaluate("document.querySelector('.square[tabindex=\"0\"]').focus()")
    page.press("ArrowRight")
    page.press("ArrowDown")
    label = page.evaluate("document.activeElement.ariaLabel")
    assert label == "hardswish-hardtanh, torch 1.7.1: works"


@pytest.mark.parametrize("fragment", ["", "#hardswish", "#toolchains"])
def test_a_phone_scrolls_tables_and_never_the_page(opened, fragment):
    page = opened(fragment, size=(390, 800))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_a_desk_the_head_stays(opened):
    page = opened("#hardswish")
    page.evaluate("document.querySelector('.sentences').scrollIntoView()")
    assert page.evaluate("document.querySelector('.top').getBoundingClientRect().top") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_signs_can_be_read_on_their_colours(opened, scheme):
    page = opened("#hardswish", prefers_color_scheme=scheme)
    pairs = page.evaluate(
        "[...document.querySelectorAll('.square, .sign')].map(e => {"
        "const s = getComputedStyle(e); return [s.color, s.backgroundColor]; })"
    )
    assert pairs
    for ink, ground in {tuple(pair) for pair in pairs}:
        assert contrast(ink, ground) >= 4.5, (ink, ground)


def contrast(one, other):
    def light(colour):
        parts = [int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]
        r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)
