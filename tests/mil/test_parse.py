from __future__ import annotations

import re

import numpy as np
import pytest
from coremltools.proto import MIL_pb2

from exportcheck.errors import InvalidModel
from exportcheck.mil import ir
from exportcheck.mil.parse import parse_functions, parse_type
from exportcheck.mil.weights import WeightFiles

NUMBERS = {"bool": 1, "string": 2, "fp16": 10, "fp32": 11, "int8": 21, "int16": 22, "int32": 23}
NUMBERS |= {"int64": 24, "int4": 25, "uint8": 31, "uint16": 32, "uint1": 37, "fp64": 12}


def tensor(dtype, *shape):
    message = MIL_pb2.ValueType()
    message.tensorType.dataType = NUMBERS.get(dtype, dtype)
    message.tensorType.rank = len(shape)
    for size in shape:
        dimension = message.tensorType.dimensions.add()
        if size is None:
            dimension.unknown.variadic = False
        else:
            dimension.constant.size = size
    return message


def program_with(fill, declared, opset="CoreML7"):
    """A program of one constant named `c`, whose value `fill` writes."""
    program = MIL_pb2.Program()
    function = program.functions["main"]
    function.opset = opset
    block = function.block_specializations[opset]
    block.outputs.append("c")
    operation = block.operations.add(type="const")
    output = operation.outputs.add(name="c")
    output.type.CopyFrom(declared)
    value = operation.attributes["val"]
    value.type.CopyFrom(declared)
    fill(value)
    return program


def constant(fill, declared, folder):
    functions = parse_functions(program_with(fill, declared), WeightFiles(folder))
    return functions["main"].block.operations[0].attributes["val"].value


def immediate(field, values):
    def fill(value):
        target = getattr(value.immediateValue.tensor, field)
        if field == "bytes":
            target.values = values
        else:
            target.SetInParent()
            target.values.extend(values)

    return fill


@pytest.mark.parametrize(
    ("declared", "field", "values", "expected"),
    [
        (("fp32", 2), "floats", [1.5, -2.0], np.float32([1.5, -2])),
        (("fp32",), "floats", [np.inf], np.float32(np.inf)),
        (("fp16",), "bytes", np.float16(0.1).tobytes(), np.float16(0.1)),
        (("fp16", 1, 2), "bytes", np.float16([1, 2]).tobytes(), np.float16([[1, 2]])),
        (("fp64", 1), "doubles", [0.1], np.array([0.1])),
        (("int32", 2, 2), "ints", [1, -2, 3, -4], np.int32([[1, -2], [3, -4]])),
        (("int32", 0), "ints", [], np.zeros(0, np.int32)),
        (("int64", 1), "longInts", [2**40], np.array([2**40])),
        (("int16", 2), "bytes", np.int16([1, -1]).tobytes(), np.int16([1, -1])),
        (("int8", 2), "bytes", b"\x01\xff", np.int8([1, -1])),
        (("uint8", 2), "bytes", b"\x01\xff", np.uint8([1, 255])),
        (("int4", 3), "bytes", b"\xf1\x07", np.int8([1, -1, 7])),
        (("uint1", 9), "bytes", b"\x81\x01", np.uint8([1, 0, 0, 0, 0, 0, 0, 1, 1])),
        (("bool", 3), "bools", [True, False, True], np.array([True, False, True])),
        (("bool",), "bools", [True], np.array(True)),
        (("string", 2), "strings", ["a", "b"], np.array(["a", "b"], object)),
    ],
)
def test_immediate_values(declared, field, values, expected, tmp_path):
    actual = constant(immediate(field, values), tensor(*declared), tmp_path)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    np.testing.assert_array_equal(actual, expected)


def test_a_string_is_a_str(tmp_path):
    assert constant(immediate("strings", ["same"]), tensor("string"), tmp_path) == "same"


@pytest.mark.parametrize(
    ("declared", "field", "values", "message"),
    [
        (("fp32", 3), "floats", [1, 2], "2 values for a constant fp32 of shape (3,)"),
        (("fp32",), "floats", [], "0 values for a constant fp32 of shape ()"),
        (("fp16", 3), "bytes", b"12345", "5 bytes for a constant fp16 of shape (3,)"),
        (("int4", 3), "bytes", b"123", "3 bytes for a constant int4 of shape (3,)"),
        (("string", 1), "floats", [1], "a constant string is written as floats"),
        (("string", 3), "bytes", b"abc", "a constant string is written as bytes"),
        (("fp32", 1), "strings", ["1"], "a constant fp32 is written as strings"),
        (("fp32", None), "floats", [1], "a constant cannot have type fp32[?]"),
        (
            ("fp32", 2**40),
            "floats",
            [1],
            "a tensor of shape (1099511627776,), more than 2147483648",
        ),
        (("fp32", 0, 2**63), "floats", [], "a tensor of shape (0, 9223372036854775808), more than"),
        (("fp32", *[1] * 33), "floats", [1], "a tensor of rank 33 with 33 dimensions"),
        ((0, 1), "floats", [1], "element type number 0, which no MIL operator uses"),
        ((13, 1), "floats", [1], "element type number 13, which no MIL operator uses"),
    ],
)
def test_constants_that_contradict_their_type(declared, field, values, message, tmp_path):
    with pytest.raises(InvalidModel) as caught:
        constant(immediate(field, values), tensor(*declared), tmp_path)
    assert str(caught.value).startswith(message)


def test_lists_tuples_and_dictionaries(tmp_path):
    def labels(value):
        for label in ("a", "b"):
            inner = value.immediateValue.list.values.add()
            inner.type.CopyFrom(tensor("string"))
            immediate("strings", [label])(inner)

    declared = MIL_pb2.ValueType()
    declared.listType.type.CopyFrom(tensor("string"))
    declared.listType.length.constant.size = 2
    assert constant(labels, declared, tmp_path) == ("a", "b")

    def pairs(value):
        for key, number in (("a", 1), ("b", 2)):
            pair = value.immediateValue.dictionary.values.add()
            pair.key.type.CopyFrom(tensor("string"))
            immediate("strings", [key])(pair.key)
            pair.value.type.CopyFrom(tensor("int32"))
            immediate("ints", [number])(pair.value)

    declared = MIL_pb2.ValueType()
    declared.dictionaryType.keyType.CopyFrom(tensor("string"))
    declared.dictionaryType.valueType.CopyFrom(tensor("int32"))
    assert constant(pairs, declared, tmp_path) == {"a": 1, "b": 2}


def test_a_dictionary_of_numbers(tmp_path):
    def pairs(value):
        pair = value.immediateValue.dictionary.values.add()
        for message, number in ((pair.key, 7), (pair.value, 8)):
            message.type.CopyFrom(tensor("int32"))
            immediate("ints", [number])(message)

    assert constant(pairs, tensor("int32"), tmp_path) == {7: 8}


@pytest.mark.parametrize("shape", [(2,), (0,)])
def test_a_dictionary_with_an_array_for_a_key(shape, tmp_path):
    def pairs(value):
        pair = value.immediateValue.dictionary.values.add()
        for message in (pair.key, pair.value):
            message.type.CopyFrom(tensor("int32", *shape))
            immediate("ints", [1] * shape[0])(message)

    with pytest.raises(InvalidModel, match=r"^a key of a dictionary is neither a string nor a num"):
        constant(pairs, tensor("int32"), tmp_path)


@pytest.mark.parametrize("empty", [lambda value: None, lambda v: v.immediateValue.SetInParent()])
def test_a_constant_without_value(empty, tmp_path):
    with pytest.raises(InvalidModel, match=r"^a constant of type fp32\[1\] has no value$"):
        constant(empty, tensor("fp32", 1), tmp_path)


def test_a_value_in_a_file_that_is_not_there(tmp_path):
    def fill(value):
        value.blobFileValue.fileName = "@model_path/weights/weight.bin"

    with pytest.raises(InvalidModel, match=r"^weight file 'weight.bin' is not in the package$"):
        constant(fill, tensor("fp32", 1), tmp_path)


def test_types_as_text():
    def nested(fill):
        message = MIL_pb2.ValueType()
        fill(message)
        return str(parse_type(message))

    def variadic(message):
        message.CopyFrom(tensor("fp16", None))
        message.tensorType.dimensions[0].unknown.variadic = True

    inner = tensor("fp16", 1, None)
    assert nested(lambda m: m.CopyFrom(inner)) == "fp16[1, ?]"
    assert nested(lambda m: m.CopyFrom(tensor("bool"))) == "bool[]"
    assert nested(variadic) == "fp16[...]"
    assert nested(lambda m: m.listType.type.CopyFrom(inner)) == "list<fp16[1, ?], ?>"
    assert nested(lambda m: m.stateType.wrappedType.CopyFrom(inner)) == "state<fp16[1, ?]>"
    assert nested(lambda m: m.tupleType.types.append(inner)) == "tuple<fp16[1, ?]>"
    with pytest.raises(InvalidModel, match=r"^a value without a type$"):
        nested(lambda m: m.dictionaryType.keyType.CopyFrom(inner))


def test_a_type_nested_as_deep_as_protobuf_allows():
    message = inner = MIL_pb2.ValueType()
    for _ in range(45):
        inner = inner.listType.type
    inner.CopyFrom(tensor("fp32"))
    again = MIL_pb2.ValueType.FromString(message.SerializeToString())
    assert str(parse_type(again)).count("list<") == 45


@pytest.mark.parametrize("opset", ["CoreML9", "CoreML10", "", "coreml7"])
def test_an_opset_that_is_not_known(opset, tmp_path):
    program = program_with(immediate("floats", [1]), tensor("fp32", 1), opset)
    message = f"function 'main' is of opset {opset!r}; mil-numpy knows CoreML5, CoreML6, CoreML7, "
    with pytest.raises(InvalidModel, match=f"^{re.escape(message)}CoreML8$"):
        parse_functions(program, WeightFiles(tmp_path))


def test_the_block_is_the_one_of_the_functions_opset(tmp_path):
    program = program_with(immediate("floats", [1]), tensor("fp32", 1), "CoreML6")
    function = program.functions["main"]
    function.block_specializations["CoreML8"].outputs.append("other")
    assert parse_functions(program, WeightFiles(tmp_path))["main"].block.outputs == ("c",)
    function.opset = "CoreML7"
    message = "function 'main' is of opset 'CoreML7' but has blocks for: CoreML6, CoreML8"
    with pytest.raises(InvalidModel, match=f"^{message}$"):
        parse_functions(program, WeightFiles(tmp_path))


def test_an_input_without_value_is_absent(tmp_path):
    program = program_with(immediate("floats", [1]), tensor("fp32", 1))
    operation = program.functions["main"].block_specializations["CoreML7"].operations[0]
    operation.inputs["bias"].SetInParent()
    operation.inputs["x"].arguments.add().name = "y"
    (parsed,) = parse_functions(program, WeightFiles(tmp_path))["main"].block.operations
    assert parsed.inputs == {"x": (ir.Reference("y"),)}
