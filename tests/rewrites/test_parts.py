from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from exportcheck.rewrites.parts import bare_copy, calls, example_of, part, places, quiet, supported


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.act = nn.SiLU()
        self.named = nn.Bilinear(4, 4, 4)
        self.unused = nn.ReLU()

    def forward(self, x):
        return self.act(self.named(input1=self.act(self.layer(x)), input2=x))


def test_quiet_models_have_no_hooks_and_are_in_eval_mode_for_a_while():
    model, seen = Net().train(), []
    model.act.eval()
    handle = model.act.register_forward_hook(lambda *args: seen.append(args))
    with quiet(model):
        assert not any(module.training for module in model.modules())
        model(torch.zeros(2, 4))
    assert seen == []
    assert model.layer.training
    assert not model.act.training
    model(torch.zeros(2, 4))
    assert len(seen) == 2
    handle.remove()
    model(torch.zeros(2, 4))
    assert len(seen) == 2


def test_modes_and_hooks_come_back_after_an_error():
    model = Net().train()
    model.act.register_forward_hook(lambda *args: None)
    with pytest.raises(RuntimeError, match="boom"), quiet(model):
        raise RuntimeError("boom")
    assert model.training
    assert model.act._forward_hooks


def test_a_bare_copy_holds_no_hooks_and_does_not_touch_the_original():
    class Recorder:
        def __deepcopy__(self, memo):
            raise AssertionError("hooks must not be copied")

        def __call__(self, *args):
            raise AssertionError("hooks must not run")

    module = nn.PReLU(2).half().train()
    module.register_forward_hook(Recorder())
    copied = bare_copy(module)
    copied(torch.zeros(1, 2))
    assert copied.weight.dtype is torch.float32
    assert not copied.training
    assert module.weight.dtype is torch.float16
    assert module.training


def test_what_submodules_are_first_called_with():
    model, x = Net(), torch.randn(2, 4)
    outputs, given = calls(model, (x,))
    assert torch.equal(outputs, model.eval()(x))
    assert torch.equal(given["layer"][0], x)
    assert torch.equal(given["act"][0], model.layer(x))
    assert set(given) == {"", "layer", "act"}, "not those called by keyword or not at all"


def test_places_are_the_inner_ones_and_those_that_hold_them_innermost_first():
    shared = nn.ReLU()
    model = nn.Sequential(nn.Sequential(shared, nn.Sequential(nn.Tanh())), shared)
    inner, holders = places(model)
    assert [path for path, _ in inner] == ["0.0", "0.1.0"]
    assert [path for path, _ in holders] == ["0.1", "0", ""]


def test_what_torchscript_compiled_is_one_place():
    model = nn.Sequential(torch.jit.script(nn.Sequential(nn.ReLU())), nn.Tanh())
    inner, holders = places(model)
    assert [path for path, _ in inner + holders] == ["1", "0", ""]


def test_an_elementwise_part_gets_room_for_the_grid():
    given = np.random.RandomState(0).randn(1, 8, 300, 2).astype("float32")
    what = part(nn.PReLU(8).eval(), [given])
    (x,) = example_of(what)
    assert x.shape == (16, 8, 16, 2)
    assert what.elementwise
    grid = next(c for c in what.inputs("float32") if c.name == "grid")
    assert len(np.unique(grid.values)) == 4096


def test_any_other_part_is_called_as_it_is():
    given = np.random.RandomState(0).randn(1, 8, 30, 2).astype("float32")
    (x,) = example_of(part(nn.LogSoftmax(1).eval(), [given]))
    np.testing.assert_array_equal(x, given)


@pytest.mark.parametrize(("inside", "changes"), [(True, False), (False, True)])
def test_inside_a_model_an_in_place_module_writes_to_what_was_computed(inside, changes):
    given = np.random.RandomState(0).randn(2, 8, 16, 16).astype("float32")
    what = part(nn.ReLU(inplace=True).eval(), [given], inside=inside)
    assert what.changes_its_input is changes


def test_what_a_subject_may_be_called_with():
    assert supported([torch.zeros(1), torch.zeros(1, dtype=torch.int64)])
    assert not supported([torch.zeros(1, dtype=torch.complex64)])
