from __future__ import annotations

from exportcheck.history import markdown
from exportcheck.history.adding import runs_of
from exportcheck.history.overview import overviews
from exportcheck.history.runs import History
from tests.history.runs import ONNX12, PASS, REFUSED, cell, history, report


def row(some):
    (overview, *_) = overviews(some, ["hardswish"])
    text = markdown.render(some, [overview], ())
    return next(line for line in text.splitlines() if line.startswith("| `hardswish`"))


def test_a_function_says_which_form_stands_in_for_the_native_one():
    assert row(history()) == "| `hardswish` | ↪ | ⇄ | ✓ | `hardswish-hardtanh` |"


def test_and_in_which_versions_where_another_does_elsewhere():
    some = History(
        runs_of(
            report(
                cell("torch-1.7", "hardswish", ONNX12, REFUSED),
                cell("torch-1.7", "hardswish-hardtanh", ONNX12, PASS),
                cell("torch-1.8", "hardswish", ONNX12, REFUSED),
                cell("torch-1.8", "hardswish-hardtanh", ONNX12, PASS),
                cell("torch-1.8", "hardswish-relu6", ONNX12, PASS),
            ),
            "r.json",
        )
    )
    assert row(some) == (
        "| `hardswish` | ⇄ | ⇄ | `hardswish-hardtanh`, `hardswish-relu6` (1.8.1) |"
    )


def test_no_column_where_nothing_stands_in():
    some = history("torch-1.8")
    assert row(some) == "| `hardswish` | ✓ |"
