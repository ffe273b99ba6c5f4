"""The page in a real browser: Debian's chromium, which `make browser` installs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exportcheck.render import html
from exportcheck.results import Curve, Report, Stage, Status, Worst
from tests.conftest import HOSTILE_TEXT, comparison, result
from tests.render.browser import CHROMIUM, Browser
from tests.render.full_size import full_size_report
from tests.render.test_formats import hostile_report

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: make browser")

CASE = "#logsigmoid/bare/onnx-trace-opset17/onnxruntime/torch-2.13"
WIDE, NARROW = (1400, 900), (390, 800)


@pytest.fixture(scope="module")
def browser():
    with Browser() as started:
        yield started


@pytest.fixture(scope="module")
def full_size():
    return html.render(full_size_report())


@pytest.fixture
def page(browser, tmp_path):
    """Opens a report, or its text, in a window of some size and theme; nothing may go wrong."""

    def opened(report, fragment="", size=WIDE, **media):
        path = tmp_path / "matrix.html"
        path.write_text(report if isinstance(report, str) else html.render(report), "utf-8")
        browser.resize(*size)
        browser.emulate(**media)
        browser.open(path, fragment)
        return browser

    yield opened
    assert browser.problems() == []


def drawn(report) -> Report:
    """`report` with a curve in its first result: -inf at the worst point, -18."""
    inputs = tuple(float(x) for x in range(-30, 30))
    wrong = tuple(float("-inf") if x < -17 else x for x in inputs)
    ulp = tuple(float("inf") if x < -17 else 0.0 for x in inputs)
    first = replace(report.results[0], curves={"grid": Curve(inputs, wrong, inputs, ulp)})
    return replace(report, results=(first, *report.results[1:]))


def shown(browser, selector) -> list[str]:
    """The text of every element that can be seen."""
    return browser.evaluate(
        f"[...document.querySelectorAll({selector!r})].filter((e) => e.checkVisibility())"
        ".map((e) => e.textContent)"
    )


def choose(browser, name, value):
    browser.evaluate(
        f"{{ const e = document.querySelector('#filters [name={name}]'); e.value = {value!r};"
        " e.dispatchEvent(new Event('change')); }"
    )


def panel_text(browser) -> str:
    """What the open panel says, spaces and line ends alike."""
    browser.wait("document.getElementById('panel').open")
    return " ".join(browser.evaluate("document.getElementById('panel').innerText").split())


def test_a_full_page_loads_in_less_than_two_seconds(page, full_size):
    opened = page(full_size)
    assert opened.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") < 2000
    assert opened.evaluate("document.querySelectorAll('#view-matrix button.cell').length") > 1000


def test_filters_leave_what_matches(page, report):
    opened = page(report)
    assert shown(opened, "#left") == ["9 cases"]
    choose(opened, "state", "error")
    assert shown(opened, "#left") == ["2 of 9 cases"]
    assert shown(opened, "tbody .name .text") == ["mish"]
    choose(opened, "state", "")
    choose(opened, "target", "group:Core ML")
    assert shown(opened, ".labels .label") == ["fp32", "fp16"]
    assert shown(opened, "tbody .name .text") == ["mish"]
    choose(opened, "target", "")
    choose(opened, "blame", "runtime-kernel")
    assert shown(opened, "tbody .form .name .text") == ["logsigmoid"]
    opened.evaluate("document.querySelector('#filters [type=reset]').click()")
    assert shown(opened, "#left") == ["9 cases"]
    choose(opened, "family", "celu")
    assert shown(opened, "tbody .name .text") == ["celu"]


def test_search_looks_into_names_causes_and_operators(page, report):
    opened = page(report)
    opened.press("/")
    for letter in "sigsegv":
        opened.press(letter)
    assert shown(opened, "#left") == ["1 of 9 cases"]
    opened.evaluate("document.querySelector('#filters [type=reset]').click()")
    for letter in "log onnx":
        opened.press(letter)
    assert shown(opened, "#left") == ["2 of 9 cases"]


def test_a_click_on_a_count_shows_those_cells(page, report):
    opened = page(report, "#failures")
    opened.evaluate("document.querySelector('.count.is-crash').click()")
    opened.wait("location.hash === '#matrix'")
    assert shown(opened, "#left") == ["1 of 9 cases"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_cell_opens_to_its_evidence_and_its_plot(page, report, theme):
    opened = page(drawn(report), prefers_color_scheme=theme)
    opened.evaluate("document.querySelector('button.cell.is-mismatch').click()")
    panel = panel_text(opened)
    for text in (
        "wrong numbers at stage compare",
        "-inf where eager gives -18 at x = -18",
        "runtime kernel onnxruntime's Sigmoid",
        "onnx.reference, the same file",
        "Works here instead: logsigmoid-softplus",
        "onnxruntime's Sigmoid is 0 below -18",
        "3 of 4096",
    ):
        assert text in panel
    assert shown(opened, "#panel figcaption") == [
        "grid: values, whole class",
        "grid: values, around the worst point",
        "grid: error in ULP, whole class",
        "grid: error in ULP, around the worst point",
    ]
    marks = "document.querySelectorAll('#panel .plot')[0].querySelectorAll('.actual {}').length"
    assert opened.evaluate(marks.format("circle")) == 47
    assert opened.evaluate(marks.format(".odd")) == 13
    assert_drawn(opened, "#panel .plot svg")


def assert_drawn(opened, selector):
    """Every plot has a size, lies within its frame, and is not of the colour of its ground."""
    for box in opened.evaluate(
        f"[...document.querySelectorAll({selector!r})].map((e) => {{"
        " const [a, b] = [e, e.querySelector('.line')].map((x) => x.getBoundingClientRect());"
        " return [a.width, a.height, b.left - a.left, a.right - b.right, b.top - a.top,"
        " a.bottom - b.bottom]; })"
    ):
        assert box[0] > 250
        assert box[1] > 100
        assert min(box[2:]) >= 0
    ground, ink = opened.evaluate(
        "[['.axes rect', 'fill'], ['.line', 'stroke']].map(([e, what]) =>"
        " getComputedStyle(document.querySelector('#panel ' + e))[what])"
    )
    assert ground != ink


@pytest.mark.parametrize(("theme", "dark"), [("light", False), ("dark", True)])
def test_the_page_follows_the_theme_of_the_system_until_somebody_chooses(page, report, theme, dark):
    brightness = (
        "getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).slice(0, 3)"
        ".reduce((sum, one) => sum + Number(one), 0)"
    )
    opened = page(report, prefers_color_scheme=theme)
    assert (opened.evaluate(brightness) < 150) is dark
    opened.evaluate("document.getElementById('theme').click()")
    assert (opened.evaluate(brightness) < 150) is not dark
    opened.evaluate("localStorage.clear()")


def test_the_keyboard_is_enough(page, report):
    opened = page(report)
    opened.evaluate("document.querySelector('button[aria-label^=mish]').focus()")
    focused = "document.activeElement.getAttribute('aria-label')"
    assert opened.evaluate(focused) == "mish: formula, plot, all forms"
    opened.press("ArrowRight")
    assert opened.evaluate(focused) == (
        "mish, torchscript-trace, run by libtorch: not runnable here, build"
    )
    opened.press("End")
    assert "coreml-fp16" in opened.evaluate(focused)
    opened.press("Enter")
    assert "the worker was ended" in panel_text(opened)
    opened.press("Escape")
    opened.wait("!document.getElementById('panel').open")
    assert "coreml-fp16" in opened.evaluate(focused)
    assert opened.evaluate("document.querySelectorAll('tbody button[tabindex=\"0\"]').length") == 1


def test_an_address_opens_a_case_and_the_button_of_the_browser_closes_it(page, report):
    opened = page(report, CASE)
    assert shown(opened, "#panel-title") == ["logsigmoid"]
    opened.evaluate("location.hash = '#function:logsigmoid'")
    opened.wait("document.querySelector('#panel .function-plot')")
    opened.evaluate("history.back()")
    opened.wait("document.querySelector('#panel .stages')")


def test_a_function_has_its_card(page, report):
    opened = page(report, "#function:logsigmoid")
    panel = panel_text(opened)
    assert "logsigmoid-softplus works, native fails" in panel
    assert "torch.nn.LogSigmoid()" in panel
    assert shown(opened, "#panel .matrix thead th") == ["Target", "logsigmoid", "softplus"]
    assert_drawn(opened, "#panel .function-plot > svg")


def test_a_form_s_costs_stand_in_its_card(page):
    facts = {
        "training": {"saved_tensors": 2, "saved_bytes": 32768, "gradient_error": 4.2e-16},
        "graph_ops": {"exported": {"Mul": 3}, "optimized": {"Mul": 1}},
        "actual": {"size_bytes": 412},
    }
    one = result("silu", "silu", "onnx-trace-opset17", "onnxruntime", Status.PASS, Stage.COMPARE,
                 **facts)  # fmt: skip
    panel = panel_text(page(Report((one,)), "#function:silu"))
    assert "2 tensors, 32.8 kB" in panel
    assert "1 (3) · 412 B" in panel


@pytest.mark.parametrize("fragment", ["", "#functions", "#failures", "#about", CASE])
def test_a_narrow_screen_scrolls_down_only(page, report, fragment):
    opened = page(drawn(report), fragment, NARROW)
    assert opened.evaluate("document.documentElement.scrollWidth") <= NARROW[0]


def test_the_heads_of_rows_and_columns_stay_in_sight(page, full_size):
    opened = page(full_size)
    opened.evaluate("document.querySelector('.frame').scrollTo(300, 900)")
    top, left = opened.evaluate(
        "(() => { const box = (e) => document.querySelector(e).getBoundingClientRect();"
        " return [box('.groups th').top - box('.frame').top,"
        " box('tbody th').left - box('.frame').left]; })()"
    )
    assert (round(top), round(left)) == (1, 0)


def test_print_shows_matrix_and_failures_and_no_controls(page, report):
    opened = page(report, media="print", prefers_color_scheme="dark")
    assert len(shown(opened, "#view-matrix, #view-failures")) == 2
    assert shown(opened, "#filters, #theme, #views") == []
    ground = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"


def test_no_state_is_told_by_colour_alone(page, report):
    opened = page(report)
    cells = opened.evaluate(
        "[...document.querySelectorAll('#view-matrix button.cell')].map((e) =>"
        " [e.className.match(/is-(\\w+)/)[1], e.querySelector('use').getAttribute('href'),"
        " e.getAttribute('aria-label')])"
    )
    signs = {state: sign for state, sign, _ in cells}
    signs["pass"] = signs.pop("works", signs["pass"])
    assert len(set(signs.values()) - {"#mark-error"}) == len(set(signs) - {"fails", "error"})
    assert all(": " in label for _, _, label in cells)


@pytest.mark.parametrize("view", ["", "#functions", "#failures", "#about"])
def test_hostile_text_is_shown_and_does_nothing(page, view):
    opened = page(hostile_report(HOSTILE_TEXT), view)
    assert opened.evaluate("document.querySelectorAll('script').length") == 2
    assert "<script>alert(1)</script>" in opened.evaluate("document.body.textContent")
    if not view:
        opened.evaluate("document.querySelector('button.cell.is-error').click()")
        opened.wait("document.getElementById('panel').open")
        panel = opened.evaluate("document.getElementById('panel').textContent")
        assert "]]> `c` \x1b[31m" in panel
    dialogs = [e for e in opened.events if e["method"] == "Page.javascriptDialogOpening"]
    assert dialogs == []


def test_an_empty_report_says_so(page):
    opened = page(Report(()))
    assert shown(opened, "#left") == ["0 cases"]


def test_points_far_apart_and_not_finite_are_drawn(page):
    """Tails to 1e30, NaN and infinities: every axis still has its ticks and its points."""
    inputs = tuple(s * 30.0 * 10.0**e for s, e in [(-1, 28), (-1, 9), (-1, 0), (1, 0), (1, 28)])
    odd = (float("nan"), float("inf"), float("-inf"), 30.0, 3e29)
    curve = Curve(inputs, odd, inputs, (float("inf"),) * 3 + (0.0, 0.0))
    worst = Worst(inputs[0], odd[0], inputs[0], inputs[0], (0,))
    tails = comparison(close=False, kinds={"nan-made": 1}, worst=worst)
    one = result("relu", "relu", "torch-export", "torch", Status.MISMATCH, Stage.COMPARE,
                 comparisons={"tails": tails}, curves={"tails": curve})  # fmt: skip
    opened = page(Report((one,)), "#relu/bare/torch-export/torch/torch-2.13")
    assert_drawn(opened, "#panel .plot svg")
    texts = shown(opened, "#panel .plot .axes text:not(.title)")
    assert {"0", "1e16", "\N{MINUS SIGN}1e16"} <= set(texts)
    assert not [text for text in texts if "NaN" in text or "undefined" in text]
