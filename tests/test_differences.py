from __future__ import annotations

import dataclasses

import pytest

from exportcheck.differences import conflicts, difference
from exportcheck.results import ChangeKind, Known, Report, Stage, Status
from tests.conftest import comparison, result

TOLERANCE = {"rtol": 1e-5, "atol": 2.5e-7}


def one(status=Status.PASS, stage=Stage.COMPARE, error=1e-7, kinds=None, ops=None, name="relu"):
    return result(
        name,
        "relu",
        "torch-export",
        "torch",
        status,
        stage,
        message="" if status is Status.PASS else "E: cause",
        comparisons={"grid": comparison(error=error, kinds=kinds)},
        graph_ops={"exported": ops or {"Relu": 1}},
        tolerance=TOLERANCE,
    )


PASS = one()
ERROR = one(Status.ERROR, Stage.EXPORT)
CRASH = one(Status.CRASH, Stage.RUN)
ABSENT = one(Status.UNAVAILABLE, Stage.BUILD)


def changes(old, new):
    return difference(Report((old,) if old else ()), Report((new,) if new else ())).changes


@pytest.mark.parametrize(
    ("old", "new", "kind", "text"),
    [
        (PASS, ERROR, ChangeKind.NEW_FAILURE, "error at export: E: cause; was pass"),
        (None, ERROR, ChangeKind.NEW_FAILURE, "error at export: E: cause; there was no such case"),
        (ABSENT, CRASH, ChangeKind.NEW_FAILURE, "crash at run: E: cause; was unavailable at build"),
        (ERROR, PASS, ChangeKind.FIXED, "pass; was error at export: E: cause"),
        (ERROR, CRASH, ChangeKind.OTHER_FAILURE, "crash at run: E: cause; was error at export"),
        (None, PASS, ChangeKind.ADDED, "pass; there was no such case"),
        (ABSENT, PASS, ChangeKind.ADDED, "pass; was unavailable at build"),
        (PASS, None, ChangeKind.GONE, "was pass"),
        (PASS, ABSENT, ChangeKind.GONE, "unavailable at build: E: cause; was pass"),
    ],
)
def test_changes_of_state(old, new, kind, text):
    (change,) = changes(old, new)
    assert (change.kind, change.subject) == (kind, PASS.id)
    assert change.text.startswith(text)


@pytest.mark.parametrize("same", [PASS, ERROR, ABSENT, None])
def test_the_same_is_no_change(same):
    assert changes(same, same) == ()


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (1e-7, 2e-7, None),
        (1e-7, 2.5e-7, None),
        (1e-7, 2.6e-7, "grid: 1e-07 -> 3e-07"),
        (1e-3, 1.9e-3, None),
        (1e-3, 2.1e-3, "grid: 1e-03 -> 2e-03"),
        (2.1e-3, 1e-3, "grid: 2e-03 -> 1e-03"),
        (0.0, 1e-3, "grid: 0 -> 1e-03"),
        (0.0, float("inf"), "grid: 0 -> inf"),
        (float("inf"), float("inf"), None),
        (1e-7, float("nan"), "grid: 1e-07 -> nan"),
    ],
)
def test_numbers_change_beyond_noise(old, new, text):
    found = changes(one(error=old), one(error=new))
    assert [c.text for c in found] == ([text] if text else [])
    assert all(c.kind is ChangeKind.NUMBERS for c in found)


def test_kinds_of_difference_that_come_and_go():
    (change,) = changes(one(kinds={"vanished": 3}), one(kinds={"inf-made": 1}))
    assert change.text == "grid: vanished no more, inf-made now"


def test_operators_that_change():
    (change,) = changes(one(ops={"Softplus": 1, "Mul": 2}), one(ops={"Where": 1, "Mul": 2}))
    assert change.kind is ChangeKind.OPERATORS
    assert change.text == "exported: Softplus 1 -> 0, Where 0 -> 1"


def test_the_environment_that_changes():
    old = {"python": "3.11.7", "versions": {"torch": "2.12.0", "numpy": "2.3.5"}}
    new = {"python": "3.11.7", "versions": {"torch": "2.13.0", "scipy": "1.17.1"}}
    found = difference(Report((), old), Report((), new)).changes
    assert [(c.subject, c.text) for c in found] == [
        ("torch", "2.12.0 -> 2.13.0"),
        ("numpy", "2.3.5 -> nothing"),
        ("scipy", "nothing -> 1.17.1"),
    ]


def test_machines_are_told_apart():
    old, new = (
        {"machines": {"Linux": {"versions": {"torch": version}}}} for version in ("2.12", "2.13")
    )
    (change,) = difference(Report((), old), Report((), new)).changes
    assert (change.subject, change.text) == ("Linux torch", "2.12 -> 2.13")


def test_only_cells_that_changed_are_in_it_and_only_new_failures_are_new():
    old = [one(name="a"), one(Status.ERROR, name="b"), one(Status.ERROR, name="c"), one(name="d")]
    new = [
        one(Status.ERROR, name="a"),
        one(Status.CRASH, name="b"),
        one(name="c"),
        one(name="d"),
    ]
    found = difference(Report(tuple(old)), Report(tuple(new)))
    assert [r.case.activation for r in found.results] == ["a", "b", "c"]
    assert [r.case.activation for r in found.new] == ["a"]
    assert [r.case.activation for r in found.known] == ["b"]
    assert found.fixed == ()
    assert not found.green


def test_a_new_failure_is_new_whatever_a_limitation_says():
    known = dataclasses.replace(ERROR, known=Known("*", "as ever"))
    assert difference(Report((PASS,)), Report((known,))).new
    assert difference(Report((ERROR,)), Report((known,))).changes == ()


def test_the_worst_comes_first():
    old = [one(Status.ERROR, name="a"), one(name="b"), one(name="c", error=1e-3)]
    new = [one(name="a"), one(Status.ERROR, name="b"), one(name="c")]
    found = difference(Report(tuple(old), {"x": 1}), Report(tuple(new), {"x": 2})).changes
    assert [c.kind.value for c in found] == ["new-failure", "fixed", "numbers", "environment"]


@pytest.mark.parametrize(
    ("other", "conflicting"),
    [
        (PASS, False),
        (one(error=2e-7), False),
        (one(error=1e-3), True),
        (ERROR, True),
        (one(ops={"Where": 1}), True),
    ],
)
def test_results_that_cannot_both_be_right(other, conflicting):
    assert conflicts(PASS, other) == conflicting
