from __future__ import annotations

import pytest
import torch
from torch import nn

from exportcheck.custom.calling import (
    arranged,
    function_module,
    positional,
    with_keywords,
    with_structure,
)
from exportcheck.custom.module_spec import InputSpec
from exportcheck.errors import UsageError


class Three(nn.Module):
    def forward(self, x, y=None, *, scale=1.0):
        return (x if y is None else x - y) * scale


class Keys(nn.Module):
    def forward(self, x, parts, *, extra):
        return x + parts[0] * 10 + parts[1]["k"] * 100 + extra


def plus(x, y, times: float = 1.0):
    return x + y * times


def one(value) -> torch.Tensor:
    return torch.tensor([float(value)])


def test_positional_names():
    assert positional(Three().forward) == ["x", "y"]
    assert positional(Three().forward, required=True) == ["x"]
    assert positional(torch.relu) == []


@pytest.mark.parametrize(("given", "arity"), [(0, 2), (2, 2)])
def test_a_function_becomes_a_module_with_its_own_names(given, arity):
    module = function_module(plus, {"times": 3.0}, given)
    assert positional(module.forward) == ["x", "y"][:arity]
    assert module(one(1), one(2)).tolist() == [7.0]
    assert torch.jit.script(module)(one(1), one(2)).tolist() == [7.0]


def test_a_builtin_function_takes_as_many_as_are_given():
    assert function_module(torch.add, {}, 2)(one(1), one(2)).tolist() == [3.0]
    assert function_module(torch.relu, {})(one(-1)).tolist() == [0.0]


def test_names_are_dropped_where_the_position_says_enough():
    x, y = InputSpec((1,)), InputSpec((2,), name="y")
    assert arranged([y, InputSpec((1,), name="x")], Three()) == (x, InputSpec((2,)))
    assert arranged([x, y], Three()) == (x, InputSpec((2,)))
    assert arranged([y], Three()) == (y,)


def test_a_keyword_input_is_passed_on_by_name():
    scale = InputSpec((1,), name="scale")
    module = with_keywords(Three(), (InputSpec((1,)), scale))
    assert module(one(2), one(3)).tolist() == [6.0]
    three = Three()
    assert with_keywords(three, (InputSpec((1,)),)) is three


def test_any_structure_becomes_positional_tensors():
    module, tensors = with_structure(Keys(), (one(1), (one(2), {"k": one(3)})), {"extra": one(4)})
    assert [t.item() for t in tensors] == [1, 2, 3, 4]
    assert module(*tensors).tolist() == [325.0]
    assert torch.jit.trace(module, tuple(tensors))(*tensors).tolist() == [325.0]


def test_a_plain_call_stays_as_it_is():
    three = Three()
    assert with_structure(three, (one(1), one(2)), {}) == (three, [one(1), one(2)])
    module, tensors = with_structure(three, (), {"y": one(2), "x": one(1)})
    assert module is three
    assert [t.item() for t in tensors] == [1, 2]
    module, tensors = with_structure(three, (one(2), None), {"scale": 5.0})
    assert module(*tensors).tolist() == [10.0]


def test_what_cannot_be_written_down_is_refused():
    with pytest.raises(UsageError, match="holds object"):
        with_structure(Three(), (one(1), object()), {})
