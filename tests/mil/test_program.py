from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import coremltools as ct
import numpy as np
import pytest
import torch
from coremltools.converters.mil.mil import Builder as mb

import exportcheck.mil
from exportcheck.errors import InvalidModel, Unavailable, UnsupportedOperator, UsageError
from exportcheck.mil import evaluator
from tests.mil.packages import F32, MODEL, WEIGHTS, edited, model_of, numbers


def block_of(model):
    """The block of the only function."""
    (function,) = model.mlProgram.functions.values()
    return function.block_specializations[function.opset]


def operation(model, kind, number=0):
    return [o for o in block_of(model).operations if o.type == kind][number]


# ---- what it computes --------------------------------------------------------------------------


@pytest.mark.parametrize("opset", ["iOS15", "iOS16", "iOS17", "iOS18"])
@pytest.mark.parametrize(("fp16", "tolerance"), [(False, 1e-6), (True, 2.0**-9)])
def test_a_convolution_is_that_of_torch(opset, fp16, tolerance, tmp_path):
    from tests.mil.packages import convolution

    inputs = convolution(tmp_path / "m.mlpackage", opset, fp16)
    program = exportcheck.mil.load(tmp_path / "m.mlpackage")
    actual = program.predict(inputs)["y"]
    x, weight, bias = map(torch.from_numpy, (inputs["x"], numbers(4, 3, 3, 3), numbers(4)))
    expected = torch.nn.functional.conv2d(x.double(), weight.double(), bias.double()).relu()
    assert actual.dtype == F32
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * expected.max())
    assert program.float_types == (("fp16",) if fp16 else ("fp32",))


def test_operators_are_counted_those_of_nested_blocks_too(made):
    counted = exportcheck.mil.load(made("control")[0]).operators
    assert counted == {
        "add": 2,
        "cond": 1,
        "greater": 1,
        "less": 1,
        "list_gather": 1,
        "list_read": 1,
        "list_write": 1,
        "make_list": 1,
        "mul": 1,
        "squeeze": 1,
        "while_loop": 1,
    }


def test_trace_has_every_value_in_order_and_agrees_with_predict(made):
    package, inputs = made("convolution")
    program = exportcheck.mil.load(package)
    values = program.trace(inputs)
    computed = [n for n in values if not n.startswith(("hidden_weight", "hidden_bias"))]
    in_order = ["x_to_fp16", "hidden_cast_fp16", "y_cast_fp16", "y"]
    assert [name for name in computed if name in in_order] == in_order
    np.testing.assert_array_equal(values["y"], program.predict(inputs)["y"])
    assert values["hidden_cast_fp16"].dtype == np.float16
    np.testing.assert_array_equal(values["y"], np.maximum(values["hidden_cast_fp16"], 0))


def test_strict_rounds_after_each_operator_and_wide_does_not(tmp_path):
    def build(x):
        return mb.sub(x=mb.add(x=x, y=F32(1024)), y=F32(1024), name="y")

    model_of(build, [mb.TensorSpec((1,))], fp16=True).save(str(tmp_path / "m.mlpackage"))
    x = {"x": np.array([0.3], F32)}
    strict, wide = (
        exportcheck.mil.load(tmp_path / "m.mlpackage", precision).predict(x)["y"].item()
        for precision in ("strict", "wide")
    )
    assert strict == 0.0
    # x itself is cast to fp16 by the program, which wide does not round either.
    assert wide == F32(F32(0.3) + F32(1024)) - F32(1024)


def test_predictions_do_not_leak_into_each_other(made):
    package, inputs = made("convolution")
    program = exportcheck.mil.load(package)
    first = program.predict(inputs)["y"]
    kept = first.copy()
    program.predict({"x": inputs["x"] * 0})["y"][:] = 7
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(program.predict(inputs)["y"], kept)


def test_a_state_lives_from_one_prediction_to_the_next(made):
    package, inputs = made("stateful")
    program = exportcheck.mil.load(package)
    state, other = program.make_state(), program.make_state()
    table = np.arange(-8, 8).reshape(4, 4).sum(0) * 0.5
    for times in (1, 2, 3):
        assert program.predict(inputs, state)["y"].tolist() == [(times * table).tolist()]
    assert state["cache"].tolist() == [(3 * table).tolist()]
    assert not other["cache"].any()
    assert program.predict(inputs, other)["y"].tolist() == [table.tolist()]


def test_a_program_with_a_state_wants_one(made):
    package, inputs = made("stateful")
    with pytest.raises(InvalidModel, match=r"has a state: pass state=program.make_state\(\)"):
        exportcheck.mil.load(package).predict(inputs)


def test_functions_by_name(made):
    package, inputs = made("functions")
    program = exportcheck.mil.load(package)
    assert program.default_function == "double"
    for name, factor in ((None, 2), ("double", 2), ("triple", 3)):
        actual = program.predict(inputs, function_name=name)["y"]
        np.testing.assert_array_equal(actual, inputs["x"] * F32(factor))
    with pytest.raises(UsageError, match="no function 'main' in this program; it has: double, tri"):
        program.predict(inputs, function_name="main")


def test_a_classifier_gives_its_label_and_probabilities(made):
    package, inputs = made("classifier")
    outputs = exportcheck.mil.load(package).predict(inputs)
    assert outputs["label"] == "right"
    assert outputs["label_probs"] == pytest.approx(
        {"left": 1 / (1 + np.e**4), "right": 1 / (1 + np.e**-4)}
    )


def test_the_label_of_a_classifier_may_be_a_number(tmp_path):
    model_of(
        lambda x: mb.softmax(x=mb.mul(x=x, y=F32(2)), axis=0, name="p"),
        [mb.TensorSpec((2,))],
        classifier_config=ct.ClassifierConfig([30, 10], "label"),
    ).save(str(tmp_path / "m.mlpackage"))
    label, probabilities = (
        exportcheck.mil.load(tmp_path / "m.mlpackage").predict({"x": F32([1, 3])}).values()
    )
    assert (label, type(label)) == (10, int)
    assert probabilities == pytest.approx({30: 1 / (1 + np.e**4), 10: 1 / (1 + np.e**-4)})


def test_a_scalar_comes_back_with_one_dimension(tmp_path):
    model = model_of(lambda x: mb.reduce_sum(x=x, name="y"), [mb.TensorSpec((2, 3))])
    model.save(str(tmp_path / "m.mlpackage"))
    y = exportcheck.mil.load(tmp_path / "m.mlpackage").predict({"x": np.ones((2, 3), F32)})["y"]
    assert (y.shape, y.tolist()) == ((1,), [6])


def test_an_optional_input_may_be_left_out(tmp_path):
    def optional(model):
        feature = model.description.input[0].type
        feature.isOptional = True
        feature.multiArrayType.floatDefaultValue = 2.5

    model_of(lambda x: mb.add(x=x, y=F32(1), name="y"), [mb.TensorSpec((2,))]).save(
        str(tmp_path / "m.mlpackage")
    )
    with edited(tmp_path / "m.mlpackage") as model:
        optional(model)
    program = exportcheck.mil.load(tmp_path / "m.mlpackage")
    assert program.predict({})["y"].tolist() == [3.5, 3.5]
    assert program.predict({"x": F32([1, 2])})["y"].tolist() == [2, 3]


def test_nan_and_infinite_weights_compute(copied):
    package, inputs = copied("convolution")
    weights = bytearray((package / WEIGHTS).read_bytes())
    # The first number of channel 0 becomes NaN, that of channel 1 infinite.
    weights[128:130] = np.float16(np.nan).tobytes()
    weights[128 + 54 : 128 + 56] = np.float16(np.inf).tobytes()
    (package / WEIGHTS).write_bytes(weights)
    before = exportcheck.mil.load(package, "strict")
    y = before.trace(inputs)["hidden_cast_fp16"][0]
    assert np.isnan(y[0]).all()
    assert np.isinf(y[1]).all()
    np.testing.assert_array_equal(np.sign(y[1]), np.sign(inputs["x"][0, 0, :4, :4]))
    assert np.isfinite(y[2:]).all()


def test_two_constants_of_one_name_keep_their_values(copied):
    package, _ = copied("functions")
    with edited(package) as model:
        del model.mlProgram.functions["triple"]
        del model.description.functions[1:]
        block = model.mlProgram.functions["double"].block_specializations["CoreML8"]
        constant, product = [o for o in block.operations if o.type in ("const", "mul")]
        block.operations.add().CopyFrom(constant)
        value = block.operations[-1].attributes["val"]
        value.immediateValue.tensor.floats.values.extend([5.0] * 40)
        block.operations.add().CopyFrom(product)
        product.outputs[0].name = "unused"
    program = exportcheck.mil.load(package)
    for _ in range(2):
        assert program.predict({"x": np.ones(40, F32)})["y"].tolist() == [5.0] * 40


def test_coremltools_without_torch_is_enough(made):
    package, _ = made("convolution")
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np, exportcheck.mil\n"
        f"program = exportcheck.mil.load({str(package)!r})\n"
        "print(program.predict({'x': np.ones((1, 3, 6, 6), np.float32)})['y'].shape)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "(1, 4, 4, 4)\n"


def test_without_coremltools_nothing_is_loaded(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "coremltools.proto", None)
    with pytest.raises(Unavailable, match=r"^coremltools, which reads the file, is missing"):
        exportcheck.mil.load(made("convolution")[0])


# ---- inputs that do not fit --------------------------------------------------------------------

X = np.ones((1, 3, 6, 6), F32)


@pytest.mark.parametrize(
    ("kind", "inputs", "message"),
    [
        ("convolution", {}, "input 'x' is missing"),
        ("convolution", {"x": X, "z": X}, "no input 'z'; the model takes: x"),
        ("convolution", {"X": X}, "no input 'X'; the model takes: x"),
        (
            "convolution",
            {"x": X[0]},
            "input 'x' has shape (3, 6, 6), expected (1, 3, 6, 6)",
        ),
        (
            "convolution",
            {"x": X[:, :, :, :5]},
            "input 'x' has shape (1, 3, 6, 5), expected (1, 3, 6, 6)",
        ),
        ("convolution", {"x": 1.0}, "input 'x' has shape (), expected (1, 3, 6, 6)"),
        (
            "convolution",
            {"x": X.astype(complex)},
            "input 'x' has dtype complex128, expected float32",
        ),
        ("convolution", {"x": X.astype(str)}, "input 'x' has dtype <U32, expected float32"),
        ("convolution", {"x": X.astype(object)}, "input 'x' has dtype object, expected float32"),
        ("convolution", {"x": None}, "input 'x' has dtype object, expected float32"),
        ("flexible", {"x": np.ones((1, 4))}, "input 'x' has shape (1, 4), expected (2..5, 3..9)"),
        ("flexible", {"x": np.ones((6, 4))}, "input 'x' has shape (6, 4), expected (2..5, 3..9)"),
        ("flexible", {"x": np.ones((2, 2))}, "input 'x' has shape (2, 2), expected (2..5, 3..9)"),
        ("flexible", {"x": np.ones(4)}, "input 'x' has shape (4,), expected (2..5, 3..9)"),
    ],
)
def test_an_input_that_does_not_fit(kind, inputs, message, made):
    with pytest.raises(InvalidModel) as caught:
        exportcheck.mil.load(made(kind)[0]).predict(inputs)
    assert str(caught.value) == message


def test_a_list_of_rows_of_different_lengths_is_no_array(made):
    with pytest.raises(InvalidModel, match="input 'x' is not an array: setting an array element"):
        exportcheck.mil.load(made("convolution")[0]).predict({"x": [[1], [2, 3]]})


@pytest.mark.parametrize("shape", [(2, 3), (5, 9), (3, 4)])
def test_flexible_shapes_within_their_range(shape, made):
    y = exportcheck.mil.load(made("flexible")[0]).predict({"x": np.zeros(shape, F32)})["y"]
    np.testing.assert_allclose(y, np.full(shape[1], shape[0] / shape[1] + shape[1]), rtol=1e-6)


def test_enumerated_shapes(tmp_path):
    shapes = ct.EnumeratedShapes([(1, 2), (2, 2)], default=(1, 2))
    traced = torch.jit.trace(torch.nn.ReLU(), torch.ones(1, 2))
    ct.convert(
        traced, inputs=[ct.TensorType("x", shapes)], convert_to="mlprogram", skip_model_load=True
    ).save(str(tmp_path / "m.mlpackage"))
    program = exportcheck.mil.load(tmp_path / "m.mlpackage")
    for rows in (1, 2):
        (y,) = program.predict({"x": -np.ones((rows, 2), F32)}).values()
        assert y.tolist() == [[0, 0]] * rows
    with pytest.raises(InvalidModel) as caught:
        program.predict({"x": np.ones((3, 2), F32)})
    assert str(caught.value) == "input 'x' has shape (3, 2), expected (1, 2) or (2, 2)"


def test_an_image_is_not_taken(tmp_path):
    traced = torch.jit.trace(torch.nn.ReLU(), torch.ones(1, 3, 4, 4))
    ct.convert(
        traced,
        inputs=[ct.ImageType("x", (1, 3, 4, 4))],
        convert_to="mlprogram",
        skip_model_load=True,
    ).save(str(tmp_path / "m.mlpackage"))
    program = exportcheck.mil.load(tmp_path / "m.mlpackage")
    with pytest.raises(InvalidModel) as caught:
        program.predict({"x": np.ones((1, 3, 4, 4), F32)})
    assert str(caught.value) == "input 'x' is no multi-array; mil-numpy takes only those"


def test_an_unknown_precision(made):
    message = "precision 'exact' where one of ('strict', 'wide') was expected"
    with pytest.raises(UsageError, match=re.escape(message)):
        exportcheck.mil.load(made("convolution")[0], "exact")


# ---- packages that are none --------------------------------------------------------------------


def replace_by_file(package):
    shutil.rmtree(package)
    package.write_bytes(b"model")


def point_at(path):
    def change(package):
        manifest = json.loads((package / "Manifest.json").read_text())
        manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]["path"] = path
        (package / "Manifest.json").write_text(json.dumps(manifest))

    return change


def write(path, content):
    return lambda package: (package / path).write_bytes(content)


def cut(path, size):
    return lambda package: (package / path).write_bytes((package / path).read_bytes()[:size])


def link_to_itself(package):
    shutil.rmtree(package / "Data")
    (package / "Data").symlink_to("Data")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (shutil.rmtree, "{}: does not exist; an .mlpackage folder was expected"),
        (replace_by_file, "{}: is a file, not a folder; an .mlpackage folder was expected"),
        (
            lambda package: (package / "Manifest.json").unlink(),
            "{}: has no Manifest.json; an .mlpackage folder was expected",
        ),
        (
            write("Manifest.json", b"{"),
            (
                "{}: no readable Manifest.json (Expecting property name enclosed in double quotes: "
                "line 1 column 2 (char 1))"
            ),
        ),
        (write("Manifest.json", b"{}"), "{}: no readable Manifest.json ('itemInfoEntries')"),
        (
            write("Manifest.json", b"[" * 100_000),
            (
                "{}: no readable Manifest.json (maximum recursion depth exceeded while decoding a "
                "JSON array from a unicode string)"
            ),
        ),
        (
            link_to_itself,
            "{}: no readable Manifest.json (Symlink loop from '{}/" + MODEL + "')",
        ),
        (
            point_at("../../other"),
            "{}: Manifest.json names '../../other', which is not in the package",
        ),
        (
            point_at("/etc/passwd"),
            "{}: Manifest.json names '/etc/passwd', which is not in the package",
        ),
        (point_at(""), "{}: Manifest.json names '', which is not in the package"),
        (point_at("absent"), "{}: Manifest.json names 'absent', which is not in the package"),
        (point_at("a\0b"), "{}: no readable Manifest.json (embedded null byte)"),
        (
            cut(MODEL, -9),
            "{}/" + MODEL + ": damaged, truncated, encrypted, or no model at all",
        ),
        (
            write(MODEL, np.random.default_rng(0).bytes(3000)),
            "{}/" + MODEL + ": damaged, truncated, encrypted, or no model at all",
        ),
        (write(MODEL, b""), "{}: holds no model; mil-numpy runs mlProgram only"),
        (
            cut(WEIGHTS, -30),
            (
                "weight file 'weight.bin', offset 64: its data end past the file's end "
                "(the file is truncated)"
            ),
        ),
        (
            cut(WEIGHTS, 100),
            "weight file 'weight.bin', offset 64: past the file's end at 100 bytes",
        ),
        (cut(WEIGHTS, 0), "weight file 'weight.bin', offset 64: past the file's end at 0 bytes"),
        (
            lambda package: shutil.rmtree(package / "Data/com.apple.CoreML/weights"),
            "weight file 'weight.bin' is not in the package",
        ),
    ],
    ids=lambda value: value.replace("{}", "*")[:48] if isinstance(value, str) else "",
)
def test_a_damaged_package(change, message, copied):
    package, _ = copied("convolution")
    change(package)
    with pytest.raises(InvalidModel) as caught:
        exportcheck.mil.load(package)
    assert str(caught.value) == message.replace("{}", str(package))


def network(model):
    model.neuralNetwork.SetInParent()


def pipeline(model):
    model.pipeline.SetInParent()


def newer(model):
    model.specificationVersion = 10


def no_function(model):
    model.mlProgram.functions.clear()


def no_block(model):
    model.mlProgram.functions["main"].block_specializations.clear()


def newer_opset(model):
    model.mlProgram.functions["main"].opset = "CoreML9"


def undescribed(model):
    model.description.functions.add().name = "other"


def unknown_default(model):
    model.description.defaultFunctionName = "other"


def no_value(model):
    operation(model, "const").attributes["val"].ClearField("value")


def huge(model):
    for dimension in operation(model, "conv").outputs[0].type.tensorType.dimensions:
        dimension.constant.size = 2**20


def wrong_rank(model):
    operation(model, "conv").outputs[0].type.tensorType.rank = -1


def unknown_dtype(model):
    operation(model, "conv").outputs[0].type.tensorType.dataType = 77


def no_type(model):
    operation(model, "conv").outputs[0].ClearField("type")


def impossible_feature(model):
    model.description.input[0].type.multiArrayType.shape[0] = -1


def unknown_array_type(model):
    model.description.input[0].type.multiArrayType.dataType = 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (network, "{}: holds neuralNetwork; mil-numpy runs mlProgram only"),
        (pipeline, "{}: holds pipeline; mil-numpy runs mlProgram only"),
        (newer, "{}: specification version 10; mil-numpy knows up to 9 (iOS18)"),
        (no_function, "the program has no function"),
        (no_block, "function 'main' is of opset 'CoreML5' but has blocks for: none"),
        (
            newer_opset,
            (
                "function 'main' is of opset 'CoreML9'; mil-numpy knows CoreML5, CoreML6, CoreML7, "
                "CoreML8"
            ),
        ),
        (undescribed, "{}: describes functions ['other'] that are not there"),
        (unknown_default, "{}: describes functions ['other'] that are not there"),
        (
            huge,
            "a tensor of shape (1048576, 1048576, 1048576, 1048576), more than 2147483648 elements",
        ),
        (wrong_rank, "a tensor of rank -1 with 4 dimensions"),
        (unknown_dtype, "element type number 77, which no MIL operator uses"),
        (no_type, "a value without a type"),
        (impossible_feature, "feature 'x' has an impossible shape: ((-1, 3, 6, 6),)"),
        (unknown_array_type, "feature 'x' has array type number 1"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_program_that_cannot_be_loaded(change, message, copied):
    package, _ = copied("convolution")
    with edited(package) as model:
        change(model)
    with pytest.raises(InvalidModel) as caught:
        exportcheck.mil.load(package)
    assert str(caught.value) == message.replace("{}", str(package))


def test_a_constant_without_a_value(copied):
    package, _ = copied("convolution")
    with edited(package) as model:
        no_value(model)
    with pytest.raises(InvalidModel, match=r"^a constant of type \w+\[.*\] has no value$"):
        exportcheck.mil.load(package)


# ---- programs that cannot run ------------------------------------------------------------------


def unknown_operator(model):
    operation(model, "relu").type = "quantum_relu"


def later_operator(model):
    operation(model, "relu").type = "fill_like"


def missing_input(model):
    del operation(model, "conv").inputs["weight"]


def unknown_input(model):
    conv = operation(model, "conv")
    conv.inputs["flavour"].CopyFrom(conv.inputs["x"])


def dangling(model):
    operation(model, "relu").inputs["x"].arguments[0].name = "nowhere"


def cyclic(model):
    conv, relu = operation(model, "conv"), operation(model, "relu")
    conv.inputs["x"].arguments[0].name = relu.outputs[0].name


def dangling_output(model):
    block_of(model).outputs[0] = "nowhere"


def other_shape(model):
    operation(model, "conv").outputs[0].type.tensorType.dimensions[1].constant.size = 5


def two_outputs(model):
    relu = operation(model, "relu")
    relu.outputs.add().CopyFrom(relu.outputs[0])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            unknown_operator,
            UnsupportedOperator,
            "operator 'quantum_relu' (y_cast_fp16, opset CoreML5) is not implemented by mil-numpy",
        ),
        (
            later_operator,
            UnsupportedOperator,
            "operator 'fill_like' (y_cast_fp16, opset CoreML5) is not implemented by mil-numpy",
        ),
        (
            missing_input,
            InvalidModel,
            "operator 'conv' (hidden_cast_fp16) lacks its input 'weight'",
        ),
        (
            unknown_input,
            UnsupportedOperator,
            (
                "operator 'conv' (hidden_cast_fp16) has an input 'flavour' that mil-numpy does not "
                "know"
            ),
        ),
        (
            dangling,
            InvalidModel,
            "operator 'relu' (y_cast_fp16) needs 'nowhere', which nothing before it computes",
        ),
        (
            cyclic,
            InvalidModel,
            (
                "operator 'conv' (hidden_cast_fp16) needs 'y_cast_fp16', which nothing before it "
                "computes"
            ),
        ),
        (
            dangling_output,
            InvalidModel,
            "the end of a block needs 'nowhere', which nothing before it computes",
        ),
        (
            other_shape,
            InvalidModel,
            (
                "operator 'conv' (hidden_cast_fp16) gives shape (1, 4, 4, 4), the program declares "
                "fp16[1, 5, 4, 4]"
            ),
        ),
        (two_outputs, InvalidModel, "operator 'relu' (y_cast_fp16) has 2 outputs, 1 expected"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_program_that_cannot_run(change, error, message, copied):
    package, inputs = copied("convolution")
    with edited(package) as model:
        change(model)
    with pytest.raises(error) as caught:
        exportcheck.mil.load(package).predict(inputs)
    assert str(caught.value) == message
    assert type(caught.value) is error


def test_an_input_that_the_description_lacks(copied):
    package, inputs = copied("convolution")
    with edited(package) as model:
        model.description.input[0].name = "z"
    with pytest.raises(InvalidModel, match=r"^the description lacks input 'x' of the program$"):
        exportcheck.mil.load(package).predict({"z": inputs["x"]})


def failing(error):
    def fail(*_):
        raise error

    return fail


def test_no_memory_left(made, monkeypatch):
    package, inputs = made("convolution")
    program = exportcheck.mil.load(package)
    message = r"needs more memory than there is \(36 GiB\)$"
    monkeypatch.setattr(evaluator.Evaluator, "cast", failing(MemoryError("36 GiB")))
    with pytest.raises(InvalidModel, match=f"^the model {message}"):
        program.predict(inputs)
    monkeypatch.setattr("exportcheck.mil.program.parse_functions", failing(MemoryError("36 GiB")))
    with pytest.raises(InvalidModel, match=f"convolution.mlpackage: {message}"):
        exportcheck.mil.load(package)


def test_a_file_that_may_not_be_read(made, monkeypatch):
    monkeypatch.setattr("pathlib.Path.read_bytes", failing(PermissionError(13, "denied")))
    with pytest.raises(
        InvalidModel, match=r"model.mlmodel: cannot be read \(\[Errno 13\] denied\)$"
    ):
        exportcheck.mil.load(made("convolution")[0])


def test_a_loop_that_never_ends(copied, monkeypatch):
    monkeypatch.setattr(evaluator, "MAX_BLOCKS", 300)
    package, inputs = copied("control")
    program = exportcheck.mil.load(package)
    assert program.predict(inputs)
    with pytest.raises(InvalidModel, match=r"^more than 300 blocks were run: a loop does not end$"):
        program.predict({**inputs, "n": np.array([np.inf], F32)})


@pytest.mark.parametrize(
    ("kind", "constant", "value", "message"),
    [
        ("fill", "shape", [2**16, 2**16], "they ask for 4.295e+09 elements, mil-numpy makes up to"),
        ("tile", "reps", [2**30, 1], "they ask for 6.442e+09 elements, mil-numpy makes up to"),
        ("pad", "pad", [0, 2**31 - 1, 0, 0], "they ask for 6.442e+09 elements, mil-numpy makes"),
        ("one_hot", "one_hot_vector_size", [2**31 - 1], "they ask for 6.442e+09 elements"),
        (
            "resize_nearest_neighbor",
            "target_size_height",
            [2**31 - 1],
            "they ask for 1.074e+10 elements",
        ),
        ("fill", "shape", [-1, 2], "negative dimensions are not allowed"),
        ("fill", "shape", [3, 3], "gives shape (3, 3), the program declares fp32[2, 3]"),
    ],
)
def test_a_constant_cannot_ask_for_all_memory(kind, constant, value, message, copied):
    package, inputs = copied("allocations")
    with edited(package) as model:
        name = operation(model, kind).inputs[constant].arguments[0].name
        (const,) = [o for o in block_of(model).operations if o.outputs[0].name == name]
        const.attributes["val"].immediateValue.tensor.ints.values[:] = value
    with pytest.raises(InvalidModel, match=re.escape(message)) as caught:
        exportcheck.mil.load(package).predict(inputs)
    assert str(caught.value).startswith(f"operator {kind!r} (")
