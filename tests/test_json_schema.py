"""Our own validator against the reference one, on our own schema."""

from __future__ import annotations

import copy
import dataclasses
import json

import pytest
from jsonschema import Draft202012Validator

from exportcheck.json_schema import Misfit, compile_schema
from exportcheck.reading import SCHEMA_FILE
from exportcheck.records import report_to_json
from exportcheck.results import ChangeKind, Culprit, Result, Stage, Status

SCHEMA = json.loads(SCHEMA_FILE.read_text("utf-8"))
REFERENCE = Draft202012Validator(SCHEMA)
OTHERS = (None, True, 3, 2.5, "nan", "text", [], ["x"], {}, {"x": 1})


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


def test_what_we_write_fits(report):
    data = json.loads(json.dumps(report_to_json(report)))
    REFERENCE.validate(data)
    compile_schema(SCHEMA)(data)


@pytest.mark.parametrize(
    ("enum", "place"),
    [
        (Status, ("result", "status")),
        (Stage, ("result", "stage")),
        (Culprit, ("blame", "culprit")),
        (ChangeKind, ("change", "kind")),
    ],
)
def test_the_schema_has_every_word(enum, place):
    definition, name = place
    allowed = SCHEMA["$defs"][definition]["properties"][name]
    allowed = SCHEMA["$defs"][allowed["$ref"].rpartition("/")[2]] if "$ref" in allowed else allowed
    assert allowed["enum"] == [member.value for member in enum]


def test_the_schema_has_every_name_that_we_write(report):
    data = report_to_json(report)
    assert set(data) == set(SCHEMA["properties"])
    definitions = {
        name: set(one["properties"]) for name, one in SCHEMA["$defs"].items() if "properties" in one
    }
    names = {field.name for field in dataclasses.fields(Result)} - {"case"}
    assert definitions["result"] == {"id", *definitions["case"], *names}
    for result in data["results"]:
        assert set(result) <= definitions["result"]
    first = data["results"][0]
    # "detail" is written only where there is something to say.
    written = {*first["comparisons"]["grid"], "detail"}
    assert written == definitions["comparison"]
    assert set(first["comparisons"]["grid"]["worst"]) == definitions["worst"]
    # So is "also": one culprit is the rule.
    assert {*first["blame"], "also"} == definitions["blame"]
    assert set(first["known"]) == definitions["known"]
    assert set(data["unfinished"][0]) == definitions["case"]


def places(value, way=()):
    """The ways to every value within."""
    yield way
    if isinstance(value, (dict, list)):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(one, (*way, key))


def changed(data, way, value):
    copied = copy.deepcopy(data)
    inner = copied
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = value
    return copied


def test_it_judges_as_the_reference_does(report):
    """Every value of a report replaced by one of another type: a thousand documents."""
    data = json.loads(json.dumps(report_to_json(report)))
    data["results"] = data["results"][:1]
    check = compile_schema(SCHEMA)
    refused = 0
    for way in [way for way in places(data) if way]:
        for other in OTHERS:
            document = changed(data, way, other)
            try:
                check(document)
            except Misfit:
                assert not REFERENCE.is_valid(document), (way, other)
                refused += 1
            else:
                assert REFERENCE.is_valid(document), (way, other)
    assert refused > 500


@pytest.mark.parametrize(
    ("way", "value", "place", "problem"),
    [
        (("results", 1, "status"), "fine", "results[1].status", "'fine' is none of pass, mismatch"),
        (("results", 0, "notes"), "x", "results[0].notes", "'x' where array was expected"),
        (
            ("results", 0, "comparisons", "grid", "max_error"),
            "big",
            "results[0].comparisons.grid.max_error",
            "'big' is none of nan, inf, -inf",
        ),
        (("environment",), [], "environment", "[] where object was expected"),
    ],
)
def test_it_says_where_and_what(report, way, value, place, problem):
    document = changed(report_to_json(report), way, value)
    with pytest.raises(Misfit) as caught:
        compile_schema(SCHEMA)(document)
    assert caught.value.place == place
    assert caught.value.problem.startswith(problem)


def test_a_word_that_it_does_not_know_is_refused():
    with pytest.raises(NotImplementedError, match="pattern"):
        compile_schema({"type": "string", "pattern": "x"})
