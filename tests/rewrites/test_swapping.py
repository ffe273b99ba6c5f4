from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from exportcheck import forms
from exportcheck.rewrites.swapping import adopt, become, put, twin


def test_a_twin_shares_everything_and_changes_nothing():
    module = nn.PReLU(8).eval()
    before = dict(vars(module))
    other = twin(module, forms.PReLURelu, extra=1)
    assert type(other) is forms.PReLURelu
    assert other.weight is module.weight
    assert not other.training
    assert other.extra == 1
    assert vars(module) == before


def test_a_form_adopts_parameters_hooks_and_mode():
    module = nn.PReLU(8).eval()
    handle = module.register_forward_hook(lambda *args: None)
    form = adopt(forms.PReLURelu(8, init=0.5), module)
    assert form.weight is module.weight
    assert not form.training
    handle.remove()
    assert not form._forward_hooks


@pytest.fixture
def model():
    shared = nn.CELU(0.5)
    return nn.Sequential(nn.Linear(4, 4), shared, nn.Linear(4, 4), shared)


def test_becoming_keeps_the_object_and_is_undone(model):
    module = model[1]
    before = copy.deepcopy(vars(module))
    undo = become(module, forms.CELUElu(0.25))
    assert model[1] is model[3] is module
    assert type(module) is forms.CELUElu
    assert module.alpha == 0.25
    undo()
    assert type(module) is nn.CELU
    assert vars(module) == before


def test_new_attributes_go_at_the_undo_and_old_ones_stay_meanwhile():
    module = nn.RReLU(0.2, 0.4).eval()
    undo = become(module, adopt(forms.RReLULeakyReLU(0.2, 0.4), module))
    assert module.slope == pytest.approx(0.3)
    assert module.lower == 0.2
    undo()
    assert not hasattr(module, "slope")


def test_what_changes_in_between_stays_changed():
    module = nn.PReLU(2).eval()
    undo = become(module, adopt(forms.PReLURelu(2), module))
    with torch.no_grad():
        module.weight.fill_(0.75)
    module.train()
    undo()
    assert module.weight.tolist() == [0.75, 0.75]
    assert module.training


def test_scripted_modules_take_every_slot_and_are_put_back(model):
    module = model[1]
    scripted = torch.jit.script(nn.CELU(0.5))
    returned, undo = put(model, module, scripted)
    assert returned is model
    assert model[1] is model[3] is scripted
    undo()
    assert model[1] is model[3] is module


def test_a_scripted_module_for_the_model_itself_is_returned():
    model = nn.CELU()
    scripted = torch.jit.script(nn.CELU())
    assert put(model, model, scripted)[0] is scripted
