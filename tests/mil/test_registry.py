from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from exportcheck.discover import modules
from exportcheck.mil import ir, registry
from exportcheck.mil.registry import find, names, op

OPSETS = tuple(ir.OPSETS)


@pytest.fixture
def registered(monkeypatch):
    """A registry of one's own, empty."""
    known: dict[str, list[registry.Operator]] = {}
    monkeypatch.setattr(registry, "_VERSIONS", known)
    find.cache_clear()
    yield known
    find.cache_clear()


def test_an_operator_is_what_its_signature_says(registered):
    @op(variadic=["values"])
    def join(values, context, axis=0):
        """Joins."""

    (found,) = registered["join"]
    assert found == registry.Operator(
        "join",
        join,
        "CoreML5",
        frozenset({"values"}),
        frozenset({"values", "axis"}),
        frozenset({"values"}),
        True,
    )


@pytest.mark.parametrize(
    ("opset", "expected"),
    [("CoreML5", "old"), ("CoreML6", "old"), ("CoreML7", "new"), ("CoreML8", "new")],
)
def test_the_newest_version_that_the_opset_has(opset, expected, registered):
    @op(name="act", since="CoreML7")
    def new(x):
        """New."""

    @op
    def act(x):
        """Old."""

    assert find("act", opset).function is {"old": act, "new": new}[expected]


def test_an_operator_newer_than_the_opset_is_not_there(registered):
    @op(since="CoreML6")
    def act(x):
        """Acts."""

    assert find("act", "CoreML5") is None
    assert find("act", "CoreML6").function is act
    assert find("other", "CoreML8") is None


def test_a_trailing_underscore_is_pythons_not_mils(registered):
    @op
    def and_(x):
        """Ands."""

    assert list(registered) == ["and"]


def test_the_same_version_twice_is_an_error(registered):
    @op
    def act(x):
        """Acts."""

    with pytest.raises(ValueError, match=r"^operator 'act' is registered twice for CoreML5$"):
        op(act)


@pytest.mark.parametrize("name", names())
def test_every_operator_takes_some_inputs_and_says_what_it_does(name):
    versions = {found for opset in OPSETS if (found := find(name, opset))}
    assert versions
    for found in versions:
        assert found.since in OPSETS
        assert found.required <= found.parameters
        assert found.variadic <= found.parameters
        assert found.function.__doc__


def test_every_file_of_operators_has_some():
    homes = {find(name, OPSETS[-1]).function.__module__ for name in names()}
    assert homes == {module.__name__ for module in modules("exportcheck.mil.ops")}


def definitions():
    """The classes of operators that coremltools defines, by opset and name."""
    from coremltools.converters.mil.mil.ops.registry import SSAOpRegistry

    found = {}
    for opset, system in ir.OPSETS.items():
        for name, versions in SSAOpRegistry.core_ops.items():
            if name == "_const_symbolic":
                continue  # never saved
            for target, cls in versions.items():
                if target.name == system:
                    found[opset, name] = cls
    return found


def test_operators_and_inputs_are_those_of_coremltools():
    """Every operator that coremltools writes, with every one of its inputs, for every opset."""
    defined = definitions()
    assert len(defined) > 150
    differences = []
    for (opset, name), cls in sorted(defined.items()):
        found = find(name, opset)
        # With an underscore begin functions that build blocks, which are no inputs in a file.
        inputs = {n for n in cls.input_spec.input_types if not n.startswith("_")}
        if found is None:
            differences.append(f"{name} ({opset}) is missing")
        elif inputs - found.parameters:
            differences.append(f"{name} ({opset}) lacks {sorted(inputs - found.parameters)}")
    assert not differences


def test_coremltools_is_where_the_files_names_come_from():
    folder = Path(importlib.util.find_spec("coremltools").origin).parent
    theirs = {p.stem for p in folder.glob("converters/mil/mil/ops/defs/iOS1*/*.py")}
    ours = {m.__name__.rsplit(".", 1)[-1] for m in modules("exportcheck.mil.ops")}
    assert ours <= theirs


def test_numpy_holds_every_element_type():
    for name, dtype in ir.NUMPY_DTYPES.items():
        bits = ir.SUB_BYTE_BITS.get(name)
        kind = {"b": "b", "s": "O", "f": "f", "i": "i", "u": "u"}[name[0]]
        assert dtype.kind == kind
        if bits:
            assert dtype == np.dtype("i1" if kind == "i" else "u1")
