"""What the tests of explanations share."""

from __future__ import annotations

from exportcheck.explain.explanation import explain
from exportcheck.history.adding import runs_of
from exportcheck.history.runs import History
from tests.history.runs import report


def texts(sentences):
    """What the sentences say, without commands and quotations."""
    return [sentence.text for sentence in sentences]


def alone(*results, family="hardswish"):
    """What is said of `family` where nothing but `results` was measured."""
    return explain(family, History(runs_of(report(*results), "r.json")), {})
