"""A pass, a pass of the bare form alone and a mere conversion are told apart in every sentence."""

from __future__ import annotations

from exportcheck.explain.explanation import sections
from exportcheck.history.strips import uneventful
from exportcheck.results import Stage, Status
from tests.explain.support import alone, texts
from tests.history.runs import NETWORK, NO_CONVERTER, NOT_RUN, ONNX12, PASS, PROGRAM, REFUSED, cell

RANK = (Status.ERROR, Stage.EXPORT, "ValueError: x should be at least rank 3")


def between(toolchain, column):
    """Hardswish passes alone and fails in a linear network, where ReLU passes."""
    return (
        cell(toolchain, "hardswish", column, PASS),
        cell(toolchain, "hardswish", column, RANK, "linear"),
        cell(toolchain, "relu", column, PASS, "linear"),
    )


def test_what_fails_between_layers_only_is_no_pass_and_is_quoted():
    found = alone(
        *between("torch-1.7", ONNX12),
        cell("torch-1.7", "hardswish-hardtanh", ONNX12, PASS),
        *between("torch-1.8", ONNX12),
    )
    assert texts(found.needed) == [
        (
            "ONNX, TorchScript exporter, torch 1.7.1: hardswish works alone, fails between layers; "
            "hardswish-hardtanh works."
        ),
        (
            "ONNX, TorchScript exporter, torch 1.8.1: hardswish works alone, fails between layers, "
            "and no other form does better."
        ),
    ]
    (failure,) = found.failed
    assert failure.text == (
        "hardswish works alone, fails between layers (linear) at export: "
        "ONNX, TorchScript exporter (opset 12), torch 1.7.1 to 1.8.1."
    )
    assert failure.quote == RANK[2]
    assert "torch-1.8 --select 'hardswish/linear/onnx-trace-opset12/" in failure.command
    assert not uneventful(found.strips[0])


def test_a_stand_in_may_do_no_more_than_convert_or_work_alone():
    found = alone(
        cell("torch-1.7", "hardswish", ONNX12, REFUSED),
        cell("torch-1.7", "hardswish-hardtanh", ONNX12, PASS),
        cell("torch-1.7", "hardswish-hardtanh", ONNX12, RANK, "linear"),
        cell("torch-1.7", "relu", ONNX12, PASS, "linear"),
    )
    assert texts(found.needed) == [
        (
            "ONNX, TorchScript exporter, torch 1.7.1: hardswish fails; "
            "hardswish-hardtanh works alone, fails between layers."
        )
    ]


def test_what_was_only_converted_does_not_work():
    found = alone(
        cell("torch-1.7", "hardswish", NETWORK, NOT_RUN), cell("torch-1.7", "relu", NETWORK, PASS)
    )
    assert texts(found.needed) == [
        "Core ML, float32, coremltools 4.1: hardswish converts, was not run."
    ]


def test_at_once_a_form_is_named_with_the_format_in_which_it_does_not_pass():
    found = alone(
        cell("torch-1.7", "hardswish", ONNX12, PASS),
        *between("torch-1.7", PROGRAM),
        cell("torch-1.8", "hardswish", ONNX12, PASS),
        cell("torch-1.8", "hardswish", PROGRAM, PASS),
    )
    assert texts(found.needed)[:2] == [
        (
            "To ONNX and Core ML at once, torch 1.7.1: hardswish "
            "(Core ML: works alone, fails between layers)."
        ),
        "To ONNX and Core ML at once, torch 1.8.1: hardswish.",
    ]


def test_a_range_is_not_said_of_a_target_that_ran_in_a_part_of_it_only():
    found = alone(
        cell("torch-1.7", "hardswish", NETWORK, NO_CONVERTER),
        cell("torch-1.8", "hardswish", PROGRAM, NO_CONVERTER),
    )
    (failure,) = found.failed
    assert failure.text == "hardswish fails at export: Core ML, float32, coremltools 4.1."
    assert "torch-1.8 --select 'hardswish/bare/coreml-fp32/mil-numpy/*'" in failure.command


def test_several_versions_that_work_are_said_to_be_measured_ones():
    found = alone(
        cell("torch-1.5", "hardswish", ONNX12, REFUSED),
        cell("torch-1.7", "hardswish", ONNX12, PASS),
        cell("torch-1.8", "hardswish", ONNX12, PASS),
    )
    assert texts(found.needed)[1] == (
        "ONNX, TorchScript exporter, torch 1.7.1 to 1.8.1, as measured: hardswish works by itself."
    )


def test_the_verdict_names_what_does_not_pass_today():
    found = alone(
        *between("torch-1.8", ONNX12),
        cell("torch-1.8", "hardswish-hardtanh", ONNX12, PASS),
    )
    assert found.verdict == (
        (
            "Another form than hardswish was needed for ONNX on torch 1.8.1 "
            "(hardswish-hardtanh works)."
        ),
        (
            "With torch 1.8.1 hardswish works alone, fails between layers (ONNX); "
            "hardswish-hardtanh works for all that was run."
        ),
    )


def test_the_verdict_counts_operators():
    found = alone(
        cell("torch-1.8", "hardswish", ONNX12, PASS, graph_ops={"exported": {"HardSwish": 1}}),
        cell(
            "torch-1.8",
            "hardswish-hardtanh",
            ONNX12,
            PASS,
            graph_ops={"exported": {"Add": 1, "Constant": 4, "Mul": 2}},
        ),
    )
    assert found.verdict == (
        (
            "With torch 1.8.1 every form works for ONNX; "
            "in the ONNX file hardswish is 1 operator against 3."
        ),
    )


def test_what_a_note_is():
    lost = ("nan: nan-lost 9 of 9: 0 where eager gives nan", "infinities to be told in full")
    found = alone(
        cell("torch-1.7", "hardswish", ONNX12, PASS, notes=lost),
        cell("torch-1.8", "hardswish", ONNX12, PASS, notes=lost),
        cell("torch-1.8", "hardswish-hardtanh", ONNX12, PASS),
    )
    (sentence,) = found.noted
    assert sentence.text == (
        "hardswish (infinities to …, nan: nan-lost): "
        "ONNX, TorchScript exporter, torch 1.7.1 to 1.8.1."
    )
    assert "torch-1.8 --select 'hardswish/bare/onnx-trace-opset12/" in sentence.command
    assert ("What differs where it works with a note", found.noted) in list(sections(found))
