from __future__ import annotations

from pathlib import Path

import pytest

from exportcheck.catalog import activations
from exportcheck.cli.asked import asked, parse_arg, parse_axes
from exportcheck.custom.module_spec import ModuleSpec, parse_input
from exportcheck.errors import UsageError

GOOD = str(Path(__file__).parents[1] / "user_code" / "good.py")


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("package.acts:Hard", "package.acts:Hard"),
        (f"{GOOD}:Hard", f"{GOOD}:Hard"),
        ("torch.nn.Hardswish", "torch.nn:Hardswish"),
        ("acts.py:Outer.Inner", "acts.py:Outer.Inner"),
    ],
)
def test_a_module_of_a_users(text, spec):
    (row,) = asked(ModuleSpec(text), ())
    assert row.module == ModuleSpec(spec)
    assert row.networks == ("bare",)
    assert row.name == row.module.name


def test_a_family_is_all_of_its_forms_and_an_activation_one():
    family = [a.name for a in activations().values() if a.family == "hardswish"]
    assert [row.name for row in asked(ModuleSpec("hardswish"), ())] == family
    (row,) = asked(ModuleSpec("hardswish-relu6"), ("bare", "conv"))
    assert (row.name, row.module, row.networks) == ("hardswish-relu6", None, ("bare", "conv"))


def test_an_activation_that_is_fed_otherwise_becomes_a_module():
    spec = ModuleSpec("softplus-threshold1", (("beta", "2.0"),), (parse_input("2x3"),))
    (row,) = asked(spec, ())
    assert row.module.spec == "torch.nn:Softplus"
    assert dict(row.module.args) == {"threshold": "1.0", "beta": "2.0"}
    assert row.module.inputs == spec.inputs


@pytest.mark.parametrize(
    ("text", "networks", "words"),
    [
        ("hardswich", (), "nearest: hardswish"),
        ("nothing-like-it", (), "package.module:Name or path/to/file.py:Name"),
        (GOOD, (), f"{GOOD}:Hard, {GOOD}:Scaled"),
        (f"{GOOD}:", (), "say which class or function"),
        (GOOD, (), f", {GOOD}:sharp"),
        (f"{Path(GOOD).parents[2] / 'README.md'}:X", (), "README.md is no .py file; say path"),
        ("nofile.py", (), "nofile.py: there is no such file"),
        (f"{GOOD}:Hard", ("cnv",), "no network 'cnv'"),
        ("softmax-dim1", ("nowhere",), "no network 'nowhere'"),
    ],
)
def test_what_is_nothing_is_refused_without_an_import(text, networks, words):
    with pytest.raises(UsageError) as caught:
        asked(ModuleSpec(text), networks)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alpha=0.5", ("alpha", "0.5")),
        ("inplace=True", ("inplace", "True")),
        ("sizes=(1, 2)", ("sizes", "(1, 2)")),
        ("approximate=tanh", ("approximate", "'tanh'")),
        ("approximate='tanh'", ("approximate", "'tanh'")),
        ("a=b=c", ("a", "'b=c'")),
        ("nothing=None", ("nothing", "None")),
    ],
)
def test_an_argument_is_a_literal_or_a_string(text, expected):
    assert parse_arg(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("alpha", "NAME=VALUE"),
        ("=3", "NAME=VALUE"),
        ("a-b=3", "NAME=VALUE"),
        ("inplace=true", "True for true"),
        ("x=null", "None for null"),
    ],
)
def test_an_argument_of_another_language(text, words):
    with pytest.raises(UsageError) as caught:
        parse_arg(text)
    assert words in str(caught.value)


def test_axes():
    assert parse_axes("2, 0,2") == (0, 2)
    for wrong in ("", "x", "-1", "0;2", "1000"):
        with pytest.raises(UsageError, match="--dynamic"):
            parse_axes(wrong)
