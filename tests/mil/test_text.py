from __future__ import annotations

import numpy as np
import pytest

import exportcheck.mil
from exportcheck.mil import ir
from exportcheck.mil.text import _literal, plain, render
from tests.mil.packages import edited


def shown(package):
    return render(exportcheck.mil.load(package))


def test_a_convolution(made):
    assert shown(made("convolution")[0]).splitlines() == [
        "# main (default): opset CoreML5, iOS15",
        "# takes x: float32 (1, 3, 6, 6)",
        "# gives y: float32 (1, 4, 4, 4)",
        "main(%x: fp32[1, 3, 6, 6]) {",
        "  %hidden_weight_0_to_fp16: fp16[4, 3, 3, 3] = const 216 bytes",
        '  %x_to_fp16: fp16[1, 3, 6, 6] = cast(x=%x, dtype="fp16")',
        (
            "  %hidden_cast_fp16: fp16[1, 4, 4, 4] = conv(x=%x_to_fp16, "
            "weight=%hidden_weight_0_to_fp16, bias=fp16([0.1257, -0.1321, 0.6406, 0.1049]), "
            'strides=[1, 1], pad_type="valid", pad=[0, 0, 0, 0], dilations=[1, 1], groups=1)'
        ),
        "  %y_cast_fp16: fp16[1, 4, 4, 4] = relu(x=%hidden_cast_fp16)",
        '  %y: fp32[1, 4, 4, 4] = cast(x=%y_cast_fp16, dtype="fp32")',
        "  return %y",
        "}",
    ]


def test_nested_blocks_are_indented(made):
    text = shown(made("control")[0])
    assert (
        "\n      %cond_1: fp32[1] = cond(pred=%squeeze_1) {\n        () {\n          %add_2" in text
    )
    assert "\n          return %add_2\n        }\n        () {\n" in text
    assert "(elem_shape=(1,), init_length=2, dynamic_length=True" in text
    assert text.count("{") == text.count("}") == 7


def test_state_compressed_weights_and_a_result_without_a_name(made):
    text = shown(made("stateful")[0])
    assert "# state cache: float16 (1, 4)\n" in text
    assert "main(%x: fp16[1, 4], %cache: state<fp16[1, 4]>) {\n" in text
    assert "(data=int4[4, 4] of 8 bytes, scale=fp16([[0.5], [0.5], [0.5], [0.5]]))\n" in text
    assert "\n  write_state(input=%cache, data=%add_0)\n" in text


def test_flexible_shapes_and_what_is_no_array(made):
    text = shown(made("flexible")[0])
    assert "# takes x: float32 (2..5, 3..9)\n" in text
    assert "main(%x: fp32[?, ?]) {" in text
    assert "# gives label: no multi-array\n" in shown(made("classifier")[0])
    assert 'classes=("left", "right"))' in shown(made("classifier")[0])


def test_functions_the_default_one_first(made):
    lines = shown(made("functions")[0]).splitlines()
    assert [line for line in lines if line.startswith("# ") and "opset" in line] == [
        "# double (default): opset CoreML8, iOS18",
        "# triple: opset CoreML8, iOS18",
    ]


def test_a_constant_that_is_an_output_keeps_its_line(copied):
    package, _ = copied("convolution")
    with edited(package) as model:
        block = model.mlProgram.functions["main"].block_specializations["CoreML5"]
        bias = next(o for o in block.operations if o.outputs[0].name.startswith("hidden_bias"))
        bias.outputs[0].name = block.outputs[0] = "bias"
    lines = shown(package).splitlines()
    assert "  %bias: fp16[4] = const fp16([0.1257, -0.1321, 0.6406, 0.1049])" in lines
    assert lines[-2:] == ["  return %bias", "}"]


def test_the_text_of_a_file_is_always_the_same(made, copied):
    package, _ = copied("convolution")
    with edited(package) as model:
        # Another order of the inputs, as a file may have it.
        for operation in (
            model.mlProgram.functions["main"].block_specializations["CoreML5"].operations
        ):
            inputs = {k: operation.inputs[k] for k in sorted(operation.inputs, reverse=True)}
            copies = {k: type(v).FromString(v.SerializeToString()) for k, v in inputs.items()}
            operation.inputs.clear()
            for key, value in copies.items():
                operation.inputs[key].CopyFrom(value)
    assert shown(package) == shown(made("convolution")[0])


@pytest.mark.parametrize(
    ("value", "declared", "expected"),
    [
        (np.array(True), "bool", "True"),
        (np.array(7, np.int32), "int32", "7"),
        (np.array(7, np.uint8), "uint8", "uint8(7)"),
        (np.array(1 / 6, np.float32), "fp32", "fp32(0.16666667)"),
        (np.array(1 / 6, np.float16), "fp16", "fp16(0.1666)"),
        (np.array([np.nan, -np.inf], np.float16), "fp16", "fp16([nan, -inf])"),
        (np.zeros((2, 0), np.int32), "int32", "[[], []]"),
        ("same\n", "string", '"same\\n"'),
        (np.array(["a", "b"], object), "string", '["a", "b"]'),
        (("a", "b"), "string", '("a", "b")'),
        (("a",), "string", '("a",)'),
        ({"a": 1}, "string", '{"a": 1}'),
        (np.arange(8, dtype=np.int32), "int32", "[0, 1, 2, 3, 4, 5, 6, 7]"),
        (np.arange(9, dtype=np.int32), "int32", "int32[9] of 36 bytes"),
        (np.arange(9, dtype=np.uint8), "uint3", "uint3[9] of 4 bytes"),
        (tuple("abcdefghi"), "string", "string[9] of 9 elements"),
    ],
)
def test_constants(value, declared, expected):
    shape = np.shape(value) if not isinstance(value, dict) else ()
    assert _literal(ir.Literal(value, ir.TensorType(declared, shape))) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("conv_1", "conv_1"),
        ("größe/2:0.x", "größe/2:0.x"),
        ("", '""'),
        ("a b", '"a b"'),
        ('a"b', '"a\\"b"'),
        ("x, %y", '"x, %y"'),
        ("two\nlines", '"two\\nlines"'),
        ("\x1b[31mred", '"\\u001b[31mred"'),
        ("left\u202eright", '"left\\u202eright"'),
    ],
)
def test_names_cannot_disturb(name, expected):
    assert plain(name) == expected
