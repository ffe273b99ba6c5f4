from __future__ import annotations

import json

import pytest

from exportcheck.custom.module_spec import InputSpec, ModuleSpec, parse_input, spec_from_json
from exportcheck.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1x8x32x32", InputSpec((1, 8, 32, 32))),
        ("4", InputSpec((4,))),
        ("scalar", InputSpec(())),
        ("4x16:float16", InputSpec((4, 16), "float16")),
        ("2x7:int64:0..99", InputSpec((2, 7), "int64", 0.0, 99.0)),
        ("2x7:-1.5..1e3", InputSpec((2, 7), low=-1.5, high=1000.0)),
        ("mask=2x7:bool", InputSpec((2, 7), "bool", name="mask")),
    ],
)
def test_an_input_is_read_and_written_back(text, expected):
    assert parse_input(text) == expected
    assert parse_input(expected.text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' is no shape"),
        ("3y4", "'3y4' is no shape"),
        ("1x-2", "is no shape"),
        ("1x2:float", "no dtype 'float'"),
        ("1x2:bfloat16", "there are float16, float32"),
        ("1x2:3..", "'3..' is no range"),
        ("1x2:3..1", "the range 3..1 is empty"),
        ("1x2:0..nan", "is empty"),
        ("a-b=1x2", "'a-b' is no name"),
        ("99999x99999x9", "more than 268435456 numbers; say a smaller shape"),
    ],
)
def test_a_wrong_input_is_refused_with_the_part_that_is_wrong(text, words):
    with pytest.raises(UsageError) as caught:
        parse_input(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "args", "name"),
    [
        ("package.acts:Hard", (), "package.acts:Hard"),
        ("some/folder/acts.py:Hard", (), "acts.py:Hard"),
        ("acts.py:Hard", (("a", "1"), ("b", "'x/y'")), "acts.py:Hard(a=1,b='x_y')"),
    ],
)
def test_a_name_fits_into_the_id_of_a_case(spec, args, name):
    assert ModuleSpec(spec, args).name == name
    assert "/" not in name


def test_it_travels_as_json():
    spec = ModuleSpec(
        "a.py:B",
        (("alpha", "(1, 2)"),),
        (InputSpec((1, 2), "int64", 0.0, 9.0, "index"), InputSpec(())),
        "weights.pt",
        (0, 2),
        train=True,
    )
    again = spec_from_json(json.loads(json.dumps(spec.to_json())))
    assert again == spec
    assert hash(again) == hash(spec)
