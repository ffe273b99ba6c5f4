from __future__ import annotations

import pytest

from exportcheck.matrix import lay_out
from exportcheck.results import Report, Stage, Status
from exportcheck.support import Statement, Support, state_support
from tests.conftest import comparison, result

NATIVE, SOFTPLUS, STABLE = "logsigmoid", "logsigmoid-softplus", "logsigmoid-stable"
NOTES = {"notes": ("a note",)}


def cell(name, status, error=0.0, **facts):
    facts["comparisons"] = {"grid": comparison(error=error)}
    return result(name, NATIVE, "torch-export", "torch", status, Stage.COMPARE, **facts)


@pytest.mark.parametrize(
    ("results", "statement"),
    [
        ([cell(NATIVE, Status.PASS)], Statement(Support.WORKS, NATIVE)),
        ([cell(NATIVE, Status.PASS, **NOTES)], Statement(Support.NOTED, NATIVE)),
        (
            [cell(NATIVE, Status.PASS, **NOTES), cell(SOFTPLUS, Status.PASS)],
            Statement(Support.NOTED, NATIVE),
        ),
        (
            [cell(NATIVE, Status.MISMATCH), cell(SOFTPLUS, Status.PASS)],
            Statement(Support.FORM, SOFTPLUS),
        ),
        (
            [
                cell(NATIVE, Status.ERROR),
                cell(SOFTPLUS, Status.PASS, 1e-6),
                cell(STABLE, Status.PASS),
            ],
            Statement(Support.FORM, STABLE),
        ),
        (
            [
                cell(NATIVE, Status.CRASH),
                cell(SOFTPLUS, Status.PASS, **NOTES),
                cell(STABLE, Status.PASS, 1e-6),
            ],
            Statement(Support.FORM, STABLE),
        ),
        (
            [cell(NATIVE, Status.UNAVAILABLE), cell(SOFTPLUS, Status.PASS)],
            Statement(Support.FORM, SOFTPLUS),
        ),
        (
            [cell(NATIVE, Status.ERROR), cell(SOFTPLUS, Status.TIMEOUT)],
            Statement(Support.FAILS),
        ),
        (
            [cell(NATIVE, Status.UNAVAILABLE), cell(SOFTPLUS, Status.UNAVAILABLE)],
            Statement(Support.UNAVAILABLE),
        ),
        ([cell(SOFTPLUS, Status.PASS)], Statement(Support.WORKS, SOFTPLUS)),
        (
            [cell(NATIVE, Status.PASS), cell(NATIVE, Status.ERROR, network="conv")],
            Statement(Support.FAILS),
        ),
    ],
)
def test_the_native_form_decides_and_the_best_other_one_stands_in(results, statement):
    matrix = lay_out(Report(tuple(results)))
    assert state_support(matrix, NATIVE, matrix.columns[0]) == statement


def test_nothing_is_said_of_what_nobody_asked_for():
    other = result("relu", "relu", "coreml-fp32", "mil-numpy", Status.PASS, Stage.COMPARE)
    matrix = lay_out(Report((cell(NATIVE, Status.PASS), other)))
    supports = [state_support(matrix, NATIVE, column) for column in matrix.columns]
    assert supports == [Statement(Support.WORKS, NATIVE), None]


def test_a_family_that_the_catalogue_does_not_know_is_judged_by_its_first_form():
    unknown = result("own", "own", "torch-export", "torch", Status.PASS, Stage.COMPARE)
    matrix = lay_out(Report((unknown,)))
    assert state_support(matrix, "own", matrix.columns[0]) == Statement(Support.WORKS, "own")
