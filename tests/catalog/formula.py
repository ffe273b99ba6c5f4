"""Computes the formula of a catalogue entry, which is written for people, in NumPy.

A formula is clauses joined by commas. A clause is an expression that holds under a condition
(`E above K`, `E below K`, `E where CONDITION`) or otherwise (`E below`, `else E`, a bare `E`), a
definition (`d=(p1-p2)*x`), or one of `REMARKS`.
"""

from __future__ import annotations

import re

import numpy as np
from scipy.special import expit, ndtr

REMARKS = {
    "the hardtanh in place",
    "forward a staticmethod",
    "saving only x for backward",
    "Phi by erf",
    "one a",
    "a and b the halves of the channels",
}

FUNCTIONS = {
    "BN": None,  # these five are a module's layers, given with the other names
    "conv3x3": None,
    "fc1": None,
    "fc2": None,
    "mean": lambda x: x.mean((2, 3), keepdims=True),
    "Phi": ndtr,
    "abs": np.abs,
    "clamp": np.clip,
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "exp": np.exp,
    "gelu": lambda x: x * ndtr(x),
    "hardsigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hardtanh": np.clip,
    "leaky_relu": lambda x, slope: np.where(x > 0, x, slope * x),
    "log": np.log,
    "max": np.maximum,
    "min": np.minimum,
    "pi": np.pi,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "sigmoid": expit,
    "silu": lambda x: x * expit(x),
    "sin": np.sin,
    "softplus": lambda x: np.logaddexp(0, x),
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "where": np.where,
}


def evaluate(text, names):
    """The value of the formula `text`; `names` gives `x` and whatever else it speaks of.

    Raises:
        AssertionError: the text does not follow the grammar.
    """
    text, reductions = reduced(text.replace(" (eval)", ""))
    names = {**FUNCTIONS, **reductions, **names}
    clauses = [clause for clause in split(text) if clause not in REMARKS]
    for clause in clauses:
        if definition := re.fullmatch(r"(\w+)=(.+)", clause):
            names[definition[1]] = expression(definition[2], names)
    cases, otherwise = [], []
    for clause in clauses:
        if re.fullmatch(r"\w+=.+", clause):
            continue
        body, relation, bound = re.fullmatch(
            r"(?:else )?(.+?)(?: (above|below|where)(?: (.+))?)?", clause
        ).groups()
        value = expression(body, names)
        if bound is None:
            otherwise.append(value)
        else:
            condition = {"above": f"x > {bound}", "below": f"x < {bound}", "where": bound}[relation]
            cases.append((expression(condition, names), value))
    assert len(otherwise) == 1, f"{text!r} says {len(otherwise)} times what holds otherwise"
    return np.select(*zip(*cases, strict=True), otherwise[0]) if cases else otherwise[0]


def reduced(text):
    """`text` without `over dim D`, and what `sum` and a `max` of one argument then mean."""
    found = re.search(r" over (dim (-?\d)|channels)", text)
    if found is None:
        return text, {}
    axis = int(found[2] or 1)
    reductions = {
        "sum": lambda x: np.sum(x, axis, keepdims=True),
        "max": lambda x: np.max(x, axis, keepdims=True),
    }
    return text.replace(found[0], ""), reductions


def split(text):
    """The clauses: `text` cut at each comma that stands in no parenthesis."""
    depth = [text[:i].count("(") - text[:i].count(")") for i in range(len(text))]
    cuts = [i for i, letter in enumerate(text) if letter == "," and depth[i] == 0]
    return [text[i + 1 : j].strip() for i, j in zip([-1, *cuts], [*cuts, len(text)], strict=True)]


def expression(text, names):
    """The value of one expression: Python's but for `^`, `|x|`, `2x` and `[c]`, a's channel."""
    for pattern, python in (
        (r"\[c\]", ""),
        (r"depthwise ", ""),
        (r"\^", "**"),
        (r"\|([^|]+)\|", r"abs(\1)"),
        (r"(?<![\w.])(\d+(?:\.\d+)?)(?=[a-z])", r"\1*"),
    ):
        text = re.sub(pattern, python, text)
    return eval(text, {"__builtins__": {}}, names)
