from __future__ import annotations

import ast

import pytest

from exportcheck.catalog import activations
from exportcheck.explain.code import call_of, code_of

OWN = [a for a in activations().values() if a.module.startswith("exportcheck.forms.")]


@pytest.mark.parametrize("activation", OWN, ids=lambda a: a.name)
def test_the_code_is_that_of_the_form_without_docstrings(activation):
    tree = ast.parse(code_of(activation))
    names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    assert activation.module.rpartition(".")[2] == names[-1]
    nodes = [n for n in ast.walk(tree) if isinstance(n, (ast.ClassDef, ast.FunctionDef))]
    assert not [node.name for node in nodes if ast.get_docstring(node)]


def test_it_computes_what_the_form_computes():
    import torch

    from exportcheck import forms

    scope = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional, "Any": object}
    code = code_of(activations()["mish-memory-efficient"])
    exec(f"from __future__ import annotations\n{code}", scope)
    x = torch.linspace(-5, 5, 11)
    assert torch.equal(scope["MemoryEfficientMish"]()(x), forms.MemoryEfficientMish()(x))


def test_what_a_form_is_made_of_stands_before_it():
    code = code_of(activations()["silu-memory-efficient"])
    assert code.index("class _SiLUFunction") < code.index("class MemoryEfficientSiLU")


def test_native_forms_are_calls():
    assert code_of(activations()["hardswish-inplace"]) == "torch.nn.Hardswish(inplace=True)"
    assert call_of(activations()["hardswish-hardtanh"]) == "HardswishHardtanh()"
