from __future__ import annotations

import numpy as np
import pytest
import torch

from exportcheck.custom.module_spec import ModuleSpec, parse_input
from exportcheck.custom.modules import module_source, module_subject
from exportcheck.errors import BadModule
from exportcheck.inputs import GATING

GOOD = "tests.user_code.good"


def source(name, *inputs, network="bare", **more):
    spec = ModuleSpec(f"{GOOD}:{name}", inputs=tuple(map(parse_input, inputs)), **more)
    return module_source(spec, network)


def classes(found, dtype="float32"):
    return {one.name: one for one in found.inputs(dtype)}


def test_an_elementwise_module_gets_every_input_class():
    found = source("Hard")
    assert found.elementwise
    given = classes(found)
    assert {"grid", "knees", "tails", "infinities", "nan", "zeros", "largest"} <= set(given)
    assert {n for n, one in given.items() if one.gates} == {n for n in given if n in GATING}
    assert {-3.0, 3.0} <= set(given["knees"].values.ravel().tolist())


@pytest.mark.parametrize("name", ["Block", "gate"])
def test_any_other_module_gates_on_a_batch_and_its_negative_and_notes_the_rest(name):
    found = source(name)
    given = classes(found)
    assert not found.elementwise
    assert [n for n, one in given.items() if one.gates] == ["normal", "negated"]
    assert np.array_equal(given["negated"].values, -given["normal"].values)
    assert {"scaled", "all zero", "infinities", "nan"} < set(given)
    ordinary, scaled = given["normal"].values, given["scaled"].values
    assert np.array_equal(scaled, ordinary * 16)
    assert np.isnan(given["nan"].values).mean() < 0.1


def test_a_large_module_is_spared_the_odd_inputs_only_and_they_are_named(monkeypatch):
    monkeypatch.setattr("exportcheck.custom.modules.NOTES_LIMIT", 10)
    found = source("Block")
    assert list(classes(found)) == ["normal", "negated", "scaled"]
    assert found.left_out == ("all zero", "infinities", "nan")
    assert source("gate").left_out == source("Hard").left_out == ()


def test_large_inputs_must_stay_finite_but_in_float16():
    found = source("Block")
    assert classes(found)["scaled"].finite
    assert not classes(found, "float16")["scaled"].finite
    assert not classes(source("Rows", "2x3x6:float16"))["scaled"].finite


def test_special_values_that_eager_refuses_are_left_out():
    assert set(classes(source("Wary"))) == {"normal", "negated", "all zero"}


def test_integers_and_ranges_are_kept_to():
    given = classes(source("Tokens"))
    assert list(given) == ["normal"]
    assert given["normal"].values.max() <= 9
    inside = classes(source("swish", "4x32:0.5..2"))
    assert list(inside) == ["grid", "knees"]
    for one in inside.values():
        assert one.values.min() >= 0.5
        assert one.values.max() <= 2.0


def test_floats_are_exact_in_the_type_computed_in():
    for one in source("Hard").inputs("float16"):
        finite = one.values[np.isfinite(one.values)]
        assert np.array_equal(finite, finite.astype("float16").astype("float32"))


def test_a_float16_input_makes_a_float16_module():
    found = source("Slopes", "2x5x4x4:float16")
    assert found.build().slope.dtype == torch.float16
    assert found.example()[0].dtype == torch.float16
    subject = module_subject(
        ModuleSpec(f"{GOOD}:Slopes", inputs=(parse_input("2x5x4x4:float16"),)), "bare"
    )
    answer = subject.expected("float32")["grid"]
    assert (answer.outputs[0].dtype, answer.truth[0].dtype) == (np.float16, np.float64)


def test_every_build_is_another_module_with_the_same_weights():
    found = source("Block")
    one, two = found.build(), found.build()
    assert one is not two
    for name, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[name]), name


def test_parameters_that_are_all_alike_are_moved_apart_but_an_instance_is_not():
    assert source("Slopes").build().slope.unique().numel() == 5
    norm = source("Block").build().norm
    assert norm.weight.unique().numel() == 8
    assert norm.running_var.min() >= 0.5
    assert norm.running_mean.abs().max() > 0


def test_what_was_moved_is_known_by_its_name():
    found = source("Block")
    found.build()
    moved = ("norm.weight", "norm.bias", "norm.running_mean", "norm.running_var")
    assert found.moved == moved
    instance = source("Slopes", settled=True)
    assert torch.equal(instance.build().slope, torch.full((5,), 0.25))
    assert instance.moved == ()


def test_a_single_number_is_what_its_author_meant():
    found = source("Swish", args=(("beta", "1.0"),))
    assert found.build().beta.item() == 1.0
    assert found.moved == ()


def test_weights_of_a_file_are_not_moved(tmp_path):
    weights = {"slope": torch.full((5,), 0.5)}
    torch.save(weights, tmp_path / "w.pt")
    found = source("Slopes", state=str(tmp_path / "w.pt"))
    assert torch.equal(found.build().slope, weights["slope"])


def test_a_name_that_no_argument_has_is_refused():
    with pytest.raises(BadModule, match="forward takes no 'foo'; it takes x, mask"):
        source("Named", "foo=2x3", "x=2x3")


def test_named_inputs_are_put_in_their_place():
    found = source("Named", "mask=2x3:bool", "x=2x3")
    assert [str(t.dtype) for t in found.example()] == ["torch.float32", "torch.bool"]


@pytest.mark.parametrize(
    ("name", "inputs", "dynamic", "sizes"),
    [
        ("Hard", ("2x3",), (0,), ["size 3x3", "size 4x3"]),
        ("gate", ("2x3", "2x3"), (0, 1), ["size 3x4, 3x4", "size 4x6, 4x6"]),
    ],
)
def test_other_sizes_on_dynamic_axes_gate(name, inputs, dynamic, sizes):
    given = classes(source(name, *inputs, dynamic=dynamic))
    assert [n for n in given if n.startswith("size")] == sizes
    assert all(given[n].gates for n in sizes)


@pytest.mark.parametrize(
    ("inputs", "dynamic", "words"),
    [
        (("2x3",), (2,), "dynamic axis 2: no input has it; 2x3 has 0 to 1"),
        (("2x3",), (0, 9), "dynamic axis 9: no input has it; 2x3 has 0 to 1"),
        (("scalar",), (0,), "dynamic axis 0: no input has it; scalar has none"),
        ((), (4,), "dynamic axis 4: no input has it; 2x8x16x16 has 0 to 3"),
        (("0x8",), (), "input 0x8: no elements, so that nothing would be compared"),
    ],
)
def test_what_would_show_nothing_is_refused(inputs, dynamic, words):
    with pytest.raises(BadModule, match=words) as caught:
        source("Hard", *inputs, dynamic=dynamic)
    assert "\n" not in str(caught.value)


def test_an_axis_that_eager_itself_fixes_is_refused():
    found = source("Slopes", "2x5x4", dynamic=(1,))
    with pytest.raises(BadModule, match=r"accepts no other size on --dynamic 1"):
        found.inputs("float32")


def test_inputs_that_it_does_not_take_are_refused_with_the_line():
    with pytest.raises(BadModule) as caught:
        source("Rows", "2x6")
    assert "good.py:" in str(caught.value)
    assert "forward of float32 2x6 fails: ValueError" in str(caught.value)


def test_in_a_network_it_is_fed_what_the_network_takes():
    found = source("Hard", network="conv")
    assert not found.elementwise
    assert [one.name for one in found.inputs("float32")] == ["normal"]
    assert found.example()[0].shape == (2, 3, 16, 16)
    assert found.build()(*found.example()).shape == (2, 4, 16, 16)


def test_a_module_that_insists_on_float32_has_no_truth():
    spec = ModuleSpec(f"{GOOD}:Single")
    subject = module_subject(spec, "bare")
    assert subject.expected("float32")["normal"].truth == (None,)


def test_the_last_subjects_are_kept():
    spec = ModuleSpec(f"{GOOD}:Hard")
    assert module_subject(spec, "bare") is module_subject(spec, "bare")
    assert module_subject(spec, "bare") is not module_subject(spec, "conv")
