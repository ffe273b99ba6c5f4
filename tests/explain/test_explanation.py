from __future__ import annotations

import pytest

from exportcheck.catalog import activations
from exportcheck.errors import UsageError
from exportcheck.explain import markdown, terminal
from exportcheck.explain.explanation import explain, sections
from exportcheck.history.runs import History
from exportcheck.results import Stage, Status
from tests.explain.costs import COSTS
from tests.explain.support import alone, texts
from tests.history.runs import (
    NETWORK,
    NO_CONVERTER,
    NOT_RUN,
    ONNX12,
    PASS,
    REFUSED,
    cell,
    history,
)

WRONG = (Status.MISMATCH, Stage.COMPARE)
FOUND = explain("hardswish", history(), COSTS)


def test_when_another_form_was_needed_and_since_when_none_is():
    assert texts(FOUND.needed) == [
        (
            "To ONNX and Core ML at once, torch 1.7.1: only hardswish-hardtanh "
            "(Core ML: converts, was not run)."
        ),
        (
            "ONNX, TorchScript exporter, torch 1.5.1: hardswish does not exist yet; "
            "hardswish-hardtanh works."
        ),
        "ONNX, TorchScript exporter, torch 1.7.1: hardswish fails; hardswish-hardtanh works.",
        "ONNX, TorchScript exporter, torch 1.8.1: hardswish works by itself.",
        (
            "Core ML, float32, coremltools 4.1 on torch 1.7.1: hardswish fails; "
            "hardswish-hardtanh converts, was not run."
        ),
        "Core ML, float32, coremltools 5.2.0 on torch 1.7.1: hardswish works by itself.",
    ]


def test_what_failed_is_quoted_with_the_command_that_repeats_it():
    onnx, coreml = FOUND.failed
    assert onnx.text == (
        "hardswish fails at export: ONNX, TorchScript exporter (opset 12), torch 1.7.1."
    )
    assert onnx.quote == REFUSED[2]
    assert onnx.command == (
        "exportcheck all --toolchain torch-1.7 "
        "--select 'hardswish/bare/onnx-trace-opset12/onnxruntime/*' --output out"
    )
    assert coreml.quote == NO_CONVERTER[2]
    assert coreml.text.endswith("coremltools 4.1; coremltools 4.1 on torch 1.7.1.")


def test_the_verdict_says_what_was_needed_and_how_it_is_today():
    assert FOUND.verdict == (
        (
            "Another form than hardswish was needed for ONNX on torch 1.5.1 to 1.7.1 "
            "(hardswish-hardtanh works)."
        ),
        "With torch 1.8.1 every form works for ONNX.",
    )
    assert " ".join(FOUND.verdict) in " ".join(printed(FOUND, 80).split())
    assert markdown.render(FOUND).startswith(f"# hardswish\n\n{' '.join(FOUND.verdict)}\n")


def test_which_forms_reached_every_format_at_once():
    found = alone(
        cell("torch-1.7", "hardswish", ONNX12, REFUSED),
        cell("torch-1.7", "hardswish", NETWORK, NO_CONVERTER),
        cell("torch-1.7", "hardswish-hardtanh", ONNX12, PASS),
        cell("torch-1.7", "hardswish-hardtanh", NETWORK, NOT_RUN),
        cell("torch-1.8", "hardswish", ONNX12, PASS),
        cell("torch-1.8", "hardswish", NETWORK, PASS),
        cell("torch-1.8", "hardswish-hardtanh", ONNX12, PASS),
        cell("torch-1.8", "hardswish-hardtanh", NETWORK, PASS),
    )
    first, second, *_ = found.needed
    assert first.text == (
        "To ONNX and Core ML at once, torch 1.7.1: only hardswish-hardtanh "
        "(Core ML: converts, was not run)."
    )
    assert second.text == (
        "To ONNX and Core ML at once, torch 1.8.1: hardswish and hardswish-hardtanh."
    )
    assert first.command == (
        "exportcheck all --toolchain torch-1.7 --select 'hardswish-hardtanh/bare/*' --output out"
    )


def test_a_run_with_a_coremltools_of_its_own_is_repeated_with_it():
    (last,) = (s for s in FOUND.needed if "5.2.0" in s.text)
    assert "--toolchain torch-1.7 --coremltools 5.2.0 --select" in last.command


def test_equal_failures_are_told_once():
    found = alone(
        cell("torch-1.7", "hardswish", ONNX12, REFUSED),
        cell("torch-1.7", "hardswish-hardtanh", ONNX12, REFUSED),
    )
    assert texts(found.failed) == [
        (
            "hardswish and hardswish-hardtanh fail at export: "
            "ONNX, TorchScript exporter (opset 12), torch 1.7.1."
        )
    ]
    assert texts(found.needed) == [
        "ONNX, TorchScript exporter, torch 1.7.1: hardswish fails, and no other form works either."
    ]


def test_the_other_forms_today_are_those_of_the_newest_toolchain():
    assert FOUND.newest == "torch 1.8.1, onnxruntime 1.7.0, coremltools 4.1"
    assert texts(FOUND.now) == [
        (
            "Exact: hardswish-hardtanh gives eager's own numbers to the last bit, where hardswish "
            "does not: ONNX, TorchScript exporter (opset 12), hardswish off by up to 7e-07."
        ),
        "For backward hardswish keeps 4 bytes a number; hardswish-hardtanh keeps 3 times that.",
    ]


def test_operators_and_a_phones_pieces():
    whole = {"NNAPI": {"nodes": 6, "supported": 6, "partitions": 1}}
    split = {"NNAPI": {"nodes": 4, "supported": 3, "partitions": 2}}
    constants = {"exported": {"Add": 1, "Constant": 4, "Mul": 2}}
    found = alone(
        cell("torch-1.8", "hardswish", ONNX12, PASS, graph_ops={"exported": {"HardSwish": 1}}),
        cell("torch-1.8", "hardswish", ONNX12, PASS, "conv", actual={"mobile": split}),
        cell("torch-1.8", "hardswish-hardtanh", ONNX12, PASS, graph_ops=constants),
        cell("torch-1.8", "hardswish-hardtanh", ONNX12, PASS, "conv", actual={"mobile": whole}),
    )
    operators, phone = found.now
    assert operators.text == (
        "In the file, ONNX, TorchScript exporter (opset 12), hardswish is 1 operator (HardSwish); "
        "hardswish-hardtanh is 3 operators (Add, 2 Mul)."
    )
    assert "hardswish-hardtanh 6 of 6 nodes in 1 partition" in phone.text
    assert "hardswish 3 of 4 nodes in 2 partitions" in phone.text
    assert "/conv/" in phone.command


def test_a_form_that_is_needed_still():
    found = alone(
        cell("torch-1.8", "hardswish", ONNX12, REFUSED),
        cell("torch-1.8", "hardswish-hardtanh", ONNX12, PASS),
    )
    (first, *_) = found.now
    assert first.text == (
        "Needed still, ONNX, TorchScript exporter: hardswish fails; hardswish-hardtanh works."
    )
    assert first.quote == REFUSED[2]


def test_where_nothing_ever_failed_one_sentence_says_so():
    found = alone(cell("torch-1.8", "relu", ONNX12, PASS), family="relu")
    assert texts(found.needed) == [
        "relu works by itself in every version measured: ONNX, TorchScript exporter, torch 1.8.1."
    ]
    assert found.failed == ()


def test_a_family_without_history_says_less():
    found = explain("snake", history(), {})
    assert (found.verdict, found.strips, found.needed, found.failed, found.now, found.times) == (
        *[()] * 5,
        None,
    )
    assert [heading for heading, _ in sections(found)] == []
    assert found.missing == (
        "snake is in no run of the history: exportcheck history add RESULTS.json",
        "nothing has been timed: exportcheck cost snake",
    )


def test_a_family_that_no_run_has_is_told_from_no_run_at_all():
    (first, _) = explain("snake", History(), {}).missing
    assert first == "nothing was measured: exportcheck history add RESULTS.json"


def test_a_form_leads_to_its_family():
    assert explain("hardswish-relu6", history(), {}).family == "hardswish"


def test_no_such_family():
    with pytest.raises(UsageError, match="no family 'hardswich'; nearest: hardswish"):
        explain("hardswich", history(), {})


def test_the_reference_comes_first_and_equal_code_is_shown_once():
    names = [form.name for form in FOUND.forms]
    assert names[0] == FOUND.reference.name == "hardswish"
    code = {form.name: form.code for form in FOUND.forms}
    assert code["hardswish-hardtanh"].startswith("class HardswishHardtanh(nn.Module):")
    assert code["hardswish-hardtanh-inplace"] == "HardswishHardtanh(inplace=True)"


def printed(explanation, width):
    from rich.console import Console

    console = Console(width=width, highlight=False, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(terminal.compose(explanation, width))
    return console.export_text()


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_shows_all_of_it(width):
    text = " ".join(printed(FOUND, width).split())
    for sentence in (*FOUND.needed, *FOUND.failed, *FOUND.now):
        assert sentence.text in text
        assert sentence.quote in text
    assert "0.98" in text
    assert all(len(line) <= width for line in printed(FOUND, width).splitlines())


def test_markdown(golden):
    golden("hardswish.md", markdown.render(FOUND))


@pytest.mark.parametrize("family", sorted({a.family for a in activations().values()}))
def test_every_family_can_be_explained(family):
    found = explain(family, history(), COSTS)
    assert found.reference.formula in markdown.render(found).replace("\\|", "|")
    assert found.reference.formula in " ".join(printed(found, 200).split())


def test_wrong_numbers_are_told_once_whatever_they_are():
    found = alone(
        cell(
            "torch-1.7", "hardswish", ONNX12, (*WRONG, "grid: 3 of 4096: 0.1 where eager gives 1")
        ),
        cell(
            "torch-1.8", "hardswish", ONNX12, (*WRONG, "grid: 3 of 4096: 0.2 where eager gives 1")
        ),
    )
    (sentence,) = found.failed
    assert sentence.text == (
        "hardswish gives wrong numbers: ONNX, TorchScript exporter (opset 12), "
        "torch 1.7.1 to 1.8.1."
    )
    assert "0.2 where" in sentence.quote
    assert "torch-1.8" in sentence.command
